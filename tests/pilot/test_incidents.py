"""What a person decides about an incident is in the engine's books afterwards, and nothing is without them."""

from __future__ import annotations

import pytest

from bk.engine.responder.incidents import Book, Incident
from bk.engine.state import State
from bk.tui.screens.confirm import SETTLE_SECONDS, Confirm
from tests.pilot.conftest import Board, decision, installed, running

THEFT = {"target": "/home/ada/.ssh/id_rsa"}


def kept(state: State, ident: str) -> Incident:
    with Book(state) as book:
        return book.one(ident)


async def confirmed(board: Board, *keys: str) -> None:
    """The question that is open, answered by these keys once it listens."""
    await board.until(lambda: isinstance(board.app.screen, Confirm))
    await board.pilot.pause(SETTLE_SECONDS + 0.05)
    await board.press(*keys)


async def test_blocked_calls_are_one_incident_seen_and_opened_again(state: State) -> None:
    board = Board(state, first="incidents")
    theft = [decision("cat ~/.ssh/id_rsa", "block", **THEFT) for _ in range(3)]
    board.write(decision("git status"), *theft, decision("rm -rf ~/.bk", "block", rule="self/state"))
    async with running(board):
        assert board.rows.rows.count() == 2
        assert board.app.open_count == 2
        await board.press("j")
        assert board.rows.selected.count == 3
        ident = board.rows.selected.ident
        await board.press("a")
        await board.until(lambda: board.app.open_count == 1)
        recorded = board.entries()[-1]
        assert (recorded.kind, recorded.data["verb"], recorded.data["incident"]) == ("admin", "acknowledge", ident)
        await board.sees(f"entry #{recorded.seq}")
        assert board.rows.key == ident, "the selection goes with the incident, not with its row"
        await board.press("u")
        await board.until(lambda: board.app.open_count == 2)
        assert board.entries()[-1].data["verb"] == "reopen"
        await board.press("a")
        await board.until(lambda: board.app.open_count == 1)
        board.write(theft[0])
        await board.until(lambda: board.app.open_count == 2)


async def test_a_new_incident_appears_live_and_the_selected_one_stays(state: State) -> None:
    board = Board(state, first="incidents")
    board.write(decision("cat ~/.netrc", "block"), decision("cat ~/.pgpass", "block"))
    async with running(board):
        await board.press("j")
        key = board.rows.key
        board.write(decision("npm install evil", "quarantine", rule="package/known-malicious"))
        assert await board.until(lambda: board.rows.rows.count() == 3) < 5.0, "it was pushed, and not asked for"
        assert board.rows.key == key
        assert board.rows.cursor == 2


async def test_without_admin_nothing_is_written_and_the_reason_is_said(state: State) -> None:
    board = Board(state, first="incidents", why_not_admin="it must be asked for with --admin")
    board.write(decision("cat ~/.ssh/id_rsa", "block"))
    installed(state)
    async with running(board):
        await board.sees("READ-ONLY")
        await board.sees("(a) seen")  # the key bar tells that it would be refused
        for key in ("a", "x", "X", "A"):
            await board.press(key)
            await board.sees("read-only: it must be asked for with --admin")
            assert not isinstance(board.app.screen, Confirm)
    assert [entry.kind for entry in board.entries()] == ["decision"]


@pytest.mark.usefixtures("at_a_terminal")
async def test_an_installed_one_is_exempted_with_a_reason_and_taken_back(state: State) -> None:
    board = Board(state, first="incidents")
    found = installed(state)
    async with running(board):
        await board.sees("npm:left-padd@1.3.1")
        await board.press("x")
        await confirmed(board, "tab", "y")
        assert isinstance(board.app.screen, Confirm), "without a reason there is no exemption"
        await board.press("shift+tab", *"ours", "tab", "y")
        await board.sees("left alone for 7d")
        now = kept(state, found.id)
        assert (now.state, now.why) == ("exempt", "ours")
        ended = board.entries()[-1]
        assert (ended.data["event"], ended.data["outcome"]) == ("incident_exempt", "done")
        await board.press("u")
        await board.until(lambda: kept(state, found.id).state == "open")


@pytest.mark.usefixtures("at_a_terminal")
async def test_enter_cancels_and_the_opening_key_never_confirms(state: State) -> None:
    board = Board(state, first="incidents")
    found = installed(state)
    async with running(board):
        await board.sees("left-padd")
        await board.press("A")
        await confirmed(board, "A", "A")
        assert isinstance(board.app.screen, Confirm)
        await board.press("enter")
        await board.sees("cancelled: nothing was done")
        await board.press("X", *"because", "tab", *"exempt", "enter")
        await board.until(lambda: not isinstance(board.app.screen, Confirm))
        assert kept(state, found.id).state == "open"
    assert not board.entries()


@pytest.mark.usefixtures("at_a_terminal")
async def test_what_weakens_for_good_wants_its_word_typed(state: State) -> None:
    board = Board(state, first="incidents")
    found = installed(state)
    async with running(board):
        await board.sees("left-padd")
        await board.press("X")
        await confirmed(board, *"because", "tab", *"exemp", "tab", "tab", "space")
        assert kept(state, found.id).state == "open"
        await board.press("escape", "X")
        await confirmed(board, *"because", "tab", *"exempt", "tab", "tab", "space")
        await board.until(lambda: kept(state, found.id).state == "exempt")


@pytest.mark.usefixtures("at_a_terminal")
async def test_a_question_dies_with_its_subject(state: State) -> None:
    board = Board(state, first="incidents")
    found = installed(state)
    async with running(board):
        await board.sees("left-padd")
        await board.press("A")
        with Book(state, write=True) as book:
            book.becomes(book.one(found.id), "acknowledged", 1, why="elsewhere", by="person:1")
        await board.sees("no longer: it is acknowledged now")
        await confirmed(board, "y")
        assert isinstance(board.app.screen, Confirm)


@pytest.mark.usefixtures("at_a_terminal")
async def test_a_refusal_stays_until_it_is_read_with_the_next_step(state: State) -> None:
    board = Board(state, first="incidents")
    installed(state, kind="ask")
    async with running(board):
        await board.sees("left-padd")
        await board.press("A")
        await confirmed(board, "y")
        await board.sees("it cannot be moved now")
        await board.press("3", "1", "2")
        await board.sees("it cannot be moved now")  # it is shown on every screen
        await board.press("comma")
        await board.sees("bk scan, then approve again")
        await board.press("escape")
        assert "it cannot be moved now" not in board.text()


async def test_the_urgent_one_is_one_key_away(state: State) -> None:
    board = Board(state, first="overview")
    board.write(decision("echo 1"), decision("cat ~/.netrc", "block"), decision("npm i evil", "quarantine"))
    async with running(board):
        await board.press("exclamation_mark")
        await board.until(lambda: board.app.current_mode == "incidents" and board.front._shown)
        assert board.rows.selected.level == "quarantine"


async def test_the_worst_rings_once_and_leaves_the_person_where_they_are(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, rung = Board(state, first="activity"), []
    board.write(decision("ls"), decision("npm install bad", "quarantine", rule="package/known-malicious"))
    monkeypatch.setattr(board.app, "bell", lambda: rung.append(1))
    async with running(board):
        focused = board.app.focused
        board.write(decision("cat ~/.netrc", "block"))
        await board.until(lambda: board.rows.rows.count() == 3)
        assert not rung, "what was there already, and what was only blocked, does not ring"
        for name in ("evil", "worse"):
            board.write(decision(f"npm install {name}", "quarantine", rule="package/known-malicious"))
        await board.sees("npm install evil · ! opens")
        await board.until(lambda: board.rows.rows.count() == 5)
        assert rung == [1]
        assert (board.front.NAME, board.app.focused) == ("activity", focused)
