"""A dashboard on a real ledger in a throw-away state, and the hand that writes to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from bk.engine.console.session import Session
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.tui.app import Dashboard
from bk.tui.screens.live import Live


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


class Board:
    """A running dashboard and its ledger."""

    def __init__(self, state: State, *, why_not_admin: str = "") -> None:
        self.state = state
        self.session = Session(state, why_not_admin=why_not_admin, host="laptop-7", shown_root="~/.bk")
        self.app = Dashboard(self.session)
        self.pilot: Pilot[None]

    def write(self, *entries: Entry) -> list[Entry]:
        ledger = Ledger.open(self.state)
        try:
            return ledger.append(entries)
        finally:
            ledger.close()

    @property
    def live(self) -> Live:
        screen = self.app.screen_stack[1]
        assert isinstance(screen, Live)
        return screen

    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, true: Callable[[], bool], patience: float = 5.0) -> float:
        """Wait for a condition; how long it took."""
        started = time.monotonic()
        while not true():
            if time.monotonic() - started > patience:
                raise AssertionError(f"it did not come true; the screen shows:\n{self.text()}")
            await asyncio.sleep(0.01)
        await self.pilot.pause()
        return time.monotonic() - started


@asynccontextmanager
async def running(board: Board, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Board]:
    async with board.app.run_test(size=size, notifications=True) as pilot:
        board.pilot = pilot
        await board.until(lambda: len(board.app.screen_stack) > 1 and board.live._empty is not None)
        await pilot.pause()
        yield board
        board.app.exit()
    board.session.close()


@pytest.fixture
def board(state: State) -> Board:
    return Board(state)
