"""An engine's life: one at a time, ended in order or killed, reloaded, watched, and quiet when idle."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.ledger.verify import verify
from bk.engine.service import server
from bk.engine.service.log import MAX_BYTES, EngineLog
from bk.engine.service.status import EngineStatus
from bk.engine.state import State
from tests.unit.service.driven import Engine, ask, connect, hear, incidents, recorded, until


def events(state: State) -> list[str]:
    return [str(entry.data["event"]) for entry in recorded(state) if entry.kind == "engine"]


def test_start_and_stop_are_recorded_and_nothing_is_left(engine: Engine, state: State) -> None:
    ask(state, id="t")
    assert engine.end() == 0
    assert events(state) == ["start", "stop"]
    first = recorded(state)[0]
    assert first.data["pid"] == engine.process.pid
    assert first.data["previous"] == "stopped"
    assert sorted(os.listdir(state.run)) == ["engine.lock"]
    assert os.path.getsize(state.engine_lock) == 0


def test_an_interrupt_ends_it_in_order_too(engine: Engine, state: State) -> None:
    assert engine.end(signal.SIGINT) == 0
    assert events(state) == ["start", "stop"]


def test_what_is_in_flight_is_finished_before_the_end(engine: Engine, state: State) -> None:
    busy = connect(state)
    busy.sendall(b'{"id": "busy", "spin": 0.5}\n')
    half = connect(state)
    half.sendall(b'{"id": "ha')
    time.sleep(0.1)
    engine.process.send_signal(signal.SIGTERM)
    time.sleep(0.6)
    half.sendall(b'lf"}\n')
    assert hear(busy)["level"] == "allow"
    assert hear(half)["level"] == "allow"
    assert engine.end() == 0
    assert [entry.data.get("tool_use_id") for entry in recorded(state) if entry.kind == "decision"] == ["busy", "half"]
    assert events(state) == ["start", "stop"]


def test_a_request_that_never_ends_does_not_hold_up_the_end(engine: Engine, state: State) -> None:
    half = connect(state)
    half.sendall(b'{"id": "ha')
    time.sleep(0.1)
    began = time.monotonic()
    engine.process.send_signal(signal.SIGTERM)
    assert hear(half) == {"status": server.DRAINING}
    assert engine.end() == 0
    assert server.DRAIN_S - 0.5 < time.monotonic() - began < server.DRAIN_S + 15


def test_draining_takes_no_new_clients(engine: Engine, state: State) -> None:
    half = connect(state)
    half.sendall(b'{"id": "ha')
    time.sleep(0.1)
    engine.process.send_signal(signal.SIGTERM)
    until(lambda: not os.path.exists(state.socket))
    with pytest.raises(FileNotFoundError):
        connect(state)
    half.close()
    assert engine.end() == 0


def test_after_a_kill_the_next_engine_takes_over_and_says_so(launch: Callable[..., Engine], state: State) -> None:
    first = launch().ready()
    before = ask(state, id="before", nonce="n1")
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    assert os.path.exists(state.socket)
    launch().ready()
    assert ask(state, id="after")["level"] == "allow"
    assert ask(state, id="before", nonce="n1")["seq"] == before["seq"]
    starts = [entry.data["previous"] for entry in recorded(state) if entry.data.get("event") == "start"]
    assert starts == ["stopped", "killed"]
    assert incidents(state) == []


def test_of_eight_engines_at_once_one_serves(launch: Callable[..., Engine], state: State) -> None:
    engines = [launch() for _ in range(8)]
    until(lambda: sum(engine.process.poll() is not None for engine in engines) == 7)
    until(lambda: os.path.exists(f"{state.run}/status.json"))
    left = [engine for engine in engines if engine.process.poll() is None]
    assert len(left) == 1
    assert ask(state, id="t")["level"] == "allow"
    losers = [engine for engine in engines if engine not in left]
    assert {engine.end() for engine in losers} == {1}
    assert all("another engine is running" in engine.said for engine in losers)
    assert events(state) == ["start"]


def test_a_hangup_signal_reloads_at_once(engine: Engine, state: State) -> None:
    Path(state.home, "world.json").write_text('{"hook.deadline_ms": 2000}')
    engine.process.send_signal(signal.SIGHUP)
    until(lambda: any(entry.kind == "config" for entry in recorded(state)))
    assert engine.process.poll() is None


def test_a_bad_edit_keeps_serving_and_is_an_incident(engine: Engine, state: State) -> None:
    policy = {entry.data["policy"] for entry in recorded(state) if entry.kind == "engine"}
    Path(state.home, "world.json").write_text("{nonsense")
    assert until(lambda: incidents(state))[0] == "config"
    ask(state, id="t")
    assert {entry.data["policy"] for entry in recorded(state) if entry.kind == "decision"} == policy


def test_an_idle_engine_ends_itself_when_asked_to(launch: Callable[..., Engine], state: State) -> None:
    Path(state.home, "world.json").write_text('{"engine.idle_exit_s": 1}')
    engine = launch().ready()
    assert engine.process.wait(30) == 0
    assert events(state) == ["start", "stop"]


def test_the_status_tells_what_was_done(engine: Engine, state: State) -> None:
    for at in range(3):
        ask(state, id=f"t{at}")
    said = until(lambda: (s := EngineStatus(state).told()).get("requests", {}).get("served") == 3 and s)
    assert said["running"]
    assert said["pid"] == engine.process.pid
    assert said["ledger"]["seq"] == recorded(state)[-1].seq
    assert said["problems"] == []
    engine.end()
    assert EngineStatus(state).told()["running"] is False


def test_checkpoints_are_signed_by_count(launch: Callable[..., Engine], state: State) -> None:
    Path(state.home, "world.json").write_text('{"audit.checkpoint_entries": 5}')
    launch().ready()
    for at in range(8):
        ask(state, id=f"t{at}")

    def signed() -> int:
        con = sqlite3.connect(f"file:{state.audit}?mode=ro", uri=True)
        try:
            return int(con.execute("SELECT count(*) FROM checkpoint").fetchone()[0])
        finally:
            con.close()

    assert until(signed) == 1


def test_the_log_turns_over_and_stays_small(state: State) -> None:
    log = EngineLog(state.log)
    saved = os.dup(2)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    try:
        for at in range(3000):
            log.write(f"{at} " + "x" * 900 + "\x1b[2J")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(quiet)
        log.close()
    sizes = {name: os.path.getsize(f"{state.root}/{name}") for name in os.listdir(state.root) if "log" in name}
    assert sorted(sizes) == ["engine.log", "engine.log.1"]
    assert all(size <= MAX_BYTES for size in sizes.values())
    assert os.stat(state.log).st_mode & 0o777 == 0o600
    text = Path(state.log).read_text()
    assert text.splitlines()[-1].split()[2] == "2999"
    assert "\x1b" not in text


def test_a_detached_engines_output_follows_its_log(state: State) -> None:
    code = (
        "import os, sys\n"
        "from bk.engine.service.log import EngineLog, open_log\n"
        "fd = open_log(sys.argv[1]); os.dup2(fd, 1); os.dup2(fd, 2)\n"
        "log = EngineLog(sys.argv[1])\n"
        "for _ in range(1200): log.write('x' * 950)\n"
        "sys.stderr.write('a traceback would be here\\n')\n"
    )
    subprocess.run([sys.executable, "-c", code, state.log], check=True, timeout=20)
    assert Path(state.log).read_text().endswith("a traceback would be here\n")
    assert Path(f"{state.log}.1").exists()


@pytest.mark.parametrize("seconds", [3, pytest.param(8, marks=pytest.mark.long)])
def test_idling_costs_next_to_nothing(engine: Engine, state: State, seconds: int) -> None:
    ask(state, id="t")
    time.sleep(0.5)

    def spent() -> float:
        fields = Path(f"/proc/{engine.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, began = spent(), time.monotonic()
    time.sleep(seconds)
    assert (spent() - before) / (time.monotonic() - began) <= 0.04 / seconds  # the clock ticks in hundredths


def test_a_killed_engine_leaves_every_answer_recorded(launch: Callable[..., Engine], state: State) -> None:
    answers: list[dict[str, object]] = []
    stop = threading.Event()

    def client(name: int) -> None:
        at = 0
        while not stop.is_set():
            at += 1
            try:
                answers.append(ask(state, id=f"{name}-{at}", nonce=f"{name}-{at}"))
            except (OSError, json.JSONDecodeError):
                time.sleep(0.005)

    threads = [threading.Thread(target=client, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        engine = launch().ready()
        time.sleep(0.15)
        engine.end(signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    held = [str(entry.data.get("tool_use_id")) for entry in recorded(state) if entry.kind == "decision"]
    answered = [str(answer["id"]) for answer in answers if answer.get("level")]
    assert len(answered) > 50
    assert all(held.count(one) == 1 for one in answered)


@pytest.mark.long
def test_a_long_segment_is_closed_while_the_engine_serves(state: State) -> None:
    Path(state.home, "world.json").write_text(json.dumps({"audit.segment_entries": 16}))
    engine = Engine(state).ready()
    try:
        for number in range(40):
            ask(state, id=f"n{number}")
        until(lambda: list(Path(state.root).glob("audit-1-*.db")), 25)
        assert ask(state, id="after")["seq"] > 40
    finally:
        engine.end()
    report = verify(state)
    assert report.ok, report.problems


def test_what_does_not_fit_the_chain_is_told_and_not_signed(state: State) -> None:
    Path(state.home, "world.json").write_text(json.dumps({"audit.checkpoint_entries": 5}))
    engine = Engine(state).ready()
    try:
        ask(state, id="one")
        with sqlite3.connect(state.audit) as con:
            con.execute("UPDATE entry SET body = replace(body, 'start', 'START') WHERE seq = 1")
        con.close()
        for number in range(6):
            ask(state, id=f"n{number}")
        until(lambda: "ledger-damaged" in incidents(state))
    finally:
        engine.end()
    report = verify(state)
    assert not report.ok
    assert report.problems[0].seq == 1
