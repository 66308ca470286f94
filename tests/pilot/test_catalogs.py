"""What a person has done to the catalogs is in force, in the settings and in the ledger afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bk.engine.catalogs import feeds
from bk.engine.catalogs.status import SourceRow, Status
from bk.engine.catalogs.store import Held, Row, Run
from bk.engine.console.catalogs import sheet as sheets
from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.provenance import PinnedOrigin
from bk.engine.state import State
from bk.tui.screens.confirm import Confirm
from tests.e2e.catalog_house import CatalogHouse, rows
from tests.feeds import behaviours
from tests.feeds.server import FeedServer
from tests.pilot.conftest import Board, running
from tests.pilot.test_hostile import STORABLE, harmless
from tests.pilot.test_incidents import confirmed

LONG = 40.0


@pytest.fixture
def house(state: State) -> Iterator[CatalogHouse]:
    """Feeds on loopback; only those that a test names are on."""
    with FeedServer() as feed:
        made = CatalogHouse(state, feed)
        made.settings()
        yield made


@pytest.mark.usefixtures("at_a_terminal")
async def test_sync_now_asks_the_sources_and_tells_what_was_recorded(house: CatalogHouse) -> None:
    house.feed.serve("/l.json", rows("evil", 5))
    house.use("list", "/l.json")
    board = Board(house.state, first="catalogs")
    async with running(board, (120, 40)):
        await board.sees("? never")
        await board.press("r")
        await confirmed(board, "enter")
        assert house.row("list").entries == 0, "Enter is Cancel"
        await board.press("r")
        await confirmed(board, "y")
        await board.sees("c stop", LONG)
        await board.press("r")
        await board.sees("the catalogs are being worked on", LONG)
        await board.until(lambda: house.row("list").entries == 5, LONG)
        await board.sees("news from list; generation", LONG)
        await board.sees("+ ok")
        asked = [entry.data for entry in board.entries() if entry.kind == "admin"]
        assert asked[-1]["verb"] == "catalogs sync"
        [run] = house.status().runs
        assert (run.ok, run.by.split(":")[0]) == (True, "person")
        await board.sees("+5")
        await board.press("l")
        await board.sees("updated +5")
        await board.press("escape", "d")
        await board.sees("against")
        await board.sees("npm:evil-0")


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_held_news_is_accepted_and_gone_back_from(house: CatalogHouse) -> None:
    house.feed.serve("/l.json", rows("evil", 4))
    house.use("list", "/l.json")
    house.settings(catalog_sync__max_new=100)
    assert house.sync()["ok"]
    house.feed.serve("/l.json", rows("evil", 300))
    assert not house.sync()["ok"]
    board = Board(house.state, first="catalogs")
    before = house.status().generation
    async with running(board, (120, 40)):
        await board.sees("● held back")
        await board.sees("it would add 296")
        await board.press("a")
        await confirmed(board, "y")
        await board.until(lambda: house.row("list").entries == 300, LONG)
        await board.sees("the news of list is in force", LONG)
        assert house.status().generation > before
        assert house.install("evil-50@1.0.0") != "allow"
        await board.press("b")
        await confirmed(board)
        await board.sees("296 no longer listed")
        await board.press("y")
        await board.sees("is in force again; held back: list", LONG)
        assert house.install("evil-50@1.0.0") == "allow"
        assert [entry.data["event"] for entry in house.entries("rolled-back")]


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_a_source_that_fails_never_looks_fresh_and_the_problem_stays(house: CatalogHouse) -> None:
    house.use("list", "/nothing.json")
    board = Board(house.state, first="catalogs")
    async with running(board, (120, 40)):
        await board.press("r")
        await confirmed(board, "y")
        await board.sees("x not everything could be done", LONG)
        await board.sees("x failing")
        assert house.row("list").last_success_ms == 0
        await board.press("comma")
        await board.sees("list failed")


@pytest.mark.usefixtures("at_a_terminal")
async def test_a_source_is_switched_off_on_and_back(house: CatalogHouse) -> None:
    house.use("list", "/l.json")
    board = Board(house.state, first="catalogs")
    async with running(board, (120, 40)):
        await board.sees("? never")
        assert board.rows.key == "list"
        await board.press("x")
        await confirmed(board, "y")
        await board.until(lambda: not house.row("list").enabled)
        await board.sees("list is off now")
        assert board.rows.key == "list"
        changed = [entry for entry in board.entries() if entry.kind == "config"]
        assert "list" in str(changed[-1].data)
        await board.press("u")
        await board.until(lambda: house.row("list").enabled)


@pytest.mark.long
@pytest.mark.usefixtures("at_a_terminal")
async def test_a_sync_is_stopped_and_what_is_in_force_stays(house: CatalogHouse) -> None:
    house.feed.routes["/l.json"] = behaviours.silent(b"")
    house.use("list", "/l.json")
    board = Board(house.state, first="catalogs")
    async with running(board):
        before = house.status().generation
        await board.press("o")
        await confirmed(board, "y")
        await board.until(lambda: bool(house.feed.requests), LONG)
        await board.press("c")
        await board.sees("stopped: what is in force stays in force", LONG)
        assert house.status().generation == before
        assert "c stop" not in board.text()


async def test_without_admin_every_key_says_why(state: State) -> None:
    board = Board(state, first="catalogs", why_not_admin="it must be asked for with --admin")
    async with running(board, (120, 40)):
        before = len(board.entries())
        for key in ("r", "x"):
            await board.press(key)
            await board.sees("read-only: it must be asked for with --admin")
            assert not isinstance(board.app.screen, Confirm)
        await board.press("b")
        await board.sees("there is no earlier generation to go back to")
        await board.press("d")
        await board.sees("there is no earlier generation to compare with")
        assert len(board.entries()) == before


async def test_how_far_the_sources_agree_is_counted_from_what_is_in_force(state: State) -> None:
    said = {"a": ("x",), "b": ("x", "y"), "c": ("x", "y", "z"), "d": ("y",)}
    vouched = PinnedOrigin("feed.example")
    records = [Record("npm", name, "exact", ("1.0.0",), "critical", (group,), vouched)
               for name, groups in said.items() for group in groups]  # fmt: skip
    generations.activate(state, records, {"sources": {}}, "live")
    board = Board(state, first="catalogs")
    async with running(board, (120, 40)):
        await board.until(lambda: board.front._known.agreed is not None)  # type: ignore[attr-defined]
        found = board.front._known.agreed  # type: ignore[attr-defined]
        assert found.voices == {1: 2, 2: 1, 3: 1}
        assert found.shared == {"x": (3, 2), "y": (3, 2), "z": (1, 1)}
        await board.sees("said by one")


async def test_hostile_sources_are_inert(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time.time() * 1000)
    status = Status(3, "live", built_ms=now, synced_ms=now, stale_days=None, now_ms=now)
    source = feeds.sources()[0]
    for number, text in enumerate(STORABLE):
        held = Held(text, text, 1, 2, at_ms=now, digest=text)
        wicked = Row(text, grp=text, provenance=text, problem=text, packages={text: 1}, entries=number)
        row = SourceRow(source, wicked, held, enabled=True, missing=text)
        row.title = row.licence = text
        status.sources.append(row)
    said = {"sources": {text: {"outcome": text, "detail": text} for text in STORABLE}, "problem": STORABLE[0]}
    status.runs = [Run(1, STORABLE[1], STORABLE[2], now, ended_ms=now, said=said)]
    steps = {row.name: row.name for row in status.sources}
    monkeypatch.setattr(sheets, "sheet", lambda env: sheets.Sheet(status, kept=[3, 2], steps=steps))
    delta = sheets.Delta(2, 3, {"added": 1, "removed": 0, "changed": 0}, [("added", text, text) for text in STORABLE],
                         more=True)  # fmt: skip
    monkeypatch.setattr(sheets, "delta", lambda *args, **more: delta)
    board = Board(state, first="catalogs")
    size = (100, 30)
    async with running(board, size):
        await board.until(lambda: board.rows.rows.count() >= len(set(STORABLE)))
        for at in range(board.rows.rows.count()):
            board.rows.pick(at)
            told = board.front.explained()
            assert told is not None
            harmless(told[1](size[0]).plain, size)
            if at % 25 == 0:
                for key in ("a", "x", "l", "d", "b"):
                    await board.press(key)
                    await board.pilot.pause()
                    harmless(board.text(), size)
                    await board.press("escape")
        board.front._work = object()  # type: ignore[attr-defined]
        for text in STORABLE[::4]:
            board.front._stepped({"step": text, "source": text, "detail": text, "done": 1, "total": 2})  # type: ignore[attr-defined]
            harmless(board.text(), size)
        board.front._work = None  # type: ignore[attr-defined]
