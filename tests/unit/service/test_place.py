"""An engine's place on disk: its lock and its socket are taken whole, kept, and taken back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.service.endpoint import Endpoint
from bk.engine.service.lock import EngineLock, holder, start_ticks
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


def squat(path: str, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", SQUAT, path, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


def finish(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


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


def test_a_directory_that_others_may_enter_is_refused(state: State) -> None:
    os.chmod(state.run, 0o755)
    with pytest.raises(BkError, match="open to others"):
        Endpoint(state)


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
        until(lambda: incidents(state))
        assert ask(state, id="t")["level"] == "allow"
        [incident] = [entry for entry in recorded(state) if entry.kind == "incident"]
        assert incident.data["incident"] == "socket-planted"
        assert f"process {squatter.pid}" in incident.data["detail"]
    finally:
        finish(squatter)


def test_a_socket_that_is_removed_comes_back(engine: Engine, state: State) -> None:
    os.unlink(state.socket)
    until(lambda: os.path.exists(state.socket))
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
    assert until(lambda: incidents(state)) == ["lock-replaced"]


def test_a_stale_file_in_the_sockets_place_is_replaced_quietly(launch: Callable[..., Engine], state: State) -> None:
    Path(state.socket).write_text("not a socket")
    launch().ready()
    assert ask(state, id="t")["level"] == "allow"
    assert incidents(state) == []


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
