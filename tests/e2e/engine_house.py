"""An installation of its own for end-to-end tests of the engine: real binaries, a real ledger, stopped by pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.service.lock import holder, start_ticks
from bk.engine.state import State

BIN = Path(sys.executable).parent
NATIVE = BIN / "bk-hook"
CLIENT = "import sys; from bk.hook.client import main; main(sys.argv[1:])"


def hook() -> list[str]:
    """The client that this installation's harnesses would run."""
    return [str(NATIVE)] if NATIVE.exists() else [sys.executable, "-I", "-c", CLIENT]


def until(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of `what`; fails the test when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


class House:
    """A home directory with a state directory in it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.project = Path(state.home, "project")
        self.project.mkdir(exist_ok=True)
        self.env = {"HOME": state.home, "BK_HOME": state.root, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def bk(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `bk` as a person would."""
        return subprocess.run(
            [sys.executable, "-m", "bk", *words],
            env=self.env,
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def call(self, command: str, ident: str = "", timeout: float = 30) -> subprocess.CompletedProcess[bytes]:
        """Ask the hook about a shell command."""
        payload = {
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": command},
            "tool_use_id": ident,
            "session_id": "s",
            "cwd": str(self.project),
        }
        return subprocess.run(
            [*hook(), "--harness", "claude-code"],
            input=json.dumps(payload).encode(),
            env=self.env,
            cwd=self.project,
            capture_output=True,
            timeout=timeout,
        )

    def engine(self) -> int:
        """The pid of the engine that runs; 0 when none does."""
        there = holder(self.state.engine_lock)
        return there.pid if there is not None and there.known else 0

    def serving(self) -> bool:
        """Whether there is an engine and a place where it listens: a call that comes now finds it."""
        return bool(self.engine()) and os.path.exists(self.state.socket)

    def soon(self, code: int, saying: str = "") -> subprocess.CompletedProcess[bytes]:
        """The first harmless call that ends like this: what the engine notices, it notices in its own time."""

        def ended() -> subprocess.CompletedProcess[bytes] | None:
            done = self.call("ls")
            return done if done.returncode == code and saying in done.stderr.decode() else None

        found: subprocess.CompletedProcess[bytes] = until(ended)
        return found

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the engine, by its pid."""
        pid = self.engine()
        if pid:
            os.kill(pid, number)
            until(lambda: not start_ticks(pid))

    def quiet(self) -> None:
        """End whatever engine runs, and the one that may just be starting."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self.kill()
            time.sleep(0.1)
            if not self.engine() and not engines_of(self.state):
                return

    def entries(self) -> list[Entry]:
        """Everything in the ledger."""
        ledger = Ledger.open(self.state, create=False)
        found: list[Entry] = []
        try:
            while batch := ledger.entries(after=found[-1].seq if found else 0, limit=2000):
                found += batch
        finally:
            ledger.close()
        return found


def engines_of(state: State) -> list[int]:
    """The engine processes of this installation, found without believing its files."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            argv = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            env = Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"bk.serve" in argv and f"BK_HOME={state.root}".encode() in env and start_ticks(int(name)):
            found.append(int(name))
    return found
