"""Names are written by attackers: whatever an entry holds, nothing raises, acts, or reaches the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from bk.engine.model import Entry
from bk.tui.screens.page import Page
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
@pytest.mark.parametrize("number", range(len(STORABLE)))
async def test_every_pane_is_inert(board: Board, number: int, size: tuple[int, int]) -> None:
    text = STORABLE[number]
    board.write(*wicked(text))
    async with running(board, size):
        for keys in (("j",), ("j",), ("j",), ("tab",), ("j",), ("enter",)):
            await board.pilot.press(*keys)
            shown = board.text()
            assert all(char == "\n" or char.isprintable() for char in shown), repr(shown)
            assert all(cell_len(line) <= size[0] for line in shown.splitlines())
        assert isinstance(board.app.screen, Page)
        await board.pilot.click("#page-text", offset=(3, 3))
        await board.pilot.press("escape")
        assert board.app.is_running, "a click on shown text ran an action"
