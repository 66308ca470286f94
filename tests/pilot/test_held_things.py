"""What is held goes back to another place, or is dealt with from Incidents, through the same questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.responder.gate import Ruling
from bk.engine.responder.incidents import Book, Incident, key
from bk.engine.state import State
from bk.quarantine.listing import listed
from bk.quarantine.record import Held
from bk.quarantine.vault import hold
from bk.tui.screens.confirm import Confirm
from bk.tui.screens.page import Page
from bk.tui.widgets.detail import Detail
from tests.pilot.conftest import Board, running
from tests.pilot.test_incidents import confirmed
from tests.pilot.test_quarantine import ended, kept, listed_as_bad, project, shows, wished
from tests.unit.quarantine.house import package, photograph

PATIENCE = 15.0
pytestmark = pytest.mark.usefixtures("at_a_terminal")


def held_incident(state: State) -> tuple[Held, str]:
    """A package of the project in the vault, and in the responder's book as such."""
    folder = package(project(state), "evil")
    ident = key("npm", "evil", "1.0.0", str(folder))
    wanted = wished(folder)
    wanted.incident = ident
    held = hold(state, wanted)
    found = Incident(ident, "npm", "evil", "1.0.0", str(folder), str(folder), "open", "critical", ("ossf", "osv"), [],
                     "two say so", hold=held.ident)  # fmt: skip
    with Book(state, write=True) as book:
        book.saw(found, Ruling("move", "two independent sources say so"), 1)
        book.becomes(found, "quarantined", 2, why="moved", by="engine", hold=held.ident)
    return held, ident


async def test_it_goes_to_another_place_that_the_engine_allows_and_to_no_other(state: State) -> None:
    listed_as_bad(state, "other")
    before = photograph(package(project(state), "evil"))
    held = hold(state, wished(project(state) / "node_modules" / "evil"))
    board, home = Board(state, first="quarantine"), Path(state.home)
    (home / "lab").mkdir()
    async with running(board):
        await board.sees("npm:evil", PATIENCE)
        await board.until(lambda: board.front.query_one(Detail).display, PATIENCE)
        await board.sees("who says that it is bad", PATIENCE)
        await board.press("O")
        await confirmed(board, "tab", "tab", "y")
        assert "say where first" in board.text()
        await board.press("shift+tab", "shift+tab", *"~/.ssh/evil", "tab", "tab", "y")
        await board.until(lambda: bool(board.app.troubles), PATIENCE)
        await board.press("comma")
        await board.sees("O again, and a new name below your home", PATIENCE)
        await board.press("escape")
        assert ended(board, "quarantine_restore").data["code"] == "protected_root"
        assert kept(state, held).is_dir()
        await board.press("O")
        await confirmed(board)
        assert "~/.ssh/evil" in board.text(), "what was typed is still there"
        await board.press("ctrl+a", "ctrl+k", *"~/lab/evil", "tab", *"to look at", "tab", "y")
        await board.until((home / "lab" / "evil" / "package.json").exists, PATIENCE)
        await board.sees("is at ~/lab/evil: entry #", PATIENCE)
        entry = ended(board, "quarantine_restore")
        assert (entry.data["outcome"], entry.data["to"]) == ("done", str(home / "lab" / "evil"))
        assert entry.data["reason"] == "to look at"
    assert photograph(home / "lab" / "evil") == before
    assert not (project(state) / "node_modules" / "evil").exists()


async def test_r_and_p_on_incidents_ask_as_on_quarantine(state: State) -> None:
    listed_as_bad(state, "other")
    held, ident = held_incident(state)
    board = Board(state, first="incidents")
    async with running(board):
        await board.until(lambda: board.rows.rows.count() == 1, PATIENCE)
        assert board.rows.key == ident
        await board.press("P")
        await confirmed(board, *held.ident[-6:], "enter")
        await board.until(lambda: not shows(board, Confirm), PATIENCE)
        assert kept(state, held).is_dir(), "Enter is Cancel, whatever was typed"
        await board.press("c")
        await board.until(lambda: shows(board, Page), PATIENCE)
        await board.sees("npm uninstall evil", PATIENCE)
        await board.press("escape", "R")
        await confirmed(board)
        assert "its old place is free" in board.text()
        await board.press("tab", "y")
        await board.until((project(state) / "node_modules" / "evil").exists, PATIENCE)
        await board.sees("is back where it was: entry #", PATIENCE)
        entry = ended(board, "quarantine_restore")
        assert (entry.data["outcome"], entry.data["hold"]) == ("done", held.ident)
        await board.until(lambda: board.rows.selected.state == "restored", PATIENCE)
        await board.press("P")
        await board.pilot.pause()
        assert not shows(board, Confirm), "nothing is held any more"
    assert [each.state for each in listed(state, ended=True)] == ["restored"]


@pytest.mark.long
async def test_purge_from_incidents_deletes_when_the_end_of_the_id_is_typed(state: State) -> None:
    held, _ident = held_incident(state)
    board = Board(state, first="incidents")
    async with running(board):
        await board.until(lambda: board.rows.rows.count() == 1, PATIENCE)
        await board.press("P")
        await confirmed(board, *held.ident[-6:], "tab", "tab", "space")
        await board.until(lambda: not kept(state, held).exists(), PATIENCE)
        await board.sees("is deleted", PATIENCE)
        assert ended(board, "quarantine_purge").data["digest"] == held.digest
