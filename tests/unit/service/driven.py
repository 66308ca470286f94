"""Drives a line engine from a test: start it as a process, talk to it, look at what it recorded."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.service.lock import holder
from bk.engine.state import State

SCRIPT = str(Path(__file__).with_name("line_engine.py"))


def until(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of `what`; fails the test when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


class Engine:
    """One line engine process."""

    def __init__(self, state: State, **options: Any) -> None:
        self.state = state
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, state.home], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options
        )

    def ready(self) -> Engine:
        """Wait until it serves."""
        until(lambda: self.answers() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[1]
        return self

    def answers(self) -> bool:
        held = holder(self.state.engine_lock)
        return held is not None and held.pid == self.process.pid and os.path.exists(f"{self.state.run}/status.json")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to this very process and wait for it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert self.process.stderr
        self.said = self.process.stderr.read().decode()
        self.process.stderr.close()
        return code


def connect(state: State, timeout: float = 30.0) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect(state.socket)
    return sock


def hear(sock: socket.socket) -> dict[str, Any]:
    """The reply, or {} when the engine hung up without one."""
    data = b""
    while not data.endswith(b"\n"):
        try:
            more = sock.recv(1 << 20)
        except ConnectionResetError:
            break
        if not more:
            break
        data += more
    sock.close()
    return json.loads(data) if data.endswith(b"\n") else {}


def ask(state: State, **said: Any) -> dict[str, Any]:
    """One request, one reply."""
    sock = connect(state)
    sock.sendall(json.dumps(said).encode() + b"\n")
    return hear(sock)


def recorded(state: State) -> list[Entry]:
    """Everything in the ledger."""
    ledger = Ledger.open(state, create=False)
    found: list[Entry] = []
    try:
        while batch := ledger.entries(after=found[-1].seq if found else 0, limit=1000):
            found += batch
    finally:
        ledger.close()
    return found


def incidents(state: State) -> list[str]:
    return [str(entry.data["incident"]) for entry in recorded(state) if entry.kind == "incident"]
