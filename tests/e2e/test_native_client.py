"""The hook as it is installed: real clients, the real decision, a real engine and a real ledger."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.service import lifecycle
from bk.engine.state import State
from tests.unit.hook_client.stand import ROOT, Done, compiled, dead_end

SCRIPTS = ROOT / "bk/hook/native/scripts"


def payload(tool: str, given: dict[str, str], event: str = "PreToolUse") -> bytes:
    said = {"hook_event_name": event, "tool_name": tool, "tool_input": given, "cwd": "/tmp", "session_id": "s"}
    return json.dumps(said).encode()


ALLOWED = payload("Bash", {"command": "git status && ls"})
BLOCKED = payload("Bash", {"command": "cat ~/.ssh/id_rsa"})


class Hook:
    """A folder with everything that an installer puts into `bin`, and a home without an engine."""

    def __init__(self, folder: Path, binary: Path | None) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copy(SCRIPTS / "bk-hook.sh" if binary is None else binary, self.bin / "bk-hook")
        (self.bin / "bk-hook").chmod(0o755)
        text = (SCRIPTS / "bk-hook-python.py").read_text()
        assert text.startswith("#!python\n"), "installers rewrite this line only"
        (self.bin / "bk-hook-python").write_text(text.replace("#!python", f"#!{sys.executable}", 1))
        (self.bin / "bk-hook-python").chmod(0o755)
        home = folder / "home"
        home.mkdir()
        self.state = State(f"{home}/.bk", str(home), os.geteuid())
        self.env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    def call(self, name: str, stdin: bytes, *, env: dict[str, str] | None = None) -> Done:
        """Run `bk-hook` or `bk-hook-python`."""
        started = time.monotonic()
        done = subprocess.run(
            [str(self.bin / name), "--harness", "claude-code"],
            input=stdin,
            capture_output=True,
            env=self.env | (env or {}),
            cwd="/tmp",
            timeout=30,
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - started)

    def entries(self) -> list[Entry]:
        """What the ledger holds of calls."""
        ledger = Ledger.open(self.state, create=False)
        try:
            return [entry for entry in ledger.entries(limit=1000) if entry.kind in ("decision", "result")]
        finally:
            ledger.close()

    def stop(self) -> None:
        """Stop the engine that a cold call left, even one that is only starting: it holds the lock until it serves."""
        if not os.path.isdir(self.state.run):
            return
        lock = os.open(f"{self.state.run}/starting.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        lifecycle.stop(self.state)
        os.close(lock)

    def engine_up(self) -> bool:
        """Wait for the engine that a cold call leaves behind."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            if os.path.exists(self.state.socket):
                return True
            time.sleep(0.05)
        return False


@pytest.fixture(scope="module")
def binary() -> Iterator[Path]:
    target, report = compiled()
    if target is None:
        pytest.skip(f"needs a C compiler: {report['reason']}")
    yield target
    shutil.rmtree(target.parent)


@pytest.fixture
def hook(binary: Path) -> Iterator[Hook]:
    folder = dead_end()
    made = Hook(folder, binary)
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def uncompiled() -> Iterator[Hook]:
    folder = dead_end()
    made = Hook(folder, None)
    yield made
    made.stop()
    shutil.rmtree(folder)


def test_the_first_call_is_decided_recorded_and_leaves_an_engine(hook: Hook) -> None:
    first = hook.call("bk-hook", ALLOWED)
    assert first.said == (0, b"", b"")
    assert [entry.level for entry in hook.entries()] == ["allow"]
    assert hook.engine_up()
    second = hook.call("bk-hook", BLOCKED)
    assert "id_rsa" in second.reason
    recorded = hook.entries()
    assert [entry.level for entry in recorded] == ["allow", "block"]
    assert all(len(entry.call) == 32 for entry in recorded)
    assert recorded[0].call != recorded[1].call


CALLS = {
    "allow": ALLOWED,
    "block": BLOCKED,
    "post": payload("Bash", {"command": "ls"}, "PostToolUse"),
    "empty": b"",
    "not json": b"hello",
    "twice": b'{"tool_name":"Bash","tool_name":"Read","tool_input":{}}',
    "nul": b'{"tool_name":"Bash\\u0000","tool_input":{}}',
    "trailing": ALLOWED + b"{}",
    "too large": b" " * (1 << 20) + ALLOWED,
    "unknown event": payload("Bash", {"command": "ls"}, "Whatever"),
}


def test_warm_and_cold_native_and_python_give_the_same_bytes(hook: Hook) -> None:
    hook.state.ensure()
    lock = os.open(f"{hook.state.run}/starting.lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # so that no cold call leaves an engine
    cold = {name: hook.call("bk-hook", body) for name, body in CALLS.items()}
    for name, body in CALLS.items():
        assert hook.call("bk-hook-python", body).said == cold[name].said, name
    assert not os.path.exists(hook.state.socket)
    os.close(lock)
    lifecycle.start(hook.state)
    for name, body in CALLS.items():
        assert hook.call("bk-hook", body).said == cold[name].said, name
        assert hook.call("bk-hook-python", body).said == cold[name].said, name
    assert {name: done.code for name, done in cold.items() if done.code == 0}.keys() == {"allow", "post"}
    assert len(hook.entries()) == 4 * len(CALLS), "every answer has its entry"


def test_without_a_compiler_the_hook_is_the_same(uncompiled: Hook) -> None:
    assert uncompiled.call("bk-hook", ALLOWED).said == (0, b"", b"")
    assert uncompiled.engine_up()
    assert "id_rsa" in uncompiled.call("bk-hook", BLOCKED).reason
    assert [entry.level for entry in uncompiled.entries()] == ["allow", "block"]


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONINSPECT", "PYTHONSTARTUP", "LD_LIBRARY_PATH"])
def test_interpreter_variables_of_a_project_change_nothing(hook: Hook, name: str, tmp_path: Path) -> None:
    """A module that would say yes lies where the variable points."""
    for module in ("json", "os", "sitecustomize", "bk"):
        (tmp_path / f"{module}.py").write_text("import posix; posix._exit(0)")
    assert hook.call("bk-hook", BLOCKED, env={name: str(tmp_path)}).code == 2


def test_a_killed_engine_costs_no_answer(hook: Hook) -> None:
    hook.call("bk-hook", ALLOWED)
    assert hook.engine_up()
    there = lifecycle.start(hook.state)
    os.kill(there.pid, 9)
    until = time.monotonic() + 5
    while os.path.exists(f"/proc/{there.pid}") and time.monotonic() < until:
        time.sleep(0.01)
    assert os.path.exists(hook.state.socket), "a stale socket is the point of this test"
    assert hook.call("bk-hook", ALLOWED).said == (0, b"", b"")
    assert len(hook.entries()) == 2


def test_a_stopped_engine_is_a_denial_in_time(hook: Hook) -> None:
    hook.call("bk-hook", ALLOWED)
    assert hook.engine_up()
    there = lifecycle.start(hook.state)
    os.kill(there.pid, 19)
    try:
        done = hook.call("bk-hook", ALLOWED)
    finally:
        os.kill(there.pid, 18)
    assert "no decision before the deadline" in done.reason
    assert done.took < 10  # five seconds are promised; what holds the processor meanwhile is not the client's


def test_a_state_that_cannot_be_used_is_a_denial(hook: Hook) -> None:
    Path(hook.state.root).write_text("")
    for name in ("bk-hook", "bk-hook-python"):
        assert hook.call(name, ALLOWED).code == 2
