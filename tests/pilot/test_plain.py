"""A terminal that has nothing but ASCII gets nothing else, and no column moves."""

from __future__ import annotations

import pytest

from bk.engine.state import State
from bk.text import cells
from bk.tui.app import Dashboard
from bk.tui.plain import plain, wanted
from tests.pilot.conftest import Board, decision, installed, running


def test_every_character_keeps_its_width() -> None:
    for text in ("● open", "╭─ ◆ HELD ─╮", "▁▂▇█", "日本語 npm", "e\u0301", "·▲?■◆"):
        assert plain(text).isascii()
        assert cells(plain(text)) == cells(text)
    assert plain("■ BLOCK  ◆ QUAR  ▲ warn") == "# BLOCK  Q QUAR  ! warn"


@pytest.mark.parametrize(
    ("asked", "said", "then"),
    [(True, ("utf-8",), True), (False, ("utf-8", "UTF8"), False), (False, ("ascii",), True), (False, (None,), False),
     (False, ("UTF-8", "ISO-8859-1"), True)],
)  # fmt: skip
def test_it_is_asked_for_or_the_terminal_has_nothing_else(
    asked: bool, said: tuple[str | None, ...], then: bool
) -> None:
    assert wanted(asked, said) is then


@pytest.mark.parametrize("screens", ["24", pytest.param("1356789", marks=pytest.mark.long)])
async def test_every_screen_is_ascii_then(state: State, screens: str) -> None:
    board = Board(state, first="overview")
    board.write(decision("cat ~/.ssh/id_rsa", "block"), decision("日本語 ✓", "warn"), decision("git status"))
    installed(state)
    board.app = Dashboard(board.session, first="overview", gate=board.gate, plain=True)
    async with running(board, (120, 30)):
        for key in screens:
            await board.press(key)
            await board.until(lambda: board.front._shown, 15)
            shown = board.text()
            assert shown.isascii(), sorted({each for each in shown if not each.isascii()})
            assert {cells(line) for line in shown.splitlines()} == {120}
        await board.press("2")
        await board.until(lambda: "# BLOCK" in board.text(), 15)
        await board.press("question_mark")
        await board.until(lambda: "keys of incidents" in board.text(), 15)
        assert board.text().isascii()
