"""A scan that is started here is a real run in the inventory; what two runs differ in is what was put on the disk."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.console import scan as scans
from bk.engine.inventory import store
from bk.engine.inventory import walk as walks
from bk.engine.state import State
from bk.tui.screens.inventory import InventoryScreen
from tests.pilot.conftest import Board, running
from tests.pilot.test_hostile import STORABLE, harmless


def package(state: State, name: str, version: str = "1.0.0") -> None:
    folder = Path(state.home) / "src" / "shop" / "node_modules" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": version}))


@pytest.fixture
def shop(state: State) -> State:
    """A project with two packages, which scans look at."""
    shop = Path(state.home) / "src" / "shop"
    shop.mkdir(parents=True)
    (shop / "package.json").write_text('{"name": "shop", "version": "1.0.0"}')
    Path(state.config).write_text(f'[scan]\nroots = ["{state.home}/src"]\n')
    Path(state.config).chmod(0o600)
    package(state, "left-pad", "1.3.0")
    package(state, "zod", "3.0.0")
    return state


def scanned(board: Board) -> None:
    scans.scan("project", env=board.session.env)


async def test_a_scan_from_here_is_a_run_with_its_entry(shop: State) -> None:
    board = Board(shop, first="inventory")
    async with running(board):
        await board.sees("Nothing has been scanned yet.")
        await board.press("p")
        await board.until(lambda: bool(store.runs(shop)) and store.runs(shop)[0].ended > 0)
        (run,) = store.runs(shop)
        assert {item.name for item in store.items(shop, run)} >= {"left-pad", "zod"}
        await board.until(lambda: not board.app.doing)
        entry = board.session.outcome("scan", profile="project")
        assert entry.data["items"] == run.total
        await board.sees(f"entry #{entry.seq}")
        await board.sees("complete")
        assert not board.front.query_one("#progress").display


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Scans stand still in the middle until this is set, so that a person has the time to look."""
    go, look = threading.Event(), scans.look
    monkeypatch.setattr(walks, "TOLD_EVERY", 2)

    def waiting(*args: object, **more: object) -> object:
        tell = more["tell"]
        assert callable(tell)

        def told(directories: int, items: int, path: str) -> None:
            tell(directories, items, path)
            go.wait(10)
            tell(directories, items, path)

        return look(*args, **{**more, "tell": told})  # type: ignore[arg-type]

    monkeypatch.setattr(scans, "look", waiting)
    yield go
    go.set()


async def test_progress_is_shown_and_x_stops_the_scan(shop: State, held: threading.Event) -> None:
    for number in range(5):
        package(shop, f"more-{number}")
    board = Board(shop, first="inventory")
    async with running(board):
        await board.sees("Nothing has been scanned yet.")
        await board.press("p")
        await board.sees("project scan")
        await board.sees("1 directory")
        await board.sees("src")  # where it is
        await board.press("n")
        await board.sees("a scan is under way: x stops it")
        await board.press("x")
        await board.sees("stopping")
        held.set()
        await board.until(lambda: bool(store.runs(shop)) and store.runs(shop)[0].ended > 0)
        (run,) = store.runs(shop)
        assert (run.status, run.why) == ("error", "it was interrupted")
        await board.sees("the scan was stopped")
        entry = board.session.outcome("scan", status="stopped")
        await board.sees(f"entry #{entry.seq}")
        assert not board.app.troubles, "that a person stopped it is no problem"
        assert store.latest(shop) is None, "a run that was stopped proves nothing"


async def test_a_scan_goes_on_while_another_screen_is_looked_at(shop: State, held: threading.Event) -> None:
    board = Board(shop, first="inventory")
    async with running(board):
        await board.sees("Nothing has been scanned yet.")
        await board.press("p")
        await board.sees("project scan")
        await board.press("3")
        await board.until(lambda: board.app.current_mode == "activity")
        held.set()
        await board.until(lambda: store.latest(shop) is not None)
        await board.press("6")
        await board.sees("complete")


async def test_what_changed_between_two_runs(shop: State) -> None:
    board = Board(shop, first="inventory")
    scanned(board)
    package(shop, "chalk", "5.6.1")
    folder = Path(shop.home) / "src" / "shop" / "node_modules" / "zod"
    (folder / "package.json").unlink()
    folder.rmdir()
    scanned(board)
    scanned(board)
    async with running(board):
        await board.sees("against run 2")
        await board.sees("+ 0 came")
        await board.press("j")
        await board.sees("against run 1")
        await board.press("c")
        await board.sees("run 2 against run 1: 2 changes")
        assert {(one.look[1], one.item.name) for one in board.front.main.rows.items()} == {  # type: ignore[attr-defined]
            ("came", "chalk"),
            ("went", "zod"),
        }
        await board.press("escape", "G", "m", "g")
        await board.sees("against run 1")
        await board.press("c")
        await board.until(lambda: board.front.status.told == "run 3 against run 1: 2 changes")


async def test_the_items_of_a_run_are_found_and_explained(shop: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bk.tui.screens.inventory.MOST", 1)
    board = Board(shop, first="inventory")
    scanned(board)
    async with running(board):
        await board.sees("complete")
        await board.press("i")
        await board.sees("run 1: the first 1 of")
        await board.press("slash", *"zod", "enter")
        await board.until(lambda: board.front.main.rows.count() == 1)  # type: ignore[attr-defined]
        assert isinstance(board.front, InventoryScreen)
        await board.sees("npm:zod@3.0.0")
        record = board.front.record()
        assert record is not None
        assert record["purl"] == "pkg:npm/zod@3.0.0"
        await board.press("escape")
        await board.sees("the first 1 of")
        await board.press("escape")
        await board.sees("RESULT")


async def test_problems_are_told_with_their_places(shop: State) -> None:
    board = Board(shop, first="inventory")
    broken = Path(shop.home) / "src" / "shop" / "node_modules" / "broken"
    broken.mkdir()
    (broken / "package.json").write_text("{")
    scanned(board)
    async with running(board, (160, 50)):
        await board.sees("what it could not read: 1")
        await board.sees("node_modules/broken")


async def test_hostile_names_are_inert(shop: State) -> None:
    board = Board(shop, first="inventory")
    modules = Path(shop.home) / "src" / "shop" / "node_modules"
    for number, text in enumerate(STORABLE):
        folder = modules / f"p{number}"
        folder.mkdir()
        (folder / "package.json").write_text(json.dumps({"name": text[:200] or "x", "version": text[:60] or "1"}))
    scanned(board)
    async with running(board):
        harmless(board.text(), (100, 30))
        await board.press("i")
        await board.until(lambda: board.front.main.rows.count() > 2)  # type: ignore[attr-defined]
        rows = board.front.main  # type: ignore[attr-defined]
        for at in range(0, rows.rows.count(), 3):
            rows.pick(at)
            told = board.front.explained()
            assert told is not None
            harmless(told[1](80).plain, (80, 24))
            await board.pilot.pause()
            harmless(board.text(), (100, 30))
