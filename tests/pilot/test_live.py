"""What a person sees happen, and what the engine holds afterwards."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest
from textual.widgets import Static

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.tui.screens.page import Page
from bk.tui.widgets.activity import Activity
from bk.tui.widgets.cases import Cases
from bk.tui.widgets.filterbar import FilterBar
from bk.tui.widgets.header import Header
from bk.tui.widgets.status import Status
from tests.pilot.conftest import Board, decision, running


def activity(board: Board) -> Activity:
    return board.live.query_one(Activity)


def entries(state: State) -> list[Entry]:
    ledger = Ledger.open(state)
    try:
        return ledger.entries(limit=1000)
    finally:
        ledger.close()


async def test_a_newcomer_is_told_what_to_do_and_the_first_entry_replaces_it(board: Board) -> None:
    board.write(Entry("engine", "engine", {"event": "start"}))
    async with running(board):
        assert "Nothing has been decided yet" in board.text()
        assert "bk check --tool Bash" in board.text()
        board.write(decision("git status"))
        await board.until(lambda: "git status" in board.text())
        assert "Nothing has been decided yet" not in board.text()


async def test_new_entries_appear_in_time_and_the_selected_one_stays(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(100)))
    async with running(board):
        await board.pilot.press("j", "j", "j")
        rows = activity(board)
        key, on_screen = rows.key, rows.cursor - rows.scroll_offset.y
        assert key == 97
        waits = []
        for number in range(7):
            board.write(decision(f"news {number}"))
            count = 101 + number
            waits.append(await board.until(lambda count=count: rows.row_count() == count))
        assert sorted(waits)[3] < 0.3  # the median: other tests may hold the processor for a moment
        assert rows.key == key
        assert rows.cursor - rows.scroll_offset.y == on_screen
        assert not rows.following
        assert "+7 new" in board.text()
        assert "echo 96" in board.text().split("explained")[-1]


async def test_following_shows_the_newest_and_f_returns_to_it(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(60)))
    async with running(board):
        rows = activity(board)
        board.write(decision("while following"))
        await board.until(lambda: "while following" in board.text())
        assert rows.scroll_offset.y == 0
        assert rows.key == 60, "the selection stays with its entry"
        await board.pilot.press("G")
        assert rows.key == 1
        board.write(decision("seen later"))
        await board.until(lambda: rows.unseen == 1)
        assert "seen later" not in board.text()
        await board.pilot.press("f")
        await board.until(lambda: "seen later" in board.text())
        assert rows.following
        assert rows.unseen == 0
        assert rows.key == 62


async def test_all_of_history_can_be_reached_and_the_order_turned(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(700)))
    async with running(board):
        rows = activity(board)
        await board.pilot.press("G")
        await board.until(lambda: "echo 0 " in board.text())
        await board.pilot.press("s")
        await board.pilot.pause()
        assert rows.key == 1
        assert rows.cursor == 0
        assert "oldest first" in board.text()
        board.write(decision("the newest"))
        await board.until(lambda: rows.row_count() == 701)
        assert rows.key == 1


async def test_a_filter_shows_what_matches_and_goes_on_matching(board: Board) -> None:
    board.write(*(decision(f"echo {n}", "block" if n % 10 == 0 else "allow") for n in range(100)))
    async with running(board):
        rows = activity(board)
        await board.pilot.press("slash", *"level", "colon", *"block")
        await board.until(lambda: rows.row_count() == 10)
        assert "10 of 100" in board.text()
        board.write(decision("nothing to see"), decision("one more", "block"))
        await board.until(lambda: rows.row_count() == 11)
        assert "nothing to see" not in board.text()
        await board.pilot.press("enter")
        assert rows.has_focus
        assert rows.row_count() == 11, "Enter keeps the filter"
        await board.pilot.press("escape")
        await board.until(lambda: rows.row_count() == 102)


async def test_a_wrong_filter_is_explained_and_hides_nothing(board: Board) -> None:
    board.write(decision("echo 1"))
    async with running(board):
        await board.pilot.press("slash", *"lvel", "colon", *"block")
        await board.until(lambda: "lvel" in board.live.query_one(Status).problem)
        assert "level:block" in board.live.query_one(Status).problem
        assert activity(board).row_count() == 1
        await board.pilot.press("escape")
        await board.pilot.press("escape")
        await board.until(lambda: not board.live.query_one(Status).problem)
        assert not board.live.query_one(FilterBar).value


async def test_incidents_are_grouped_seen_and_opened_again(board: Board) -> None:
    theft = [decision("cat ~/.ssh/id_rsa", "block", target="/home/ada/.ssh/id_rsa") for _ in range(3)]
    board.write(
        decision("git status"), *theft, decision("rm -rf ~/.bk", "block", rule="self/state", target="/home/ada/.bk")
    )
    async with running(board):
        cases = board.live.query_one(Cases)
        await board.until(lambda: cases.row_count() == 2)
        assert board.live.query_one(Header).urgent == 2
        await board.pilot.press("tab", "j")
        assert cases.has_focus
        assert cases.selected is not None
        assert cases.selected.count == 3
        ident = cases.selected.incident.ident
        await board.pilot.press("a")
        await board.until(lambda: board.live.query_one(Header).urgent == 1)
        recorded = entries(board.state)[-1]
        assert recorded.kind == "admin"
        assert recorded.data["verb"] == "acknowledge"
        assert recorded.data["incident"] == ident
        assert cases.key == ident, "the selection goes with the incident, not with its row"
        board.write(theft[0])
        await board.until(lambda: board.live.query_one(Header).urgent == 2)


async def test_without_admin_nothing_is_written_and_the_reason_is_said(state: State) -> None:
    board = Board(state, why_not_admin="it must be asked for with --admin")
    board.write(decision("cat ~/.ssh/id_rsa", "block"))
    async with running(board):
        assert "READ-ONLY" in board.text()
        await board.pilot.press("tab", "a")
        await board.until(lambda: "must be asked for with --admin" in board.text())
        assert [entry.kind for entry in entries(state)] == ["decision"]


async def test_enter_explains_on_the_whole_screen_and_copy_gives_json(board: Board) -> None:
    board.write(decision("cat ~/.ssh/id_rsa", "block", target="/home/ada/.ssh/id_rsa"))
    async with running(board):
        await board.pilot.press("y")
        copied = json.loads(board.app.clipboard)
        assert copied["seq"] == 1
        assert copied["data"]["input"]["command"] == "cat ~/.ssh/id_rsa"
        await board.pilot.press("enter")
        assert isinstance(board.app.screen, Page)
        for told in ("because of cat", "what it would do", "#1 in the chain", "blocked: the call did not run"):
            assert told in board.text()
        await board.pilot.press("escape")
        assert not isinstance(board.app.screen, Page)


async def test_help_names_every_key_that_works_here(board: Board) -> None:
    board.write(decision("git status"))
    async with running(board, (100, 60)):
        await board.pilot.press("question_mark")
        for told in ("level:block", "newest entry", "quar", "Needs --admin", "ADMIN"):
            assert told.lower() in board.text().lower()


async def test_a_deleted_row_is_shown_as_missing(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(5)))
    attacker = sqlite3.connect(board.state.audit)
    attacker.execute("DELETE FROM entry WHERE seq = 3")
    attacker.commit()
    attacker.close()
    async with running(board):
        assert "this entry is gone" in board.text()
        await board.pilot.press("j", "j")
        assert "entry #3 is missing from the ledger" in board.text()


async def test_a_ledger_that_cannot_be_read_is_named_and_the_board_lives(board: Board) -> None:
    board.write(decision("git status"))
    with open(board.state.audit, "r+b") as file:
        file.write(b"this is no database" * 10)
    async with running(board):
        await board.until(lambda: "cannot be read" in board.text())
        assert "bk diag" in board.text()
        await board.pilot.press("question_mark", "escape")


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (120, 40), (200, 50)])
async def test_every_size_shows_the_selected_entry(board: Board, size: tuple[int, int]) -> None:
    board.write(*(decision(f"echo {number}", "warn") for number in range(50)))
    async with running(board, size):
        await board.pilot.press(*("j" * 20))
        assert "echo 29" in board.text()
        await board.pilot.resize_terminal(80, 24)
        await board.until(lambda: "echo 29" in board.text())
        assert activity(board).key == 30


async def test_the_palette_offers_what_can_be_done_and_does_it(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(50)))
    async with running(board):
        await board.pilot.press("G", "colon")
        await board.pilot.pause()
        await board.pilot.press(*"follow", "enter")
        await board.until(lambda: activity(board).following)


async def test_the_detail_is_about_the_list_that_is_worked_in(board: Board) -> None:
    board.write(decision("cat ~/.ssh/id_rsa", "block"), decision("git status"))
    async with running(board):
        shown = board.live.query_one("#explained", Static)
        assert "git status" in str(shown.content)
        await board.pilot.press("tab")
        assert "inc-" in str(shown.content)
        await board.pilot.press("tab")
        assert "git status" in str(shown.content)


async def test_a_wrong_filter_never_keeps_the_last_good_one_in_force(board: Board) -> None:
    board.write(decision("echo 1"), decision("echo 2", "block"))
    async with running(board):
        rows = activity(board)
        await board.pilot.press("slash", *"echo")
        await board.pilot.press("space", *"level", "colon", *"block")
        await board.until(lambda: rows.row_count() == 1)
        await board.pilot.press(*"x")
        await board.until(lambda: "no level" in board.live.query_one(Status).problem)
        assert rows.row_count() == 2
        board.write(decision("echo 3"))
        await board.until(lambda: rows.row_count() == 3)


async def test_sample_activity_is_marked_and_lives_elsewhere(board: Board) -> None:
    async with running(board):
        await board.pilot.press("s")
        await board.until(lambda: "SAMPLE" in board.text() and "git status" in board.text(), 20)
        sample = board.app.session
        assert sample.sample
        assert sample.state.root != board.state.root
        assert sample.incidents.open_count > 3
        assert not os.path.exists(board.state.audit)
        assert os.path.exists(sample.state.audit)
    board.app.close()
    assert not os.path.exists(sample.state.root)


async def test_verify_reports_on_the_whole_ledger(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(30)))
    async with running(board):
        await board.pilot.press("v")
        await board.until(lambda: "the ledger is whole" in board.text())
        assert "30 checked" in board.text()
        await board.pilot.press("escape")
        attacker = sqlite3.connect(board.state.audit)
        attacker.execute("UPDATE entry SET body = replace(body, 'echo 7', 'echo 8') WHERE seq = 8")
        attacker.commit()
        attacker.close()
        await board.pilot.press("v")
        await board.until(lambda: "does NOT verify" in board.text())
        assert "#8" in board.text()
