"""What a key may do, and what it must not: each seen in the books, on the disk and in the ledger."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bk.engine.inventory import store
from bk.engine.responder.incidents import ACKNOWLEDGED, PATHLESS, Book
from bk.engine.state import State
from bk.quarantine.listing import listed
from bk.tui import app as dashboard
from bk.tui.screens.config_edit import Edit
from bk.tui.screens.config_review import Review
from bk.tui.screens.confirm import Confirm
from bk.tui.widgets.filterbar import FilterBar
from tests.pilot.conftest import Board, decision, installed, running
from tests.pilot.test_config import picked, reviewed, told, written
from tests.pilot.test_inventory import held, shop  # noqa: F401 - a project, and a scan that stands still
from tests.pilot.test_quarantine import ended, kept, listed_as_bad, project, taken
from tests.unit.quarantine.house import photograph

PATIENT = 15


@pytest.mark.usefixtures("at_a_terminal")
async def test_what_has_no_known_place_can_be_acknowledged_and_not_moved(state: State) -> None:
    found = installed(state, kind="pending_path", path="/home/ada/app/package-lock.json?")
    board = Board(state, first="incidents")
    async with running(board):
        await board.sees("left-padd", PATIENT)
        for key, why in (("R", "nothing here that it could"), ("P", "nothing here that it could"), ("A", "not known")):
            await board.press(key)
            await board.until(lambda why=why: any(why in each.message for each in board.app._notifications), PATIENT)
            assert not isinstance(board.app.screen, Confirm)
        await board.press("a")
        await board.until(lambda: board.app.open_count == 0, PATIENT)
        with Book(state) as book:
            assert book.one(found.id).state == ACKNOWLEDGED
    assert found.state == PATHLESS
    assert listed(state) == []


@pytest.mark.usefixtures("at_a_terminal")
async def test_q_leaves_and_claims_nothing_that_was_not_done(state: State) -> None:
    board = Board(state, first="incidents")
    board.write(decision("npm install evil", "block", rule="package/known-malicious"))
    before = board.entries()
    async with running(board):
        await board.sees("npm install evil", PATIENT)
        await board.press("q")
        await board.until(lambda: not board.app.is_running, PATIENT)
        assert not any("quarantine" in each.message for each in board.app._notifications)
    assert board.entries() == before
    assert listed(state) == []


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_after_p_no_key_but_the_confirming_one_deletes(state: State) -> None:
    listed_as_bad(state, "other")
    item = taken(state)
    before = photograph(kept(state, item))
    board = Board(state, first="quarantine")
    async with running(board):
        await board.sees("npm:evil", PATIENT)
        for keys in (("enter",), ("escape",), ("tab", "enter"), ("P", "P", "escape"), (*"yqp", "enter")):
            await board.press("P")
            await board.until(lambda: isinstance(board.app.screen, Confirm), PATIENT)
            await board.press(*keys)
            await board.until(lambda: not isinstance(board.app.screen, Confirm), PATIENT)
    assert photograph(kept(state, item)) == before
    assert not [entry for entry in board.entries() if entry.data.get("event") == "quarantine_purge"]


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_a_restore_that_fails_names_the_code_that_the_ledger_has(state: State) -> None:
    listed_as_bad(state, "other")
    taken(state)
    (project(state) / "node_modules" / "evil").mkdir()
    board = Board(state, first="quarantine")
    async with running(board):
        await board.sees("npm:evil", PATIENT)
        await board.press("R")
        await board.sees("something else is in its old place", PATIENT)
        await board.pilot.pause(0.5)
        await board.press("tab", "y")
        await board.sees("x something is in its old place", PATIENT)
        await board.press("comma")
        await board.sees("code  conflict", PATIENT)
    assert ended(board, "quarantine_restore").data["code"] == "conflict"


@pytest.mark.long
async def test_a_scan_from_the_palette_ends_when_it_has_ended_and_not_by_its_ticks(
    shop: State,  # noqa: F811
    held: threading.Event,  # noqa: F811
) -> None:
    board = Board(shop, first="inventory")
    async with running(board):
        await board.sees("Nothing has been scanned yet.", PATIENT)
        await board.press("colon", *"scan projects")
        await board.sees("inventory: scan projects", PATIENT)
        await board.press("enter")
        await board.sees("project scan", PATIENT)
        for _ in range(10):
            await board.pilot.pause(0.05)
        assert board.app.doing, "however often it ticks, it is under way"
        assert store.latest(shop) is None
        held.set()
        await board.until(lambda: store.latest(shop) is not None, PATIENT)
        await board.until(lambda: not board.app.doing, PATIENT)
        run = store.latest(shop)
        assert run is not None
        assert board.session.outcome("scan", profile="project").data["items"] == run.total > 0


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_enter_asks_and_never_switches_and_without_admin_only_the_cursor_moves(state: State) -> None:
    text = written(state).read_text()
    board = Board(state, first="config")
    async with running(board):
        await picked(board, "watch.enabled")
        await board.press("enter")
        await board.until(lambda: isinstance(board.app.screen, Edit), PATIENT)
        await board.press("escape")
        assert not board.front._staged  # type: ignore[attr-defined]
    other = Board(state, first="config", why_not_admin="it must be asked for with --admin")
    async with running(other):
        at = other.rows.key
        await other.press("j", "enter", "escape", "space")
        await told(other, "read-only: it must be asked for with --admin")
        assert other.rows.key != at
        assert not isinstance(other.app.screen, Edit | Review)
        assert not other.front._staged  # type: ignore[attr-defined]
    assert Path(state.config).read_text() == text
    assert not board.entries()


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_steps_out_of_order_are_refused_and_what_is_saved_is_recorded(state: State) -> None:
    path, board = written(state), Board(state, first="config")
    others = {Path(state.root, name): f"# {name}\n" for name in ("rules.yaml", "config.local.toml")}
    for other, text in others.items():
        other.write_text(text)
    before = path.read_text()
    async with running(board):
        await picked(board, "corroboration.warn_at")
        board.front.stage("corroboration.warn_at", 3)  # type: ignore[attr-defined]
        await board.sees("corroboration.warn_at = 3 would be above", PATIENT)
        await board.press("ctrl+s")
        await board.pilot.pause()
        assert not isinstance(board.app.screen, Review)
        assert path.read_text() == before
        assert not board.entries()
        board.front.stage("corroboration.warn_at", 2)  # type: ignore[attr-defined]
        await reviewed(board, "y")
        await told(board, "saved, entry #")
        recorded = board.entries()[-1]
        assert (recorded.kind, recorded.data["event"]) == ("config", "changed")
        assert [change["key"] for change in recorded.data["changes"]] == ["corroboration.warn_at"]
    assert {other: other.read_text() for other in others} == others


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_below_the_smallest_size_seen_and_quit_still_work_and_no_size_raises(state: State) -> None:
    board = Board(state, first="incidents")
    board.write(decision("cat ~/.netrc", "block"))
    async with running(board):
        await board.sees("netrc", PATIENT)
        await board.pilot.resize_terminal(39, 11)
        await board.sees("this is 39x11", PATIENT)
        await board.press("a")
        await board.until(lambda: board.app.open_count == 0, PATIENT)
        assert board.entries()[-1].data["verb"] == "acknowledge"
        for size in ((1, 1), (0, 0), (39, 11)):
            await board.pilot.resize_terminal(*size)
            await board.pilot.pause()
        await board.press("q")
        await board.until(lambda: not board.app.is_running, PATIENT)


@pytest.mark.long
async def test_escape_leaves_the_filter_then_clears_it(board: Board) -> None:
    board.write(*(decision(f"echo {n}", "block" if n % 10 == 0 else "allow") for n in range(30)))
    async with running(board):
        bar = board.front.query_one(FilterBar)
        await board.press("slash", *"level", "colon", *"block")
        await board.until(lambda: board.rows.rows.count() == 3, PATIENT)
        await board.press("escape")
        await board.until(lambda: board.rows.has_focus, PATIENT)
        assert (bar.display, board.rows.rows.count()) == (False, 3), "out of the input, the filter is kept"
        await board.press("escape")
        await board.until(lambda: board.rows.rows.count() == 30, PATIENT)
        assert not bar.value


@pytest.mark.long
async def test_a_later_note_outlives_the_one_before_it(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.write(decision("echo 1"))
    async with running(board):
        monkeypatch.setattr(dashboard, "TOAST_SECONDS", 0.5)
        board.app.say("the first")
        monkeypatch.setattr(dashboard, "TOAST_SECONDS", 60.0)
        board.app.say("the second")
        await board.sees("the first", PATIENT)
        await board.until(lambda: "the first" not in board.text(), PATIENT)
        assert "the second" in board.text()
