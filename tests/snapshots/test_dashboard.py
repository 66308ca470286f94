"""Every state of the dashboard as a picture, on the committed sample and a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from textual.pilot import Pilot

from bench.screenshots import still_session
from bk.engine.console.session import Session
from bk.tui.app import Dashboard
from tests.pilot.test_hostile import STORABLE, wicked

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def pressed(*keys: str) -> Callable[[Pilot[None]], object]:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.app.workers.wait_for_complete()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause(0.2)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        for widget in pilot.app.screen.query("Input"):
            widget.cursor_blink = False  # type: ignore[attr-defined]

    return press


def typed(text: str) -> list[str]:
    names = {":": "colon", " ": "space"}
    return [names.get(char, char) for char in text]


STATES: dict[str, Sequence[str]] = {
    "live": (),
    "block": ("j", "j"),
    "incident": ("tab", "j"),
    "page": ("tab", "enter"),
    "filtered": ("slash", *typed("level:block"), "enter"),
    "filtered_to_none": ("slash", *typed("nosuchword"), "enter"),
    "wrong_filter": ("slash", *typed("lvel:block")),
    "help": ("question_mark",),
    "oldest_first": ("s", "g"),
    "light": ("T", "tab"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_state(snap_compare: Compare, state: str, size: tuple[int, int]) -> None:
    with still_session() as session:
        assert snap_compare(Dashboard(session), terminal_size=size, run_before=pressed(*STATES[state]))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_read_only(snap_compare: Compare, size: tuple[int, int]) -> None:
    with still_session(why_not_admin="it must be asked for with --admin") as session:
        assert snap_compare(Dashboard(session), terminal_size=size, run_before=pressed("tab"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_empty(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "hook_command", "/usr/local/bin/bk-hook --harness claude-code")
    with still_session([]) as session:
        assert snap_compare(Dashboard(session), terminal_size=size, run_before=pressed())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_sample_banner(snap_compare: Compare, size: tuple[int, int]) -> None:
    with still_session() as session:
        session.sample = True
        session.shown_root = "sample state"
        app = Dashboard(session)
        assert snap_compare(app, terminal_size=size, run_before=pressed())
        session.sample = False  # the fixture removes the state, not the session


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_hostile_text(snap_compare: Compare, size: tuple[int, int]) -> None:
    entries = [entry for text in STORABLE for entry in wicked(text)]
    for number, entry in enumerate(entries):
        entry.at = 1_763_738_000_000 + number * 1000
    with still_session(entries) as session:
        assert snap_compare(Dashboard(session), terminal_size=size, run_before=pressed("j", "j"))
