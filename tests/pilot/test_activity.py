"""The ledger on the screen: what is seen, what stays selected, what is found."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from bk.engine.ledger.store import Ledger
from bk.tui.screens.page import Page
from bk.tui.widgets.filterbar import FilterBar
from tests.pilot.conftest import Board, decision, running


async def test_new_entries_appear_in_time_and_the_selected_one_stays(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(100)))
    async with running(board):
        await board.press("j", "j", "j")
        rows = board.rows
        key, on_screen = rows.key, rows.cursor - rows.scroll_offset.y
        assert key == 97
        waits = []
        for number in range(7):
            board.write(decision(f"news {number}"))
            count = 101 + number
            waits.append(await board.until(lambda count=count: rows.rows.count() == count))
        assert sorted(waits)[3] < 0.3  # the median: other tests may hold the processor for a moment
        assert rows.key == key
        assert rows.cursor - rows.scroll_offset.y == on_screen
        assert not rows.following
        await board.sees("+7 new")
        assert "echo 96" in board.text().split("explained")[-1]


async def test_following_shows_the_newest_and_f_returns_to_it(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(60)))
    async with running(board):
        rows = board.rows
        board.write(decision("while following"))
        await board.sees("while following")
        assert rows.scroll_offset.y == 0
        assert rows.key == 60, "the selection stays with its entry"
        await board.press("G")
        assert rows.key == 1
        board.write(decision("seen later"))
        await board.until(lambda: rows.unseen == 1)
        assert "seen later" not in board.text()
        await board.press("f")
        await board.sees("seen later")
        assert rows.following
        assert rows.unseen == 0
        assert rows.key == 62


async def test_all_of_history_can_be_reached_and_the_order_turned(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(700)))
    async with running(board):
        rows = board.rows
        await board.press("G")
        await board.sees("echo 0 ")
        await board.press("s")
        await board.pilot.pause()
        assert rows.key == 1
        assert rows.cursor == 0
        await board.sees("oldest first")
        board.write(decision("the newest"))
        await board.until(lambda: rows.rows.count() == 701)
        assert rows.key == 1


async def test_a_filter_shows_what_matches_and_goes_on_matching(board: Board) -> None:
    board.write(*(decision(f"echo {n}", "block" if n % 10 == 0 else "allow") for n in range(100)))
    async with running(board):
        rows = board.rows
        await board.press("slash", *"level", "colon", *"block")
        await board.until(lambda: rows.rows.count() == 10)
        await board.sees("10 of 100")
        board.write(decision("nothing to see"), decision("one more", "block"))
        await board.until(lambda: rows.rows.count() == 11)
        assert "nothing to see" not in board.text()
        await board.press("enter")
        assert rows.has_focus
        assert rows.rows.count() == 11, "Enter keeps the filter"
        await board.press("escape")
        await board.until(lambda: rows.rows.count() == 102)


async def test_a_wrong_filter_is_explained_and_hides_nothing(board: Board) -> None:
    board.write(decision("echo 1"))
    async with running(board):
        await board.press("slash", *"lvel", "colon", *"block")
        await board.until(lambda: "lvel" in board.front.status.complaint)
        assert "level:block" in board.front.status.complaint
        assert board.rows.rows.count() == 1
        await board.press("escape")
        await board.press("escape")
        await board.until(lambda: not board.front.status.complaint)
        assert not board.front.query_one(FilterBar).value


async def test_enter_explains_on_the_whole_screen_and_copy_gives_json(board: Board) -> None:
    board.write(decision("cat ~/.ssh/id_rsa", "block", target="/home/ada/.ssh/id_rsa"))
    async with running(board):
        await board.press("y")
        copied = json.loads(board.app.clipboard)
        assert copied["seq"] == 1
        assert copied["data"]["input"]["command"] == "cat ~/.ssh/id_rsa"
        await board.press("enter")
        assert isinstance(board.app.screen, Page)
        for told in ("because of cat", "what it would do", "#1 in the chain", "blocked: the call did not run"):
            await board.sees(told)
        await board.press("escape")
        assert not isinstance(board.app.screen, Page)


async def test_a_deleted_row_is_shown_as_missing(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(5)))
    attacker = sqlite3.connect(board.state.audit)
    attacker.execute("DELETE FROM entry WHERE seq = 3")
    attacker.commit()
    attacker.close()
    async with running(board):
        await board.sees("this entry is gone")
        await board.press("j", "j")
        await board.pilot.pause()
        await board.sees("entry #3 is missing from the ledger")


async def test_a_ledger_that_cannot_be_read_is_named_and_the_board_lives(board: Board) -> None:
    board.write(decision("git status"))
    with open(board.state.audit, "r+b") as file:
        file.write(b"this is no database" * 10)
    async with running(board):
        await board.sees("cannot be read")
        await board.sees("bk audit")
        await board.press("question_mark", "escape")


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (120, 40), (200, 50)])
async def test_every_size_shows_the_selected_entry(board: Board, size: tuple[int, int]) -> None:
    board.write(*(decision(f"echo {number}", "warn") for number in range(50)))
    async with running(board, size):
        await board.press(*("j" * 20))
        await board.sees("echo 29")
        await board.pilot.resize_terminal(80, 24)
        await board.sees("echo 29")
        assert board.rows.key == 30


async def test_the_palette_offers_what_can_be_done_and_does_it(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(50)))
    async with running(board):
        await board.press("G", "colon")
        await board.pilot.pause()
        await board.press(*"follow", "enter")
        await board.until(lambda: board.rows.following)


async def test_a_wrong_filter_never_keeps_the_last_good_one_in_force(board: Board) -> None:
    board.write(decision("echo 1"), decision("echo 2", "block"))
    async with running(board):
        rows = board.rows
        await board.press("slash", *"echo")
        await board.press("space", *"level", "colon", *"block")
        await board.until(lambda: rows.rows.count() == 1)
        await board.press(*"x")
        await board.until(lambda: "no level" in board.front.status.complaint)
        assert rows.rows.count() == 2
        board.write(decision("echo 3"))
        await board.until(lambda: rows.rows.count() == 3)


async def test_verify_reports_on_the_whole_ledger(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(30)))
    async with running(board):
        await board.press("v")
        await board.sees("the ledger is whole")
        await board.sees("30 checked")
        await board.press("escape")
        attacker = sqlite3.connect(board.state.audit)
        attacker.execute("UPDATE entry SET body = replace(body, 'echo 7', 'echo 8') WHERE seq = 8")
        attacker.commit()
        attacker.close()
        await board.press("v")
        await board.sees("does NOT verify")
        await board.sees("#8")


async def test_the_worst_first_and_back(board: Board) -> None:
    board.write(*(decision(f"echo {n}", ("allow", "block", "warn")[n % 3]) for n in range(30)))
    async with running(board):
        await board.press("s", "s", "s")
        await board.until(lambda: board.rows.rows.at(0).level == "block")
        assert [board.rows.rows.at(at).level for at in range(30)] == ["block"] * 10 + ["warn"] * 10 + ["allow"] * 10
        assert board.rows.key == 30, "the selected entry stays selected"
        await board.press("s")
        await board.until(lambda: [board.rows.rows.key(at) for at in range(3)] == [1, 2, 11])
        await board.sees("WHAT▴")
        await board.press("s")
        await board.until(lambda: board.rows.rows.key(0) == 30)


async def test_going_to_a_number_or_a_time_finds_the_entry(board: Board) -> None:
    now = board.session.now()
    entries = [decision(f"echo {number}") for number in range(600)]
    for number, entry in enumerate(entries):
        entry.at = now - (600 - number) * 60_000
    board.write(*entries)
    async with running(board):
        await board.press("t", *"123", "enter")
        await board.until(lambda: board.rows.key == 123)
        await board.press("t", *"2h", "enter")
        await board.until(lambda: abs(int(board.rows.key or 0) - 481) <= 1)
        await board.press("t", *"nonsense", "enter")
        await board.sees("is not a time")
        assert abs(int(board.rows.key or 0) - 481) <= 1


async def test_paused_counts_what_comes_and_shows_it_afterwards(board: Board) -> None:
    board.write(decision("echo 1"))
    async with running(board):
        await board.press("p")
        board.write(decision("meanwhile"))
        await board.sees("+1 new")
        assert "meanwhile" not in board.text()
        await board.press("p")
        await board.sees("meanwhile")
        assert board.rows.unseen == 0


async def test_what_is_shown_is_exported(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    board.write(*(decision(f"echo {n}", "block" if n % 10 == 0 else "allow") for n in range(100)))
    async with running(board):
        await board.press("slash", *"level", "colon", *"block", "enter")
        await board.until(lambda: board.rows.rows.count() == 10)
        await board.press("e")
        await board.sees("10 records written")
    (made,) = tmp_path.iterdir()
    assert made.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line)["level"] for line in made.read_text().splitlines()] == ["block"] * 10


async def test_the_proof_of_an_entry(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(10)))
    ledger = Ledger.open(board.state)
    ledger.checkpoint()
    ledger.close()
    async with running(board):
        await board.press("j", "j", "P")
        await board.sees("proof of #9")
        await board.sees("has the hash it was chained with")
        await board.sees("holds for this installation's key")
