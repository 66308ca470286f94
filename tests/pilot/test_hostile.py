"""Names are written by attackers: whatever an entry holds, nothing raises, acts, or reaches the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from bk.engine.model import Entry
from bk.tui.screens.page import Page
from bk.tui.widgets.activity import Activity
from bk.tui.widgets.cases import Cases
from tests.pilot.conftest import Board, decision, running
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


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_pane_is_inert(board: Board, size: tuple[int, int]) -> None:
    board.write(*(entry for text in STORABLE for entry in wicked(text)))
    async with running(board, size):
        cases = board.live.query_one(Cases)
        await board.until(lambda: cases.row_count() > len(STORABLE))
        for rows in (board.live.query_one(Activity), cases):
            for _ in range(rows.row_count()):
                rows.action_move(1)
                await board.pilot.pause()
                harmless(board.text(), size)
            await board.pilot.press("tab")
        await board.pilot.press("tab")
        for _ in range(5):
            await board.pilot.press("enter")
            assert isinstance(board.app.screen, Page)
            harmless(board.text(), size)
            for row in (3, 6, 9):
                await board.pilot.click("#page-text", offset=(8, row))
            assert board.app.is_running, "a click on shown text ran an action"
            await board.pilot.press("escape", *("k" * 7))


def harmless(shown: str, size: tuple[int, int]) -> None:
    assert all(char == "\n" or char.isprintable() for char in shown), repr(shown)
    assert all(cell_len(line) <= size[0] for line in shown.splitlines())
