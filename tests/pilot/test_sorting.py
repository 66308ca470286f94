"""Every column of every list of a screen can be sorted by."""

from __future__ import annotations

import pytest

from bk.tui.screens import (
    activity_words,
    catalogs_rows,
    config_rows,
    corpus_words,
    health,
    inventory_words,
    policy_rows,
)
from bk.tui.screens.incidents_words import columns as of_incidents
from bk.tui.screens.quarantine import COLUMNS
from bk.tui.widgets.lines import Column
from tests.pilot.conftest import Board, decision, running


def now() -> int:
    return 1


LISTS = {
    "activity": activity_words.columns(now),
    "catalogs": catalogs_rows.columns(catalogs_rows.Known(now)),
    "config": config_rows.columns(lambda _row: False),
    "corpus": corpus_words.matter_columns(now),
    "own entries": corpus_words.entry_columns(now),
    "health": health._columns(),
    "runs": inventory_words.run_columns(now, lambda: 0),
    "items": inventory_words.item_columns(),
    "changes": inventory_words.change_columns(),
    "policy": policy_rows.columns(lambda: None),
    "quarantine": COLUMNS,
}


@pytest.mark.parametrize("columns", LISTS.values(), ids=list(LISTS))
def test_every_column_can_be_sorted_by(columns: list[Column]) -> None:
    assert [column.title for column in columns if column.title and column.sort is None] == []


def test_every_column_of_incidents_can_be_sorted_by(board: Board) -> None:
    assert all(column.sort is not None for column in of_incidents(board.session))
    board.session.close()


@pytest.mark.long
async def test_too_many_to_be_read_are_not_sorted_by_what_they_say(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bk.engine.console.orders.MOST", 20)
    board.write(*(decision(f"echo {number}") for number in range(30)))
    async with running(board):
        board.rows._sort("WHAT", descending=False)
        await board.until(lambda: bool(board.app.troubles), 15)
        assert "too many to sort" in board.app.troubles[0].title
        assert board.rows.sorted_by == "", "the heading does not claim an order that is not there"
        assert board.rows.rows.key(0) == 30
