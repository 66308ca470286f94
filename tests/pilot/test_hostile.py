"""Names are written by attackers: whatever an entry holds, nothing raises, acts, or reaches the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.state import State
from bk.tui.screens.page import Page
from bk.tui.widgets.lines import LineList
from tests.pilot.conftest import Board, decision, installed, running
from tests.unit.text.test_inert import HOSTILE

STORABLE = [text.encode("utf-8", "replace").decode() for text in HOSTILE]


def wicked(text: str) -> list[Entry]:
    finding = {
        "rule": text,
        "level": "block",
        "reason": text,
        "instead": text,
        "target": text,
        "evidence": {text: [text]},
    }
    action = {"do": text, "mode": text, "target": text, "via": [text], "certain": False}
    data = {
        "harness": text,
        "event": "pre",
        "tool": text,
        "kind": text,
        "cwd": text,
        "session": text,
        "input": {"command": text},
        "actions": [action],
        "findings": [finding],
        "reason": text,
        "failure": text,
        "agent": {"BK_AGENT_ID": text},
        "policy": text,
        "index": text,
    }
    return [
        Entry("decision", text, data, level="block"),
        Entry(
            "incident",
            text,
            {"incident": text, "title": text, "detail": text, "next_step": text, text: text},
            level="warn",
        ),
        Entry("admin", text, {"verb": text, "incident": text}),
        decision(text, "warn"),
    ]


@pytest.mark.parametrize(
    ("screen", "size"),
    [("overview", (80, 24)), ("overview", (120, 40)), ("incidents", (80, 24)), ("activity", (120, 40))],
)
async def test_every_pane_is_inert(state: State, screen: str, size: tuple[int, int]) -> None:
    board = Board(state, first=screen)
    board.write(*(entry for text in STORABLE for entry in wicked(text)))
    for number, text in enumerate(STORABLE):
        installed(state, text.replace("\0", "?"), path=f"/p/{number}/{text[:200]}")
    async with running(board, size):
        harmless(board.text(), size)
        tables = board.front.query(LineList)
        if not tables:
            await board.pilot.click("#cards", offset=(12, 3))
            assert board.app.is_running, "a click on shown text ran an action"
            return
        rows = board.rows
        await board.until(lambda: rows.rows.count() > len(STORABLE))
        for at in range(rows.rows.count()):
            rows.pick(at)
            told = board.front.explained()
            assert told is not None
            harmless(told[1](size[0]).plain, size)
            if at % 20 == 0:
                await board.pilot.pause()
                harmless(board.text(), size)
        for _ in range(3):
            await board.press("enter")
            assert isinstance(board.app.screen, Page)
            harmless(board.text(), size)
            for row in (3, 6, 9):
                await board.pilot.click("#page-text", offset=(8, row))
            assert board.app.is_running, "a click on shown text ran an action"
            await board.press("escape", *("k" * 7))


@pytest.mark.usefixtures("at_a_terminal")
async def test_every_question_and_toast_is_inert(state: State) -> None:
    for number, text in enumerate(STORABLE):
        installed(state, text.replace("\0", "?"), path=f"/p/{number}/{text[:200]}")
    board = Board(state, first="incidents")
    async with running(board):
        await board.until(lambda: board.rows.rows.count() == len(STORABLE))
        for at in range(0, len(STORABLE), 9):
            board.rows.pick(at)
            for key in ("A", "x"):
                await board.press(key)
                harmless(board.text(), (100, 30))
                await board.press("escape")
            board.front.say(STORABLE[at])
            board.app.trouble(BkError(STORABLE[at], STORABLE[at], STORABLE[at]))
            await board.press("comma")
            harmless(board.text(), (100, 30))
            await board.press("escape")


def harmless(shown: str, size: tuple[int, int]) -> None:
    assert all(char == "\n" or char.isprintable() for char in shown), ascii(shown)
    assert all(cell_len(line) <= size[0] for line in shown.splitlines())
