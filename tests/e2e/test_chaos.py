"""An engine that is killed again and again under load: nobody waits too long, and no answer is without its entry."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.service.lock import start_ticks
from bk.engine.state import State
from tests.e2e.engine_house import House, until

CLIENTS = 8
DEADLINE_S = 5.0
GRACE_S = 0.5  # for this test's own processes to be scheduled
ALLOWED, DENIED = "git status", "cat ~/.ssh/id_ed25519"


@pytest.fixture
def house(state: State) -> Iterator[House]:
    made = House(state)
    yield made
    made.quiet()


class Answer:
    """What one call came to."""

    def __init__(self, ident: str, command: str, done: subprocess.CompletedProcess[bytes], took: float) -> None:
        self.ident = ident
        self.command = command
        self.code = done.returncode
        self.stderr = done.stderr
        self.took = took


def storm(house: House, calls: int, kills: int) -> list[Answer]:
    """At least `calls` hook calls from eight clients, for as long as it takes to kill the engine `kills` times."""
    answers: list[Answer] = []
    counter = itertools.count()
    over = threading.Event()
    enough = threading.Event()
    dice = random.Random(20)

    def client(name: int) -> None:
        while not over.is_set():
            at = next(counter)
            ident = f"call-{name}-{at}"
            command = DENIED if at % 5 == 0 else ALLOWED
            began = time.monotonic()
            done = house.call(command, ident)
            answers.append(Answer(ident, command, done, time.monotonic() - began))
            if at >= calls:
                enough.set()

    threads = [threading.Thread(target=client, args=(name,)) for name in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        killed = 0
        while killed < kills:
            time.sleep(dice.choice((0.0, 0.02, 0.1, 0.2)) * dice.random())
            pid = house.engine()
            if pid:
                os.kill(pid, signal.SIGKILL)
                killed += 1
                until(lambda pid=pid: not start_ticks(pid))
        enough.wait(120)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return answers


def hold(house: House, answers: list[Answer], calls: int, kills: int) -> None:
    """What must be true after a storm."""
    house.quiet()
    entries = house.entries()
    held = Counter(str(entry.data.get("tool_use_id")) for entry in entries if entry.kind == "decision")
    levels = {str(entry.data.get("tool_use_id")): entry.level for entry in entries if entry.kind == "decision"}
    assert len(answers) >= calls
    starts = sum(entry.data.get("event") == "start" for entry in entries)
    assert starts > kills // 4  # engines were not only killed while they were still starting
    late = [answer.took for answer in answers if answer.took > DEADLINE_S + GRACE_S]
    assert late == []
    for answer in answers:
        assert answer.code in (0, 2), (answer.code, answer.stderr)
        if answer.code == 0:
            assert answer.command == ALLOWED
            assert (held[answer.ident], levels[answer.ident]) == (1, "allow")
        else:
            assert held[answer.ident] <= 1
            assert answer.stderr
    # only a client whose time is up may answer without an entry, and then only with a denial
    unrecorded = [answer for answer in answers if not held[answer.ident]]
    assert [answer.stderr for answer in unrecorded if answer.code != 2 or b"deadline" not in answer.stderr] == []
    assert len(unrecorded) <= len(answers) // 100
    wrong = [answer for answer in answers if held[answer.ident] and (answer.code == 2) != (answer.command == DENIED)]
    assert wrong == [], [(a.ident, a.command, a.code, a.stderr, a.took, levels[a.ident]) for a in wrong]
    report = verify(house.state)
    assert report.ok, report.problems
    assert report.entries == len(entries)


def test_a_short_storm(house: House) -> None:
    hold(house, storm(house, 600, 25), 600, 25)


@pytest.mark.long
def test_a_long_storm(house: House) -> None:
    hold(house, storm(house, 5000, 200), 5000, 200)


APPEND = """
import os, sys
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
home = sys.argv[1]
ledger = Ledger.open(State(f"{home}/.bk", home, os.geteuid()))
print("up", flush=True)
while True:
    ledger.append([Entry("decision", "test", {"n": 1})])
    if ledger.head()[0] % 97 == 0:
        ledger.checkpoint()
"""


def test_a_cold_call_never_takes_a_growing_ledger_for_a_damaged_one(house: House) -> None:
    writer = subprocess.Popen([sys.executable, "-c", APPEND, house.state.home], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout
        assert writer.stdout.readline() == "up\n"
        for _ in range(1500):
            Ledger.open(house.state).close()
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()
        assert writer.stdout
        writer.stdout.close()
