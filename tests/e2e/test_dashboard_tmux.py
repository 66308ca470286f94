"""The dashboard in a real terminal: what the person sees, and which bytes reach the terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Pane:
    """One tmux pane that runs a command, on a server of its own."""

    def __init__(self, folder: Path, command: str, home: str, size: tuple[int, int] = (100, 30)) -> None:
        self._socket = str(folder / "t.sock")
        self.bytes = folder / "bytes"
        env = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        width, height = map(str, size)
        started = ["-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", width, "-y", height, "cat"]
        subprocess.run(["tmux", "-S", self._socket, *started], env=env, cwd=home, check=True)
        self._tmux("pipe-pane", "-t", "t", "-o", f"cat > {shlex.quote(str(self.bytes))}")
        self._tmux("respawn-pane", "-k", "-t", "t", f"{command}; echo left with $?; sleep 60")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self._socket, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", "t", *keys)

    def text(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "t")

    def until(self, text: str, patience: float = 30.0) -> str:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            seen = self.text()
            if text in seen:
                return seen
            time.sleep(0.05)
        raise AssertionError(f"{text!r} did not appear in:\n{self.text()}")

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], capture_output=True)


@pytest.fixture
def pane(state: State, short_dir: Path) -> Iterator[Pane]:
    Path(state.root, "welcomed").touch()
    opened = Pane(short_dir, f"{shlex.quote(sys.executable)} -m bk dashboard --admin", state.home)
    yield opened
    opened.close()


def entry(command: str, level: str = "block") -> Entry:
    finding = {"rule": "path/secret", "level": level, "reason": "reads a private key", "target": command}
    data = {
        "harness": "claude-code",
        "event": "pre",
        "tool": "Bash",
        "kind": "shell",
        "cwd": "/home/ada",
        "input": {"command": command},
        "actions": [{"do": "run", "target": command}],
        "findings": [finding],
    }
    return Entry("decision", "hook:claude-code", data, level=level)


def write(state: State, *entries: Entry) -> None:
    ledger = Ledger.open(state)
    ledger.append(entries)
    ledger.close()


def test_a_blocked_call_appears_live_is_seen_and_is_recorded(pane: Pane, state: State) -> None:
    pane.until("Nothing has been decided yet")
    assert "ADMIN" in pane.text()
    write(state, entry("cat ~/.ssh/id_rsa"))
    shown = pane.until("cat ~/.ssh/id_rsa")
    assert "BLOCK" in shown
    pane.until("● 1 open")
    pane.press("2")
    pane.until("(a) seen" if "READ-ONLY" in shown else "a seen")
    pane.press("a")
    pane.until("is marked as seen")
    pane.until("○ seen")
    ledger = Ledger.open(state)
    last = ledger.entries(limit=10)[-1]
    ledger.close()
    assert (last.kind, last.data["verb"], last.data["seen"]) == ("admin", "acknowledge", 1)
    pane.press("q")
    pane.until("left with 0")


def test_no_escape_sequence_from_an_entry_reaches_the_terminal(pane: Pane, state: State) -> None:
    pane.until("Nothing has been decided yet")
    evil = "\x1b]52;c;cm0gLXJmIC8=\x07 \x1b[31;5mred\x1b[0m \x9b32m \u202egpj.exe [@click=app.quit]x[/] evil[/"
    write(state, entry(evil), Entry("incident", evil, {"incident": evil, "title": evil, "detail": evil}, level="warn"))
    pane.until("gpj.exe")
    for keys in (("2",), ("j",), ("Enter",), ("Escape",), ("3",), ("Enter",), ("Escape",), ("y",)):
        pane.press(*keys)
        time.sleep(0.2)
    pane.press("q")
    pane.until("left with 0")
    sent = pane.bytes.read_bytes().decode("utf-8", "replace")
    # y copies on purpose, as base64 of JSON; nothing else may speak OSC 52, and never with the entry's own payload
    assert "\x1b]52;c;cm0gLXJmIC8=" not in sent
    assert "\x1b[31;5m" not in sent
    assert "\x9b" not in sent
    assert "\u202e" not in sent
    assert "␛]52;c;" in sent, "the sequence is shown, not swallowed"


def test_an_agent_above_makes_it_read_only(state: State, short_dir: Path) -> None:
    agent = short_dir / "codex"
    agent.write_text(f"#!/bin/sh\n{shlex.quote(sys.executable)} -m bk dashboard --admin; true\n")
    agent.chmod(0o755)
    opened = Pane(short_dir, str(agent), state.home)
    try:
        opened.until("READ-ONLY")
        opened.press("?")
        opened.until("keys of overview")
        opened.press("G")
        opened.until("codex is process")
        opened.press("Escape")
        opened.until("Nothing has been decided yet")
        opened.press("q")
        opened.until("left with")
    finally:
        opened.close()
