"""A dashboard on a real ledger in a throw-away state, and the hand that writes to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import _wait
from textual.pilot import Pilot

from bk.engine.console import gate
from bk.engine.console.session import Session
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder.gate import Ruling
from bk.engine.responder.incidents import Book, Incident, key
from bk.engine.state import State
from bk.tui.app import Dashboard
from bk.tui.gate import Gate
from bk.tui.screens.base import Base
from bk.tui.widgets.lines import LineList


def decision(
    command: str, level: str = "allow", *, rule: str = "sensitive/path", target: str = "", **data: Any
) -> Entry:
    """A decision entry as the hook writes it."""
    findings = [] if level == "allow" else [{"rule": rule, "level": level, "reason": f"because of {command}"}]
    if findings and target:
        findings[0]["target"] = target
    said = {
        "harness": "claude-code",
        "event": "pre",
        "tool": "Bash",
        "kind": "shell",
        "cwd": "/home/ada/src",
        "session": "s1",
        "input": {"command": command},
        "actions": [{"do": "run", "target": command}],
        "findings": findings,
        "policy": "aa11",
        "index": "g1",
        "took_us": 700,
        **data,
    }
    return Entry("decision", "hook:claude-code", said, level=level)


def installed(
    state: State, name: str = "left-padd", *, kind: str = "warn", path: str = "/home/ada/nm/x", at: int = 0
) -> Incident:
    """Something the responder found installed, in its book."""
    ident = key("npm", name, "1.3.1", path)
    evidence = [{"group": "ossf", "id": "MAL-1"}, {"group": "osv", "id": "MAL-2"}]
    found = Incident(
        ident, "npm", name, "1.3.1", path, path, "open", "critical", ("ossf", "osv"), evidence, "two say so"
    )
    with Book(state, write=True) as book:
        return book.saw(found, Ruling(kind, "two independent sources say so"), at or int(time.time() * 1000))[0]


class Board:
    """A running dashboard and its ledger."""

    def __init__(self, state: State, *, why_not_admin: str = "", first: str = "activity", idle: float = 600.0) -> None:
        self.state = state
        self.session = Session(state, why_not_admin=why_not_admin, host="laptop-7", shown_root="~/.bk")
        self.gate = Gate(why_not_admin, again=self.session.ask_again, idle=idle)
        self.app = Dashboard(self.session, first=first, gate=self.gate)
        self.pilot: Pilot[str]

    def write(self, *entries: Entry) -> list[Entry]:
        ledger = Ledger.open(self.state)
        try:
            return ledger.append(entries)
        finally:
            ledger.close()

    def entries(self) -> list[Entry]:
        ledger = Ledger.open(self.state)
        try:
            return ledger.entries(limit=1000)
        finally:
            ledger.close()

    @property
    def front(self) -> Base:
        front = self.app.front
        assert front is not None
        return front

    @property
    def rows(self) -> LineList:
        return self.front.query_one(LineList)

    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, true: Callable[[], bool], patience: float = 30.0) -> float:
        """Wait for a condition; how long it took."""
        started = time.monotonic()
        while not true():
            if time.monotonic() - started > patience:
                raise AssertionError(f"it did not come true; the screen shows:\n{self.text()}")
            await asyncio.sleep(0.01)
        await self.pilot.pause()
        return time.monotonic() - started

    async def sees(self, text: str, patience: float = 30.0) -> float:
        if text in self.text():
            return 0.0
        return await self.until(lambda: text in self.text(), patience)


# After each key the pilot waits until the process rests for so long. Tests wait for what they assert, not for that.
_wait.SLEEP_GRANULARITY = 1 / 200
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 20


@asynccontextmanager
async def running(board: Board, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Board]:
    async with board.app.run_test(size=size, notifications=True) as pilot:
        board.pilot = pilot
        await board.until(lambda: board.app.front is not None and board.front._shown)
        await pilot.pause()
        yield board
        board.app.exit()
    board.session.close()


@pytest.fixture
def board(state: State) -> Board:
    return Board(state)


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a person ran the tests at a terminal of their own."""
    monkeypatch.setattr(gate, "_has_terminal", lambda path: True)
    monkeypatch.setattr(gate, "ancestors", lambda pid: [])
