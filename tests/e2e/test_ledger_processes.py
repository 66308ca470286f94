"""The ledger between processes: many writers, and writers that die."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from bk.engine.ledger import segment
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.model import Entry
from bk.engine.state import State

_WRITER = """
import os, sys
from bk.engine.state import State
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
root, uid, name, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ledger = Ledger.open(State(root, "/", uid))
sys.stdin.read(1)
out = sys.stdout.fileno()
for n in range(count):
    call = f"{name}-{n}"
    data = {"tool": "Bash", "input": {"command": f"echo {call}"}, "pad": "x" * (n % 700)}
    stored = ledger.append([Entry("decision", "hook:test", data, level="allow", call=call)], sync=n % 50 == 0)[0]
    os.write(out, f"{stored.seq} {call}\\n".encode())
ledger.close()
"""


def writer(state: State, name: str, count: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-I", "-c", _WRITER, state.root, str(state.owner), name, str(count)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def told(process: subprocess.Popen[bytes], wait: float = 120) -> list[tuple[int, str]]:
    """What the writer was told is recorded; a line that it died in the middle of was not read by anybody."""
    said, _ = process.communicate(timeout=wait)
    lines = said.decode().split("\n")[:-1]
    return [(int(seq), call) for seq, call in (line.split(" ") for line in lines)]


def recorded(state: State) -> dict[str, int]:
    ledger = Ledger.open(state)
    try:
        return {each.call: each.seq for each in ledger.entries(limit=10**6) if each.call}
    finally:
        ledger.close()


def test_eight_processes_make_one_chain(state: State) -> None:
    processes = [writer(state, f"w{number}", 1000) for number in range(8)]
    for process in processes:
        go(process)
    said = [pair for process in processes for pair in told(process)]
    assert all(process.returncode == 0 for process in processes)
    assert len(said) == 8000
    assert sorted(seq for seq, _ in said) == list(range(1, 8001))
    assert recorded(state) == {call: seq for seq, call in said}
    report = verify(state)
    assert report.ok, report.problems
    assert (report.entries, report.links) == (8000, 8000)


def test_writers_in_other_processes_follow_rotation_and_signing(state: State) -> None:
    processes = [writer(state, f"w{number}", 400) for number in range(4)]
    ledger = Ledger.open(state)
    try:
        for process in processes:
            go(process)
        for turn in range(6):
            time.sleep(0.05)
            if turn % 2:
                segment.rotate(ledger)
            else:
                ledger.checkpoint()
        said = [pair for process in processes for pair in told(process)]
        segment.rotate(ledger)
    finally:
        ledger.close()
    assert len({seq for seq, _ in said}) == len(said) == 1600
    report = verify(state)
    assert report.ok, report.problems
    assert report.segments >= 3
    assert report.checkpoints >= 3


def test_sigkill_loses_no_entry_that_was_returned(state: State) -> None:
    chance = random.Random(11)
    said: list[tuple[int, str]] = []
    killed = 0
    for turn in range(12):
        processes = [writer(state, f"t{turn}w{number}", 100_000) for number in range(2)]
        for process in processes:
            go(process)
        for process in processes:
            time.sleep(0.1 + chance.random() * 0.15)
            os.kill(process.pid, signal.SIGKILL)
        for process in processes:
            said += told(process)
            killed += process.returncode == -signal.SIGKILL
    assert killed == 24
    assert len(said) > 500
    assert len({seq for seq, _ in said}) == len(said)
    held = recorded(state)
    assert {call: held.get(call) for _, call in said} == {call: seq for seq, call in said}
    report = verify(state)
    assert report.ok, report.problems


def test_sigkill_of_a_signer_leaves_a_ledger_that_goes_on(state: State) -> None:
    code = (
        "import sys\n"
        "from bk.engine.state import State\n"
        "from bk.engine.ledger import segment\n"
        "from bk.engine.ledger.store import Ledger\n"
        "from bk.engine.model import Entry\n"
        "ledger = Ledger.open(State(sys.argv[1], '/', int(sys.argv[2])))\n"
        "print(flush=True)\n"
        "turn = 0\n"
        "while True:\n"
        "    turn += 1\n"
        "    ledger.append([Entry('engine', 'x', {'n': n}) for n in range(5)])\n"
        "    segment.rotate(ledger) if turn % 7 == 0 else ledger.checkpoint()\n"
        "    ledger.sync()\n"
    )
    chance = random.Random(5)
    for _ in range(12):
        process = subprocess.Popen([sys.executable, "-c", code, state.root, str(state.owner)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + chance.random() * 0.2)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        report = verify(state)
        assert report.ok, report.problems
    ledger = Ledger.open(state)
    try:
        segment.finish(ledger)
        ledger.append([Entry("engine", "x", {})])
        assert ledger.checkpoint()
    finally:
        ledger.close()
    assert verify(state).ok


_CROWD = """
import sys, time
from bk.engine.state import State
from bk.engine.ledger import seal, segment
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.model import Entry
state, what = State(sys.argv[1], "/", int(sys.argv[2])), sys.argv[3]
until = time.monotonic() + 4
turns = 0
ledger = None if what in ("open", "verify") else Ledger.open(state)
while time.monotonic() < until:
    turns += 1
    if what == "verify":
        report = verify(state)
        assert report.ok, report.problems
        continue
    if what == "open":
        ledger = Ledger.open(state)
    ledger.append([Entry("engine", "x", {"n": turns})])
    if what == "sign":
        ledger.checkpoint()
        ledger.sync()
    if what == "rotate" and turns % 40 == 0:
        segment.rotate(ledger)
    if what == "rotate" and turns % 25 == 0:
        seal.start(ledger)
    if what == "open":
        ledger.close()
print(turns)
"""


def test_signing_rotating_opening_and_verifying_at_once_never_cry_wolf(state: State) -> None:
    Ledger.open(state).close()
    jobs = ("sign", "sign", "rotate", "open", "verify")
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", _CROWD, state.root, str(state.owner), job],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for job in jobs
    ]
    for job, process in zip(jobs, crowd, strict=True):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{job}: {err}"
        assert int(out) > 3, job
    report = verify(state)
    assert report.ok, report.problems
    assert report.checkpoints > 50


def test_verify_is_fast_enough_to_be_run(state: State) -> None:
    """100,000 entries a second is the aim; the bound is relative to reading and hashing, to bear a busy machine."""
    ledger = Ledger.open(state)
    data = {"tool": "Bash", "input": {"command": "x" * 400}, "actions": [{"do": "run", "target": "y" * 200}]}
    for _ in range(40):
        ledger.append([Entry("decision", "hook:test", data, level="allow") for _ in range(500)])
        ledger.checkpoint()
    ledger.append([Entry("decision", "hook:test", data, level="allow") for _ in range(5000)])
    ledger.close()
    from hashlib import sha256

    from bk.engine.ledger.schema import reader

    con = reader(state.audit)

    def bare() -> float:
        start = time.perf_counter()
        for (body,) in con.execute("SELECT CAST(body AS BLOB) FROM entry ORDER BY seq"):
            sha256(b"\0" + body).digest()
        return time.perf_counter() - start

    def whole() -> float:
        start = time.perf_counter()
        assert verify(state).entries == 25_001
        return time.perf_counter() - start

    floor, full = min(bare() for _ in range(3)), min(whole() for _ in range(3))
    con.close()
    assert full < floor * 8, f"{25_001 / full:,.0f} entries/s; reading and hashing alone {25_001 / floor:,.0f}"
    assert 25_001 / full > 30_000
