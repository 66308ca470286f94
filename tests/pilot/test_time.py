"""Any moment of the ledger is a key and a few letters away; what is no moment is said while it can be mended."""

from __future__ import annotations

from array import array
from datetime import datetime

import pytest
from textual.widgets import Input

from bk.engine.console.seek import Spot, nearest, spot
from bk.engine.errors import BkError
from bk.engine.ledger.store import Ledger
from bk.engine.state import State
from bk.tui.screens.goto import GoTo
from tests.pilot.conftest import Board, decision, running

NOW = int(datetime(2026, 11, 21, 16, 0).astimezone().timestamp() * 1000)


def at(*said: int) -> Spot:
    return Spot(at_ms=int(datetime(*said).astimezone().timestamp() * 1000))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("14:30", at(2026, 11, 21, 14, 30)),
        ("9:05", at(2026, 11, 21, 9, 5)),
        ("23:50", at(2026, 11, 20, 23, 50)),
        ("today 23:50", at(2026, 11, 21, 23, 50)),
        ("yesterday 9:00", at(2026, 11, 20, 9, 0)),
        ("Yesterday", at(2026, 11, 20)),
        ("2026-11-20 10:00", at(2026, 11, 20, 10, 0)),
        ("2026-11-20 9:00:30", at(2026, 11, 20, 9, 0, 30)),
        ("2026-11-20T10:00", at(2026, 11, 20, 10, 0)),
        ("2026-11-20", at(2026, 11, 20)),
        ("-2h", Spot(at_ms=NOW - 7_200_000)),
        ("2h", Spot(at_ms=NOW - 7_200_000)),
        ("2h30m ago", Spot(at_ms=NOW - 9_000_000)),
        ("#1,200", Spot(seq=1200)),
        ("123", Spot(seq=123)),
    ],
)
def test_a_time_is_written_as_people_write_it(text: str, meant: Spot) -> None:
    assert spot(text, NOW) == meant


@pytest.mark.parametrize("text", ["nonsense", "25:00", "-yesterday", "14:3", "2026-13-01 10:00", "#", "9999999d ago x"])
def test_what_is_no_time_says_what_can_be_written(text: str) -> None:
    with pytest.raises(BkError, match="is not a time") as caught:
        spot(text, NOW)
    assert "14:30" in caught.value.next_step


def test_the_nearest_of_those_that_are_shown_is_found(state: State) -> None:
    state.ensure()
    entries = [decision(f"echo {number}") for number in range(100)]
    for number, entry in enumerate(entries):
        entry.at = NOW - (100 - number) * 60_000
    ledger = Ledger.open(state)
    ledger.append(entries)
    ledger.close()
    assert nearest(state, spot("-50m", NOW)) == 51
    assert nearest(state, Spot(at_ms=NOW - 50 * 60_000 - 20_000)) == 51, "20 seconds before it, 40 after the other"
    assert nearest(state, Spot(at_ms=NOW - 50 * 60_000 - 40_000)) == 50
    assert nearest(state, Spot(at_ms=1)) == 1
    assert nearest(state, Spot(at_ms=NOW * 2)) == 100
    shown = array("q", [10, 40, 60])
    assert nearest(state, spot("-50m", NOW), shown) == 60
    assert nearest(state, spot("-51m", NOW), shown) == 60, "of two that are as far the newer"
    assert nearest(state, Spot(seq=41), shown) == 40
    assert nearest(state, Spot(seq=41), array("q")) == 0


async def test_t_selects_the_nearest_shown_entry_and_a_wrong_word_stays_to_be_mended(board: Board) -> None:
    now = board.session.now()
    entries = [decision(f"echo {number}", "block" if number % 50 == 0 else "allow") for number in range(600)]
    for number, entry in enumerate(entries):
        entry.at = now - (600 - number) * 60_000
    board.write(*entries)
    async with running(board):
        await board.press("t", *"nonsense", "enter")
        await board.sees("is not a time", patience=15)
        assert isinstance(board.app.screen, GoTo)
        asked = board.app.screen.query_one(Input)
        assert asked.value == "nonsense"
        asked.value = "-2h"
        await board.press("enter")
        await board.until(lambda: abs(int(board.rows.key or 0) - 481) <= 1, 15)
        assert board.rows.following is False
        await board.press("slash", *"level", "colon", *"block", "enter")
        await board.until(lambda: board.rows.rows.count() == 12, 15)
        await board.press("t", *"#212", "enter")
        await board.until(lambda: board.rows.key == 201, 15)
        await board.sees("#212 is not among those that are shown", patience=15)
        await board.press("t", *"-2h", "enter")
        await board.until(lambda: board.rows.key in {451, 501}, 15)
        await board.press("t", *"#5000", "enter")
        await board.until(lambda: board.rows.key == 551, 15)
        await board.press("colon", *"go to time")
        await board.sees("activity: go to  t", patience=15)
