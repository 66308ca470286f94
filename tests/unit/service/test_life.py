"""An engine's life: one at a time, ended in order or killed, with its place on disk taken, kept and defended."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.service import endpoint as endpoint_module
from bk.engine.service import server
from bk.engine.service.lock import EngineLock, holder, start_ticks
from bk.engine.service.log import MAX_BYTES, EngineLog
from bk.engine.service.status import EngineStatus
from bk.engine.state import State
from tests.unit.service.driven import SCRIPT, Engine, ask, connect, hear, incidents, recorded, until

SQUAT = """
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
if sys.argv[2] == "replace":
    os.unlink(sys.argv[1])
s.bind(sys.argv[1]); s.listen(); print("up", flush=True); time.sleep(60)
"""


HANDED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"] = str(os.getpid()), "1"
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def events(state: State) -> list[str]:
    return [str(entry.data["event"]) for entry in recorded(state) if entry.kind == "engine"]


def squat(path: str, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", SQUAT, path, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


def finish(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


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
    assert server.DRAIN_S - 0.5 < time.monotonic() - began < server.DRAIN_S + 1.5


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


def test_the_lock_is_free_the_moment_its_holder_is_killed(engine: Engine, state: State) -> None:
    held = holder(state.engine_lock)
    assert held is not None
    assert (held.pid, held.known, held.start) == (engine.process.pid, True, start_ticks(engine.process.pid))
    with pytest.raises(BkError, match="another engine is running"):
        EngineLock.take(state.engine_lock, version="t", patience_s=0.05)
    engine.end(signal.SIGKILL)
    assert holder(state.engine_lock) is None
    lock = EngineLock.take(state.engine_lock, version="t")
    assert lock.leftover == engine.process.pid
    lock.release()


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"pid": "x"}', b'{"pid": 1e400}', b'{"pid": 1, "start": 1}'])
def test_a_lock_held_by_something_else_names_nobody(state: State, text: bytes) -> None:
    lock = EngineLock.take(state.engine_lock, version="t")
    os.ftruncate(lock.fd, 0)
    os.pwrite(lock.fd, text, 0)
    held = holder(state.engine_lock)
    assert held is not None
    assert not held.known
    assert "not the engine" in EngineStatus(state).problems[0]
    lock.release()


def test_the_engine_does_not_follow_a_link_in_its_place(state: State, launch: Callable[..., Engine]) -> None:
    Path(state.engine_lock).symlink_to("/tmp/elsewhere")
    engine = launch()
    assert engine.process.wait(10) != 0
    assert not os.path.lexists("/tmp/elsewhere")


def test_a_directory_that_others_may_enter_is_refused(state: State, launch: Callable[..., Engine]) -> None:
    os.chmod(state.run, 0o755)
    endpoint_refused = pytest.raises(BkError, match="open to others")
    with endpoint_refused:
        endpoint_module.Endpoint(state, {os.geteuid()})


def test_a_planted_socket_is_reported_and_replaced(launch: Callable[..., Engine], state: State) -> None:
    squatter = squat(state.socket, "new")
    try:
        said = EngineStatus(state)
        assert not said.running
        assert f"process {squatter.pid}" in said.problems[0]
        engine = launch().ready()
        assert ask(state, id="t")["level"] == "allow"
        [incident] = [entry for entry in recorded(state) if entry.kind == "incident"]
        assert incident.data["incident"] == "socket-planted"
        assert f"process {squatter.pid}" in incident.data["detail"]
        assert any("engine's place" in problem for problem in EngineStatus(state).problems)
        engine.end()
        assert "something else listened in the engine's place" in engine.said
    finally:
        finish(squatter)


def test_a_socket_that_is_replaced_later_is_taken_back(engine: Engine, state: State) -> None:
    squatter = squat(state.socket, "replace")
    try:
        until(lambda: incidents(state), 5)
        assert ask(state, id="t")["level"] == "allow"
        [incident] = [entry for entry in recorded(state) if entry.kind == "incident"]
        assert incident.data["incident"] == "socket-planted"
        assert f"process {squatter.pid}" in incident.data["detail"]
    finally:
        finish(squatter)


def test_a_socket_that_is_removed_comes_back(engine: Engine, state: State) -> None:
    os.unlink(state.socket)
    until(lambda: os.path.exists(state.socket), 5)
    assert ask(state, id="t")["level"] == "allow"
    assert until(lambda: incidents(state)) == ["socket-removed"]


def test_who_listens_in_the_engines_place_shows_in_the_status(engine: Engine, state: State) -> None:
    engine.process.send_signal(signal.SIGSTOP)  # so that it cannot take the path back meanwhile
    squatter = squat(state.socket, "replace")
    try:
        assert any(f"process {squatter.pid}" in problem for problem in EngineStatus(state).problems)
    finally:
        finish(squatter)
        engine.process.send_signal(signal.SIGCONT)


def test_a_replaced_lock_file_is_an_incident(engine: Engine, state: State) -> None:
    os.rename(state.engine_lock, f"{state.run}/moved")
    Path(state.engine_lock).touch(mode=0o600)
    assert until(lambda: incidents(state), 5) == ["lock-replaced"]


def test_a_stale_file_in_the_sockets_place_is_replaced_quietly(launch: Callable[..., Engine], state: State) -> None:
    Path(state.socket).write_text("not a socket")
    launch().ready()
    assert ask(state, id="t")["level"] == "allow"
    assert incidents(state) == []


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
    assert engine.process.wait(10) == 0
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


def test_a_service_manager_can_hand_over_the_socket(launch: Callable[..., Engine], state: State) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(state.socket)
    os.chmod(state.socket, 0o600)
    listener.listen(16)
    inode = os.stat(state.socket).st_ino
    hello = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    hello.bind(f"{state.run}/notify")
    hello.settimeout(10)
    words = [sys.executable, "-c", HANDED, str(listener.fileno()), SCRIPT, state.home]
    env = {**os.environ, "NOTIFY_SOCKET": f"{state.run}/notify"}
    process = subprocess.Popen(words, pass_fds=[listener.fileno()], env=env, stderr=subprocess.PIPE)
    try:
        early = connect(state)
        early.sendall(b'{"id": "early"}\n')
        assert hear(early)["level"] == "allow"
        assert hello.recv(100).startswith(b"READY=1")
        assert os.stat(state.socket).st_ino == inode
        assert recorded(state)[0].data["activated"] is True
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert hello.recv(100) == b"STOPPING=1"
        assert os.stat(state.socket).st_ino == inode  # it stays the manager's, and the next client waits in it
        late = connect(state)
        late.sendall(b'{"id": "late"}\n')
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stderr
        process.stderr.close()
        hello.close()
    late.close()
    listener.close()


def test_a_handed_over_socket_in_another_place_is_refused(state: State) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{state.run}/other.sock")
    listener.listen()
    words = [sys.executable, "-c", HANDED, str(listener.fileno()), SCRIPT, state.home]
    done = subprocess.run(words, pass_fds=[listener.fileno()], capture_output=True, text=True, timeout=20)
    listener.close()
    assert done.returncode == 1
    assert "listens in another place" in done.stderr


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


def test_idling_costs_next_to_nothing(engine: Engine, state: State) -> None:
    ask(state, id="t")
    time.sleep(0.5)

    def spent() -> float:
        fields = Path(f"/proc/{engine.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, began = spent(), time.monotonic()
    time.sleep(8)
    assert (spent() - before) / (time.monotonic() - began) <= 0.005


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
