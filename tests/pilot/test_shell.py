"""The frame around every screen: going places, the gate, the palette, help, and the states that are designed."""

from __future__ import annotations

import os

import pytest

from bk.engine.model import Entry
from bk.engine.state import State
from bk.tui.actions import EVERYWHERE
from bk.tui.places import PLACES
from bk.tui.screens.confirm import SETTLE_SECONDS
from bk.tui.screens.page import Page
from bk.tui.widgets.header import Header
from tests.pilot.conftest import Board, decision, running


async def test_every_screen_is_one_key_away_and_back(state: State) -> None:
    board = Board(state, first="overview")
    board.write(decision("echo 1"), decision("cat ~/.netrc", "block"))
    async with running(board):
        for place in PLACES:
            await board.press(place.key)
            await board.until(lambda name=place.name: board.app.current_mode == name and board.front._shown)
            await board.sees(f"{place.key} {place.title}")
            await board.press("question_mark")
            assert isinstance(board.app.screen, Page)
            await board.press("escape")
        await board.press("minus")
        assert board.app.current_mode == PLACES[-2].name


async def test_tabs_and_keys_can_be_clicked(state: State) -> None:
    board = Board(state, first="overview")
    board.write(decision("echo 1"))
    async with running(board):
        at = board.text().splitlines()[1].index("3 Acti")
        await board.pilot.click("#tabs", offset=(at + 2, 0))
        await board.until(lambda: board.app.current_mode == "activity" and board.front._shown)
        at = board.text().splitlines()[-1].index("? help")
        await board.pilot.click("#keybar", offset=(at, 0))
        await board.until(lambda: isinstance(board.app.screen, Page))


async def test_the_palette_has_every_action_and_says_why_not(state: State) -> None:
    board = Board(state, first="incidents", why_not_admin="it must be asked for with --admin")
    board.write(decision("cat ~/.netrc", "block"))
    async with running(board, (110, 100)):
        await board.press("colon")
        await board.sees("incidents: seen")
        await board.sees("(not now) read-only: it must be asked for with --admin")
        for action in EVERYWHERE:
            if action.what not in ("palette", "back"):
                await board.sees(f"bk: {action.title}")
        await board.press(*"activity", "enter")
        await board.until(lambda: board.app.current_mode == "activity")


async def test_help_explains_this_screen_and_who_may_act(state: State) -> None:
    board = Board(state)
    board.write(decision("git status"))
    async with running(board, (110, 90)):
        await board.press("question_mark")
        for told in ("keys of activity", "level:block", "newest entry", "quar", "ADMIN", "go to", "3  "):
            await board.until(lambda told=told: told.lower() in board.text().lower())


async def test_the_gate_locks_by_itself_and_wants_a_word(state: State) -> None:
    board = Board(state, first="incidents")
    board.write(decision("cat ~/.netrc", "block"))
    async with running(board):
        assert board.front.query_one(Header).gate == "ADMIN"
        board.gate.idle = 0.0
        await board.sees("LOCKED")
        board.gate.idle = 600.0
        await board.press("a")
        await board.sees("Type unlock")
        assert board.app.open_count == 1
        await board.pilot.pause(SETTLE_SECONDS + 0.05)
        await board.press(*"unlock", "tab", "tab", "space")
        await board.until(lambda: board.app.open_count == 0)
        assert board.front.query_one(Header).gate == "ADMIN"
        await board.press("L")
        await board.sees("LOCKED")


async def test_unlocking_asks_the_engine_again(state: State) -> None:
    board = Board(state, first="incidents")
    board.session._again = lambda: "an agent started this: codex is process 7 above it"
    board.write(decision("cat ~/.netrc", "block"))
    async with running(board):
        await board.press("L", "L")
        await board.pilot.pause(SETTLE_SECONDS + 0.05)
        await board.press(*"unlock", "tab", "tab", "space")
        await board.sees("READ-ONLY")
        assert not board.gate.open


async def test_a_key_of_the_other_case_says_which_one_works(board: Board) -> None:
    board.write(decision("echo 1"))
    async with running(board):
        await board.press("V")
        await board.sees("V is not a key here; v is: verify")


async def test_below_the_floor_one_message_and_above_it_everything_as_before(board: Board) -> None:
    board.write(*(decision(f"echo {number}") for number in range(50)))
    async with running(board):
        await board.press("j", "j", "j")
        await board.pilot.resize_terminal(39, 11)
        await board.sees("bk needs 40x12")
        await board.sees("this is 39x11")
        assert "echo" not in board.text()
        await board.pilot.resize_terminal(40, 12)
        await board.sees("echo 46")
        assert board.rows.key == 47


async def test_a_newcomer_is_told_what_to_do_and_the_first_entry_replaces_it(state: State) -> None:
    board = Board(state, first="overview")
    board.write(Entry("engine", "engine", {"event": "start"}))
    async with running(board):
        await board.sees("Nothing has been decided yet")
        await board.sees("bk check --tool Bash")
        board.write(decision("git status"))
        await board.sees("git status")
        assert "Nothing has been decided yet" not in board.text()


async def test_the_sample_is_asked_for_and_lives_elsewhere(state: State) -> None:
    board = Board(state, first="overview")
    async with running(board):
        await board.sees("s opens sample activity")
        await board.press("s")
        await board.until(lambda: board.app.return_value == "sample")
    assert not os.path.exists(state.audit)


async def test_a_broken_book_is_named_and_the_other_screens_live(state: State) -> None:
    with open(f"{state.root}/incidents.db", "wb") as file:
        file.write(b"this is no database" * 100)
    board = Board(state, first="incidents")
    board.write(decision("cat ~/.netrc", "block"))
    async with running(board):
        await board.sees("the incidents cannot be read")
        await board.sees("incidents.db")
        await board.press("3")
        await board.sees("cat ~/.netrc")


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user")
async def test_a_book_that_may_not_be_read_says_so(state: State) -> None:
    open(f"{state.root}/incidents.db", "wb").close()
    os.chmod(f"{state.root}/incidents.db", 0)
    board = Board(state, first="incidents")
    async with running(board):
        await board.sees("cannot be read")


async def test_an_engine_that_is_down_is_said_on_every_screen(state: State) -> None:
    board = Board(state, first="activity")
    board.write(decision("echo 1"))
    async with running(board):
        await board.sees("engine down: calls are decided without it")
        await board.press("2")
        await board.sees("next: bk engine start")
