"""What a person does to something held is so on disk, in the books and in the ledger afterwards; nothing is without."""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from bk.engine.console import shelf as shelves
from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.model import Entry
from bk.engine.provenance import PinnedOrigin
from bk.engine.responder.incidents import Book, key
from bk.engine.state import State
from bk.quarantine.listing import listed
from bk.quarantine.record import Held, Hold
from bk.quarantine.vault import hold
from bk.tui.screens.confirm import Confirm
from bk.tui.screens.page import Page
from bk.tui.widgets.cards import Card, CardList
from tests.pilot.conftest import Board, installed, running
from tests.pilot.test_hostile import STORABLE, harmless
from tests.pilot.test_incidents import confirmed
from tests.unit.quarantine.house import package, photograph, wish

EVIDENCE = [{"kind": "exact", "severity": "critical", "groups": ["ossf", "osv"], "ids": ["MAL-2026-114"]}]


def project(state: State) -> Path:
    return Path(state.home) / "src" / "app"


def taken(state: State, name: str = "evil", **over: object) -> Held:
    """A package of the project, moved into the vault."""
    return hold(state, wished(package(project(state), name), **over))


def wished(folder: Path, **over: object) -> Hold:
    """A wish with the evidence of two groups, made without an incident."""
    made = wish(folder, incident="", **over)
    made.evidence = tuple(EVIDENCE)
    return made


def listed_as_bad(state: State, *names: str) -> None:
    """Two independent groups speak of these."""
    vouched = PinnedOrigin("feed.example")
    found = [Record("npm", name, "exact", ("1.0.0",), "critical", (group,), vouched, ident=f"MAL-{group}")
             for name in names for group in ("ossf", "osv")]  # fmt: skip
    generations.activate(state, found, {"sources": {}}, "live")


def ended(board: Board, event: str) -> Entry:
    """The entry that tells how a deed ended."""
    return next(entry for entry in reversed(board.entries()) if entry.data.get("event") == event)


def shows(board: Board, screen: type[Screen[Any]]) -> bool:
    return isinstance(board.app.screen, screen)


def kept(state: State, held: Held) -> Path:
    return Path(state.root) / "quarantine" / "items" / held.ident


@pytest.fixture
def shelf(state: State) -> Board:
    listed_as_bad(state, "other")
    return Board(state, first="quarantine")


@pytest.mark.usefixtures("at_a_terminal")
async def test_restore_puts_it_back_byte_for_byte_and_leaves_it_alone(shelf: Board) -> None:
    state = shelf.state
    before = photograph(package(project(state), "evil"))
    held = hold(state, wished(project(state) / "node_modules" / "evil"))
    folder = project(state) / "node_modules" / "evil"
    async with running(shelf):
        await shelf.sees("npm:evil@1.0.0")
        assert not folder.exists()
        await shelf.press("R")
        await confirmed(shelf)
        await shelf.sees("left alone for 30 days")
        await shelf.sees("its old place is free")
        await shelf.press("R", "R")
        assert isinstance(shelf.app.screen, Confirm), "the key that opened the question does not answer it"
        await shelf.press("tab", "y")
        await shelf.until(folder.exists)
        await shelf.sees("is back where it was: entry #")
        assert photograph(folder) == before
        entry = ended(shelf, "quarantine_restore")
        assert (entry.data["outcome"], entry.data["hold"]) == ("done", held.ident)
        await shelf.sees(f"entry #{entry.seq}")
        await shelf.sees("Nothing is held.")
        with Book(state) as book:
            assert book.exempted(key("npm", "evil", "1.0.0", str(folder)), entry.at)
        await shelf.press("h")
        await shelf.sees("✓ put back")


@pytest.mark.usefixtures("at_a_terminal")
async def test_what_is_still_bad_goes_back_only_with_a_reason(shelf: Board) -> None:
    listed_as_bad(shelf.state, "evil")
    taken(shelf.state)
    folder = project(shelf.state) / "node_modules" / "evil"
    async with running(shelf):
        await shelf.sees("npm:evil")
        await shelf.press("R")
        await confirmed(shelf, "tab", "y")
        await shelf.sees("STILL known to be malicious")
        assert "osv, ossf" in shelf.text().replace("ossf, osv", "osv, ossf")
        assert not folder.exists()
        await shelf.press("shift+tab", *"we test", "tab", "y")
        await shelf.until(folder.exists)
        await shelf.sees("is back where it was")
        entry = ended(shelf, "quarantine_restore")
        assert (entry.data["override"], entry.data["reason"]) == (True, "we test")


@pytest.mark.usefixtures("at_a_terminal")
async def test_purge_wants_the_end_of_the_id_and_is_for_good(shelf: Board) -> None:
    state, held = shelf.state, taken(shelf.state)
    async with running(shelf, (80, 24)):
        await shelf.sees("npm:evil")
        await shelf.press("P")
        await confirmed(shelf, *"nope", "tab", "tab", "space")
        assert kept(state, held).is_dir()
        await shelf.sees("cannot be undone")
        await shelf.press("enter")
        await shelf.sees("cancelled: nothing was done")
        await shelf.press("P")
        await confirmed(shelf, *held.ident[-6:], "enter")
        await shelf.until(lambda: not isinstance(shelf.app.screen, Confirm))
        assert kept(state, held).is_dir(), "Enter is Cancel, whatever was typed"
        await shelf.press("P")
        await confirmed(shelf, *held.ident[-6:], "tab", "tab", "space")
        await shelf.until(lambda: not kept(state, held).exists())
        await shelf.sees("is deleted")
        entry = ended(shelf, "quarantine_purge")
        assert (entry.data["outcome"], entry.data["hold"], entry.data["digest"]) == ("done", held.ident, held.digest)
        await shelf.sees("Nothing is held.")
    assert [each.state for each in listed(state, ended=True)] == ["purged"]


async def test_without_admin_both_say_why_and_nothing_happens(state: State) -> None:
    board = Board(state, first="quarantine", why_not_admin="it must be asked for with --admin")
    held = taken(state)
    async with running(board):
        await board.sees("(R) restore")
        for letter in ("R", "P", "O"):
            await board.press(letter)
            await board.sees("read-only: it must be asked for with --admin")
            assert not isinstance(board.app.screen, Confirm)
        await board.press("p")
        await board.sees("P is: purge")
        await board.press("V")
        await board.sees("every byte was read and is whole")
    assert kept(state, held).is_dir()
    assert not board.entries()


@pytest.mark.usefixtures("at_a_terminal")
async def test_a_refused_restore_stays_held_and_says_what_to_do(shelf: Board) -> None:
    held = taken(shelf.state)
    folder = project(shelf.state) / "node_modules" / "evil"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    async with running(shelf):
        await shelf.sees("npm:evil")
        await shelf.press("R")
        await confirmed(shelf)
        await shelf.sees("something else is in its old place")
        await shelf.press("tab", "y")
        await shelf.sees("x something is in its old place")
        await shelf.press("1", "4")
        await shelf.sees("something is in its old place")  # it stays until it is read
        await shelf.press("comma")
        await shelf.sees("move that away and press R again")
        await shelf.press("escape")
        await shelf.sees("npm:evil")
        assert ended(shelf, "quarantine_restore").data["code"] == "conflict"
    assert (folder / "mine").read_text() == "mine"
    assert kept(shelf.state, held).is_dir()


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_a_folder_that_is_gone_is_made_again_and_that_is_said(shelf: Board) -> None:
    taken(shelf.state)
    project(shelf.state).joinpath("node_modules").rmdir()
    async with running(shelf):
        await shelf.sees("npm:evil")
        await shelf.press("R")
        await confirmed(shelf)
        await shelf.sees("is gone: it is made again")
        await shelf.press("tab", "y")
        await shelf.until((project(shelf.state) / "node_modules" / "evil" / "package.json").exists)


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_what_was_altered_is_found_and_never_called_whole(shelf: Board) -> None:
    held = taken(shelf.state)
    (kept(shelf.state, held) / "payload" / "0" / "lib" / "index.js").write_text("something else\n")
    async with running(shelf):
        await shelf.sees("the seal is whole; V reads every byte")
        await shelf.press("V")
        await shelf.sees("is not whole")
        assert "every byte was read and is whole" not in shelf.text()
        await shelf.press("R")
        await confirmed(shelf, "tab", "y")
        await shelf.sees("+1")
        assert kept(shelf.state, held).is_dir()
        manifest = kept(shelf.state, held) / "manifest.json"
        manifest.write_text(manifest.read_text().replace("evil", "good"))
        shelf.front.reload()
        await shelf.sees("1 with a problem")
        await shelf.press("P")
        await shelf.sees("bk deletes nothing that is not what was taken")


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_what_was_cut_off_is_brought_to_its_end(shelf: Board) -> None:
    held = taken(shelf.state)
    with sqlite3.connect(f"{shelf.state.root}/quarantine.db") as con:
        con.execute("UPDATE item SET state = 'restoring' WHERE id = ?", (held.ident,))
    async with running(shelf):
        await shelf.sees("~ CUT OFF")
        await shelf.press("R")
        await shelf.sees("V brings it to its end first")
        await shelf.press("V")
        await shelf.until((project(shelf.state) / "node_modules" / "evil").exists)
        await shelf.sees("Nothing is held.")
        assert ended(shelf, "quarantine_recover").data["state"] == "restored"


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_a_copy_is_written_and_the_item_stays(
    shelf: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held = taken(shelf.state)
    async with running(shelf):
        await shelf.sees("npm:evil")
        await shelf.press("X")
        await confirmed(shelf, "y")
        path = tmp_path / f"bk-{held.ident}.tar.gz"
        await shelf.until(path.exists)
        await shelf.sees("bytes written to")
        assert ended(shelf, "quarantine_export").data["outcome"] == "done"
        with tarfile.open(path) as archive:
            assert f"{held.ident}/manifest.json" in archive.getnames()
        await shelf.press("y")
        copied = json.loads(shelf.app.clipboard)
        assert (copied["id"], copied["name"]) == (held.ident, "evil")
    assert kept(shelf.state, held).is_dir()


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_a_question_dies_with_its_item(shelf: Board) -> None:
    held = taken(shelf.state)
    async with running(shelf):
        await shelf.sees("npm:evil")
        await shelf.press("P")
        await confirmed(shelf)
        with sqlite3.connect(f"{shelf.state.root}/quarantine.db") as con:
            con.execute("UPDATE item SET state = 'restored' WHERE id = ?", (held.ident,))
        await shelf.sees("no longer: it is restored now")
        await shelf.press(*held.ident[-6:], "tab", "tab", "space")
        assert isinstance(shelf.app.screen, Confirm)
    assert kept(shelf.state, held).is_dir()


@pytest.mark.usefixtures("at_a_terminal")
async def test_the_buttons_of_a_card_are_real_and_selection_is_by_item(shelf: Board) -> None:
    first, second = taken(shelf.state, "one"), taken(shelf.state, "two")
    async with running(shelf):
        await shelf.sees("npm:one")
        assert shelf.rows.key == second.ident
        await shelf.pilot.click("#cards-held", offset=(5, 10))
        await confirmed(shelf)
        await shelf.sees("restore npm:one")
        assert shelf.rows.key == first.ident
        await shelf.press("escape")
        third = taken(shelf.state, "three")
        shelf.front.reload()
        await shelf.until(lambda: shelf.rows.rows.count() == 3)
        assert shelf.rows.key == first.ident
        assert shelf.rows.cursor == 2
        await shelf.press("slash", *"three", "enter")
        await shelf.until(lambda: shelf.rows.key == third.ident)
        await shelf.press("enter")
        await shelf.sees("who says that it is bad")
        await shelf.sees("MAL-2026-114")
        await shelf.sees("planned")  # the history is there


async def test_nothing_held_says_why_and_what_would_be(state: State) -> None:
    installed(state, kind="would_quarantine")
    board = Board(state, first="quarantine")
    async with running(board):
        await board.sees("Nothing is held.")
        await board.sees("1 item would be held, but for the dry run")


async def test_a_thousand_cards_draw_only_what_is_seen(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    held = taken(state)
    many = [Held.read({**held.told(), "id": f"q_{number:026}"}, "held") for number in range(1000)]
    monkeypatch.setattr(shelves, "shelf", lambda **_: shelves.Shelf(many))
    board = Board(state, first="quarantine")
    async with running(board, (80, 24)):
        await board.sees("npm:evil")
        await board.until(lambda: board.rows.rows.count() == 1000)
        cards = board.front.query_one(CardList)
        drawn: set[str] = set()
        before = cards._draw_card

        def draw(one: Held, width: int) -> Card:
            drawn.add(one.ident)
            return before(one, width)

        cards._draw_card = draw
        await board.press("G")
        await board.until(lambda: board.rows.cursor == 999)
        await board.sees("000999")
        assert 0 < len(drawn) < 12


@pytest.mark.parametrize("size", [(80, 24), pytest.param((130, 40), marks=pytest.mark.long)])
@pytest.mark.usefixtures("at_a_terminal")
async def test_hostile_names_are_inert_on_cards_and_in_questions(state: State, size: tuple[int, int]) -> None:
    for number, text in enumerate(STORABLE):
        folder = package(project(state), f"p{number}")
        wanted = wish(folder, incident=text, rules=[text])
        wanted.evidence = ({"groups": [text], "ids": [text], "severity": text},)
        wanted.name, wanted.version, wanted.actor = text, text, text
        hold(state, wanted)
    board = Board(state, first="quarantine")
    async with running(board, size):
        await board.until(lambda: board.rows.rows.count() == len(STORABLE))
        for at in range(len(STORABLE)):
            board.rows.pick(at)
            told = board.front.explained()
            assert told is not None
            harmless(told[1](size[0]).plain, size)
            if at % 20 == 0:
                await board.pilot.pause()
                harmless(board.text(), size)
                for letter, screen in (("P", Confirm), ("enter", Page)):
                    await board.press(letter)
                    await board.until(partial(shows, board, screen))
                    harmless(board.text(), size)
                    await board.pilot.click(offset=(size[0] // 2, 6))
                    await board.press("escape")
        assert board.app.is_running, "a click on shown text ran an action"
    assert len(os.listdir(f"{state.root}/quarantine/items")) == len(STORABLE)
