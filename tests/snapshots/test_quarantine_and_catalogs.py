"""The two screens in every state as pictures, on fixed items, sources and clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from textual.pilot import Pilot

from bench.screenshots import NOW, still_session
from bk.engine.catalogs import feeds
from bk.engine.catalogs.status import SourceRow, Status
from bk.engine.catalogs.store import Held as News
from bk.engine.catalogs.store import Row, Run
from bk.engine.console import quarantine
from bk.engine.console import shelf as shelves
from bk.engine.console.catalogs import sheet as sheets
from bk.engine.console.catalogs.standing import next_step
from bk.engine.errors import BkError
from bk.quarantine.record import Held, Hold
from bk.tui import places
from bk.tui.app import Dashboard
from bk.tui.screens.base import LOADING_SECONDS
from bk.tui.screens.confirm import Confirm
from bk.tui.widgets import tabs
from tests.snapshots.conftest import until
from tests.snapshots.test_dashboard import named, settled

Compare = Callable[..., bool]
SIZES = [(80, 24), (100, 30), (200, 50)]
MINUTE = 60_000
TABS = ("overview", "incidents", "activity", "quarantine", "catalogs")
DIGEST = "9b1c" * 16


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures show the tabs that these two screens came with, and nothing is looked up in the state."""
    monkeypatch.setattr(tabs, "PLACES", tuple(each for each in places.PLACES if each.name in TABS))


def held(number: int, name: str, version: str, path: str, *, state: str = "held", **over: object) -> Held:
    groups = over.pop("groups", ("ossf", "osv"))
    assert isinstance(groups, tuple)
    found = [{"severity": "critical", "groups": [group], "ids": [f"MAL-2026-{number}"]} for group in groups]
    told = {
        "id": f"q_01M7Z8Q2Y2PRWRW69ET{number:07}",
        "kind": "dir",
        "ecosystem": over.pop("ecosystem", "npm"),
        "name": name,
        "version": version,
        "root": "",
        "incident": "41d0a7",
        "actor": "engine",
        "rules": ["package/known-malicious"],
        "evidence": found,
        "at_ms": NOW - number * 3 * 60 * MINUTE,
        "folders": [],
        "changes": [],
        "parts": [[path, "dir", 0, 1, 2, 0o755, [1, 1], DIGEST, 12 * number, 88_000 * number]],
    }
    made = Held.read(told, state)
    made.problem = str(over.pop("problem", ""))
    return made


FILLED = [
    held(1, "left-padd", "1.3.1", "/home/ada/src/app/node_modules/left-padd", groups=("bumblebee", "ossf", "osv")),
    held(2, "pub.theme-x", "0.4.2", "/home/ada/.vscode/extensions/pub.theme-x-0.4.2", ecosystem="editor-extension"),
    held(3, "reqeusts", "2.1.0", "/home/ada/src/ml/.venv/lib/python3.11/site-packages/reqeusts", ecosystem="pypi",
         groups=("datadog",)),
    held(9, "serde-jsonn", "1.0.1", "/home/ada/.cargo/registry/src/index/serde-jsonn-1.0.1", ecosystem="cargo"),
]  # fmt: skip
WRONG = [
    held(1, "left-padd", "1.3.1", "/home/ada/src/app/node_modules/left-padd", problem="its manifest was altered"),
    held(2, "theme-x", "0.4.2", "/home/ada/src/app/node_modules/theme-x", state="restoring"),
    Held("stranger", Hold("dir", "", "q_stranger", ""), parts=[], state="orphan", problem="the books do not know it"),
    held(4, "old", "1.0.0", "/home/ada/src/app/node_modules/old", state="restored"),
    held(5, "older", "1.0.0", "/home/ada/src/app/node_modules/older", state="purged"),
]
STEPS = [(NOW - 180 * MINUTE, step, "") for step in ("planned", "moving", "held")]
BAD = shelves.Outlook(steps=STEPS, voices=("bumblebee", "ossf", "osv"), grace_days=30)
FINE = shelves.Outlook(steps=STEPS, place="missing", grace_days=30)
SHELVES: Mapping[str, shelves.Shelf | BkError] = {
    "filled": shelves.Shelf(FILLED, frozenset({FILLED[3].ident}), would=1, pathless=1),
    "empty": shelves.Shelf((), would=2),
    "problem": shelves.Shelf(WRONG),
    "broken": BkError("the quarantine cannot be read", "/home/ada/.bk/quarantine: Input/output error", "bk diag"),
}


def source(name: str, news: News | None = None, *, enabled: bool = True, needs: str = "", **said: object) -> SourceRow:
    return SourceRow(feeds.by_name(name), Row(name, **said), news, enabled=enabled, missing=needs)


def sheet(kind: str) -> sheets.Sheet:
    fresh = kind == "filled"
    age = 14 * MINUTE if fresh else 9 * 24 * 60 * MINUTE
    synced = NOW - age
    status = Status(812 if kind != "empty" else 1, "live", built_ms=synced, synced_ms=synced,
                    stale_days=None if fresh else 9, now_ms=NOW)  # fmt: skip
    if kind == "empty":
        status.sources = [source(each.name, enabled=each.name in ("osv", "ossf")) for each in feeds.sources()]
        return sheets.Sheet(status, kept=[1], packages={"npm": 2900, "pypi": 240}, hours=2)
    asked: dict[str, Any] = {"last_success_ms": synced, "last_attempt_ms": synced, "next_ms": NOW + 106 * MINUTE}
    asked["provenance"] = "pinned_origin"
    failed: dict[str, Any] = {
        **asked,
        "last_success_ms": NOW - 26 * 60 * MINUTE,
        "problem": "HTTP 503 after 2 retries",
        "kind": "status",
    }
    news = News("datadog", "it would list 6,112 packages that nobody else knows of", 6112, 3,
                at_ms=NOW - 180 * MINUTE, digest="d")  # fmt: skip
    status.sources = [
        source("bumblebee", entries=18204, packages={"npm": 17000, "pypi": 1204}, **asked),
        source("osv", entries=229640, packages={"npm": 200000, "pypi": 20000, "go": 9640}, **failed),
        source("datadog", news, entries=9211, **asked),
        source("ossf", entries=31000, packages={"npm": 31000}, **asked),
        source("socket", needs="token"),
        source("github", enabled=False),
    ]
    fared = {"bumblebee": {"outcome": "updated", "added": 12}, "osv": {"outcome": "failed", "detail": "HTTP 503"}}
    status.runs = [Run(9, "sync", "engine", synced, ended_ms=synced + MINUTE, generation=812, said={"sources": fared})]
    return sheets.Sheet(
        status, kept=[812, 811, 810], packages={"npm": 220000, "pypi": 21000, "go": 9000}, hours=2,
        steps={row.name: next_step(row) for row in status.sources}, changes={"bumblebee": (12, 0), "ossf": (31, 4)},
    )  # fmt: skip


AGREED = sheets.Agreement(
    {1: 198000, 2: 41000, 3: 11000},
    {"bumblebee": (17900, 16000), "osv": (215000, 48000), "datadog": (9000, 6100), "ossf": (29000, 27700)},
)
DELTA = sheets.Delta(
    811, 812, {"added": 13, "removed": 0, "changed": 2},
    [("added", "npm:left-padd", "critical 1.3.1 by bumblebee"), ("changed", "pypi:reqeusts", "+ critical 2.1 by osv")],
    more=False,
)  # fmt: skip


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What the engine tells the two screens."""

    def tell(kind: str) -> None:
        def look(**_more: object) -> shelves.Shelf:
            found = SHELVES[kind]
            if isinstance(found, BkError):
                raise found
            return found

        def read(_env: object = None) -> sheets.Sheet:
            if kind == "broken":
                raise BkError(
                    "the catalogs' records cannot be read", "/home/ada/.bk/catalogs.db", "bk catalogs rebuild"
                )
            return sheet(kind)

        monkeypatch.setattr(shelves, "shelf", look)
        alive = {one.ident: quarantine.Shown(one, ()) for one in FILLED}  # a question about it must not die meanwhile
        monkeypatch.setattr(quarantine, "show", lambda ident, env=None: alive[ident])
        monkeypatch.setattr(shelves, "outlook", lambda one, env=None: BAD if one is FILLED[0] else FINE)
        monkeypatch.setattr(sheets, "sheet", read)
        monkeypatch.setattr(sheets, "agreement", lambda env=None, wanted=None: AGREED)
        monkeypatch.setattr(sheets, "delta", lambda *args, **more: DELTA)

    return tell


def after(*keys: str, asks: bool = False) -> Callable[[Pilot[str]], object]:
    async def press(pilot: Pilot[str]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            if not asks:
                await settled(pilot)
        if asks:
            await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        for widget in pilot.app.screen.query("Input"):
            widget.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()

    return press


def often(kind: str, size: tuple[int, int]) -> bool:
    return kind == "filled" or size == SIZES[0]


CASES = [
    pytest.param(screen, kind, size, id=f"{screen}-{kind}-{named(size)}",
                 marks=[] if often(kind, size) else [pytest.mark.long])
    for screen in ("quarantine", "catalogs") for kind in SHELVES for size in SIZES
]  # fmt: skip


@pytest.mark.parametrize(("screen", "kind", "size"), CASES)
def test_state(
    snap_compare: Compare, told: Callable[[str], None], screen: str, kind: str, size: tuple[int, int]
) -> None:
    told(kind)
    with still_session() as session:
        app = Dashboard(session, first=screen)
        assert snap_compare(app, terminal_size=size, run_before=after(*(["j"] if kind == "filled" else [])))


QUESTIONS = {
    "restore": ("quarantine", ("j", "R")),
    "restore_although_bad": ("quarantine", ("R",)),
    "purge": ("quarantine", ("P",)),
    "sync": ("catalogs", ("r",)),
    "accept": ("catalogs", ("a",)),
    "roll_back": ("catalogs", ("b",)),
    "switch_off": ("catalogs", ("j", "j", "j", "x")),
}


@pytest.mark.parametrize("question", [pytest.param(each, marks=[] if each == "purge" else [pytest.mark.long])
                                      for each in QUESTIONS])  # fmt: skip
def test_question(snap_compare: Compare, told: Callable[[str], None], question: str) -> None:
    told("filled")
    screen, keys = QUESTIONS[question]
    with still_session() as session:
        app = Dashboard(session, first=screen)
        assert snap_compare(app, terminal_size=(80, 24), run_before=after(*keys, asks=True))


@pytest.mark.long
@pytest.mark.parametrize(
    ("screen", "key"), [("quarantine", "enter"), ("catalogs", "enter"), ("catalogs", "l"), ("catalogs", "d")]
)
def test_page(snap_compare: Compare, told: Callable[[str], None], screen: str, key: str) -> None:
    told("filled")
    with still_session() as session:
        assert snap_compare(Dashboard(session, first=screen), terminal_size=(100, 30), run_before=after(key))


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES, ids=named)
@pytest.mark.parametrize("screen", ["quarantine", "catalogs"])
def test_read_only_and_engine_down(
    snap_compare: Compare, told: Callable[[str], None], screen: str, size: tuple[int, int]
) -> None:
    told("filled")
    with still_session(why_not_admin="it must be asked for with --admin") as session:
        session.health = lambda: {"hook": ("off", ""), "engine": ("down", ""), "chain": ("ok", "")}  # type: ignore[method-assign]
        assert snap_compare(Dashboard(session, first=screen), terminal_size=size, run_before=after())


@pytest.mark.parametrize("theme", ["bk-light", "bk-contrast"])
@pytest.mark.parametrize("screen", ["quarantine", "catalogs"])
@pytest.mark.long
def test_theme(snap_compare: Compare, told: Callable[[str], None], screen: str, theme: str) -> None:
    told("filled")
    with still_session() as session:
        app = Dashboard(session, first=screen)
        app.theme = theme
        assert snap_compare(app, terminal_size=(100, 30), run_before=after())


@pytest.mark.parametrize("screen", ["quarantine", "catalogs"])
@pytest.mark.parametrize("size", [(80, 24), pytest.param((200, 50), marks=pytest.mark.long)], ids=named)
def test_loading(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, screen: str, size: tuple[int, int]) -> None:
    async def wait(pilot: Pilot[str]) -> None:
        await pilot.pause(LOADING_SECONDS + 0.3)
        await until(pilot, lambda: bool(pilot.app.health))  # type: ignore[attr-defined]
        await pilot.pause()

    answered = threading.Event()

    def look(*_args: object, **_more: object) -> None:
        answered.wait(3)
        raise BkError("too late")

    monkeypatch.setattr(shelves, "shelf", look)
    monkeypatch.setattr(sheets, "sheet", look)
    with still_session() as session:
        assert snap_compare(Dashboard(session, first=screen), terminal_size=size, run_before=wait)
    answered.set()
