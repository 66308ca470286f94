"""Every screen in every state as a picture, on the committed sample and a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from textual.pilot import Pilot

from bench.screenshots import NOW, still_session
from bk.tui.app import Dashboard
from bk.tui.screens.confirm import Ask, Confirm
from bk.tui.theme import THEMES
from tests.pilot.conftest import installed
from tests.pilot.test_hostile import STORABLE, wicked
from tests.snapshots.conftest import until

Compare = Callable[..., bool]
SIZES = [(80, 24), (100, 30), (200, 50)]
SCREENS = ("overview", "incidents", "activity")


def named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def pressed(*keys: str) -> Callable[[Pilot[str]], object]:
    async def press(pilot: Pilot[str]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if keys:
            await pilot.pause(0.12)  # the filter waits for the next key
            await settled(pilot)
        for widget in pilot.app.screen.query("Input"):
            widget.cursor_blink = False  # type: ignore[attr-defined]

    return press


async def settled(pilot: Pilot[str]) -> None:
    app = pilot.app
    assert isinstance(app, Dashboard)
    await until(pilot, lambda: app.front is not None and app.front._shown and bool(app.health))
    await app.workers.wait_for_complete()
    app.clear_notifications()
    await pilot.pause()


def typed(text: str) -> list[str]:
    names = {":": "colon", " ": "space"}
    return [names.get(char, char) for char in text]


@pytest.mark.parametrize("size", SIZES, ids=named)
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(snap_compare: Compare, screen: str, size: tuple[int, int]) -> None:
    with still_session() as session:
        assert snap_compare(Dashboard(session, first=screen), terminal_size=size, run_before=pressed("j", "j"))


@pytest.mark.parametrize("size", SIZES, ids=named)
@pytest.mark.parametrize("screen", SCREENS)
def test_empty(snap_compare: Compare, screen: str, size: tuple[int, int]) -> None:
    with still_session([]) as session:
        assert snap_compare(Dashboard(session, first=screen), terminal_size=size, run_before=pressed())


STATES: dict[str, tuple[str, Sequence[str]]] = {
    "page": ("incidents", ("enter",)),
    "filtered": ("activity", ("slash", *typed("level:block"), "enter")),
    "filtered_to_none": ("activity", ("slash", *typed("nosuchword"), "enter")),
    "incidents_filtered_to_none": ("incidents", ("slash", *typed("nosuchword"), "enter")),
    "wrong_filter": ("activity", ("slash", *typed("lvel:block"))),
    "oldest_first": ("activity", ("S", "g")),
    "help": ("incidents", ("question_mark",)),
    "palette": ("incidents", ("colon",)),
    "locked": ("incidents", ("L",)),
    "go_to": ("activity", ("t",)),
}


@pytest.mark.parametrize("size", [(80, 24), (100, 30)], ids=named)
@pytest.mark.parametrize("state", STATES)
def test_state(snap_compare: Compare, state: str, size: tuple[int, int]) -> None:
    screen, keys = STATES[state]
    with still_session() as session:
        assert snap_compare(Dashboard(session, first=screen), terminal_size=size, run_before=pressed(*keys))


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("theme", [theme.name for theme in THEMES[1:]])
def test_theme(snap_compare: Compare, theme: str, screen: str) -> None:
    with still_session() as session:
        app = Dashboard(session, first=screen)
        app.theme = theme
        assert snap_compare(app, terminal_size=(100, 30), run_before=pressed())


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with still_session() as session:
        app = Dashboard(session, first="incidents")
        assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("j"))


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_read_only(snap_compare: Compare, size: tuple[int, int]) -> None:
    with still_session(why_not_admin="it must be asked for with --admin") as session:
        installed(session.state, at=NOW - 41 * 60_000)
        app = Dashboard(session, first="incidents")
        assert snap_compare(app, terminal_size=size, run_before=pressed())


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_engine_down(snap_compare: Compare, size: tuple[int, int]) -> None:
    with still_session() as session:
        session.health = lambda: {"hook": ("off", ""), "engine": ("down", ""), "chain": ("ok", "")}  # type: ignore[method-assign]
        assert snap_compare(Dashboard(session), terminal_size=size, run_before=pressed())


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_store_corrupt(snap_compare: Compare, size: tuple[int, int]) -> None:
    with still_session() as session:
        with open(f"{session.state.root}/incidents.db", "wb") as file:
            file.write(b"this is no database" * 100)
        app = Dashboard(session, first="incidents")
        assert snap_compare(app, terminal_size=size, run_before=shown_as(session.state.root))


def shown_as(root: str) -> Callable[[Pilot[str]], object]:
    """The state directory is another one each time; the picture shows the usual one."""

    async def press(pilot: Pilot[str]) -> None:
        from bk.tui.widgets.notice import NoticeView

        await settled(pilot)
        view = pilot.app.screen.query_one(NoticeView)
        assert view.notice is not None
        view.say(view.notice._replace(why=view.notice.why.replace(root, "/home/ada/.bk")))
        await pilot.pause()

    return press


@pytest.mark.parametrize("size", [(39, 11), (40, 12), (60, 20)], ids=named)
def test_small(snap_compare: Compare, size: tuple[int, int]) -> None:
    with still_session() as session:
        assert snap_compare(Dashboard(session, first="activity"), terminal_size=size, run_before=pressed())


QUESTIONS = {
    "reversible": Ask(
        "move npm:left-padd@1.3.1",
        "Move it",
        "It is read again now, and moved into the vault if it is still what was found. It can be put back.",
        [("where", "/home/ada/src/app/node_modules/left-padd"), ("evidence", "2 independent: ossf, osv")],
        opened_by="A",
        reason="Why? (kept in the ledger)",
    ),
    "for_good": Ask(
        "delete npm:left-padd@1.3.1",
        "Delete",
        "This deletes the payload for good. It cannot be undone.",
        [("kept", "the ledger entry and the sha256 of every file"), ("evidence", "still active, 2 of 3 say malicious")],
        tier=3,
        phrase="5d21e8",
        opened_by="P",
    ),
}


@pytest.mark.parametrize("size", [(80, 24), (100, 30)], ids=named)
@pytest.mark.parametrize("tier", QUESTIONS)
def test_question(snap_compare: Compare, tier: str, size: tuple[int, int]) -> None:
    async def ask(pilot: Pilot[str]) -> None:
        await settled(pilot)
        pilot.app.push_screen(Confirm(QUESTIONS[tier]))
        await pressed()(pilot)  # type: ignore[misc]

    with still_session() as session:
        assert snap_compare(Dashboard(session, first="incidents"), terminal_size=size, run_before=ask)


def test_a_problem_stays_in_sight(snap_compare: Compare) -> None:
    from bk.engine.errors import BkError

    async def fail(pilot: Pilot[str]) -> None:
        await settled(pilot)
        pilot.app.trouble(BkError("it cannot be moved now", "the last look did not find it", "bk scan"))  # type: ignore[attr-defined]
        await pilot.pause()

    with still_session() as session:
        assert snap_compare(Dashboard(session, first="incidents"), terminal_size=(80, 24), run_before=fail)


def test_sample_banner(snap_compare: Compare) -> None:
    with still_session() as session:
        session.sample = True
        session.shown_root = "sample state"
        assert snap_compare(Dashboard(session), terminal_size=(80, 24), run_before=pressed())
        session.sample = False  # the fixture removes the state, not the session


@pytest.mark.parametrize("size", SIZES, ids=named)
@pytest.mark.parametrize("screen", SCREENS)
def test_hostile_text(snap_compare: Compare, screen: str, size: tuple[int, int]) -> None:
    entries = [entry for text in STORABLE for entry in wicked(text)]
    for number, entry in enumerate(entries):
        entry.at = 1_763_738_000_000 + number * 1000
    with still_session(entries) as session:
        assert snap_compare(Dashboard(session, first=screen), terminal_size=size, run_before=pressed("j", "j"))
