"""Any keys at any size: nothing raises, the settings load, and nothing is done that was not asked for and confirmed."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bk.engine.console import config, gate
from bk.engine.console.diag import verified
from bk.engine.console.installed import install
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.quarantine.listing import listed
from bk.tui.actions import EVERYWHERE, FOR_GOOD
from bk.tui.places import PLACES
from bk.tui.screens.confirm import SETTLE_SECONDS, Confirm
from tests import width
from tests.e2e.engine_house import House, engines_of
from tests.pilot.conftest import Board, decision, running

Sequence = tuple[str, tuple[int, int], tuple[int, int], list[str]]
SETTLE, PHRASE, SIZE = "settle", "phrase", "size"  # steps that are more than one key
CONFIRMING = ("y", "tab", "space", "enter", "escape", "shift+tab", SETTLE, PHRASE)
MOVING = ("j", "k", "down", "up", "pagedown", "pageup", "g", "G", "home", "end", "backspace", "left", "right")
TYPED = tuple("abcxyz0179.@/[]*'\"\\#=é漢")
ACTIONS = tuple(
    key
    for each in PLACES
    for action in (*each.load().ACTIONS, *EVERYWHERE)
    for key in action.keys.split(",")
    if action.ident not in ("app.quit", "overview.sample")
)
STEPS = st.one_of(
    st.sampled_from(ACTIONS),
    st.sampled_from(CONFIRMING),
    st.sampled_from(MOVING),
    st.sampled_from([each.key for each in PLACES]),
    st.sampled_from(TYPED),
    st.sampled_from((SIZE, "q", "ctrl+p", "f1")),
)
SIZES = st.tuples(st.integers(20, 210), st.integers(6, 60))


def sequences(most: int) -> st.SearchStrategy[Sequence]:
    """A screen, two sizes, and up to that many keys."""
    places = st.sampled_from([each.name for each in PLACES])
    return st.tuples(places, SIZES, SIZES, st.lists(STEPS, min_size=3, max_size=most))


# what no network is asked for, even when the keys switch a source on and have it synced
NOWHERE = 'catalog_sync.enabled = false\ncatalog_sync.proxy = "http://127.0.0.1:9"\n'
GONE = "gone"  # what was put back, or deleted, is not listed any more
EVENTS = {"quarantine_restore": "restore ", "quarantine_purge": "purge ", "incident_approve": "move ",
          "incident_exempt": "leave "}  # fmt: skip


class Asked(NamedTuple):
    """A question that was confirmed, and what had been typed into it."""

    title: str
    tier: int
    phrase: str
    typed: str


class Machine:
    """An installation that is as it was before every sequence: one item held, one that would be, a few calls."""

    def __init__(self, top: Path) -> None:
        home, self._kept = top / "home", top / "kept"
        home.mkdir()
        self.state = State(f"{home}/.bk", str(home), os.geteuid())
        self.state.ensure()
        ledger = Ledger.open(self.state)
        ledger.append([decision(f"cat ~/.ssh/id_{n}", ("allow", "warn", "block")[n % 3]) for n in range(9)])
        ledger.close()
        install(self.state)
        path = Path(self.state.config)
        path.write_text(NOWHERE + path.read_text())
        Path(self.state.root, "welcomed").touch()
        shutil.copytree(home, self._kept, symlinks=True)

    def as_before(self) -> None:
        for pid in engines_of(self.state):
            assert pid
            House(self.state).quiet()
        shutil.rmtree(self.state.home)
        shutil.copytree(self._kept, self.state.home, symlinks=True)

    def held(self) -> dict[str, str]:
        return {each.ident: each.state for each in listed(self.state)}

    def entries(self) -> list[Entry]:
        ledger = Ledger.open(self.state, create=False)
        try:
            return ledger.entries(limit=10_000)
        finally:
            ledger.close()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    top = Path(tempfile.mkdtemp(dir="/tmp", prefix="bk"))
    made = Machine(top)
    yield made
    made.as_before()
    shutil.rmtree(top, ignore_errors=True)


USUAL: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=width.of(6, 10), derandomize=True, **USUAL)
@given(sequences(7))
def test_any_keys_do_only_what_was_confirmed(machine: Machine, sequence: Sequence) -> None:
    played(machine, sequence)


@pytest.mark.long
@settings(max_examples=500, **USUAL)
@given(sequences(25))
def test_five_hundred_sequences_do_only_what_was_confirmed(machine: Machine, sequence: Sequence) -> None:
    played(machine, sequence)


def test_the_judge_knows_a_deed_from_a_question(machine: Machine) -> None:
    """The keys that do confirm change something, so that all the others mean something."""
    purge: Sequence = ("quarantine", (100, 30), (100, 30), ["P", SETTLE, PHRASE, "tab", "tab", "space", SETTLE])
    (asked,), changed = played(machine, purge)
    assert (asked.tier, changed) == (FOR_GOOD, [GONE])
    for keys in (["P", SETTLE, "y"], ["P", SETTLE, PHRASE, "enter"], ["P", PHRASE[:1], "tab", "tab", "space"]):
        assert played(machine, (*purge[:3], keys)) == ([], [])


def played(machine: Machine, sequence: Sequence) -> tuple[list[Asked], list[str]]:
    """Play the keys on an installation as it always is; judge what is on the disk afterwards."""
    machine.as_before()
    held, settings_before, entries = machine.held(), Path(machine.state.config).read_bytes(), machine.entries()
    confirmed: list[Asked] = []
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        patch.chdir(folder)
        patch.setattr(gate, "_has_terminal", lambda path: True)
        patch.setattr(gate, "ancestors", lambda pid: [])
        watch(patch, confirmed)
        asyncio.run(keys(Board(machine.state, first=sequence[0]), sequence))
    fresh = machine.entries()[len(entries) :]
    titles = [each.title for each in confirmed]

    config.stated(machine.state)
    assert not config.in_force(machine.state).problems
    assert "whole" in "".join(text for text, _ in verified(machine.state))
    for each in confirmed:
        assert (each.tier == FOR_GOOD) == bool(each.phrase)
        assert each.typed == each.phrase
    if Path(machine.state.config).read_bytes() != settings_before:
        assert any(each.tier >= 1 for each in confirmed)
        assert [entry for entry in fresh if entry.kind == "config"]
    after = machine.held()
    changed = [(ident, after.get(ident, GONE)) for ident in {*held, *after} if after.get(ident) != held.get(ident)]
    for ident, what in changed:
        beginnings = ("move ",) if ident not in held else ("purge ", "restore ")
        wanted = [each for each in confirmed if each.title.startswith(beginnings)]
        assert wanted, (ident, what, titles)
        assert all(each.typed == ident[-6:] for each in wanted if each.tier == FOR_GOOD)
    for entry in fresh:
        begins = EVENTS.get(str(entry.data.get("event", "")))
        if begins:
            assert any(title.startswith(begins) for title in titles), (entry.data, titles)
        if entry.kind == "config":
            assert [each for each in confirmed if each.tier >= 1], entry.data
    return confirmed, sorted(what for _, what in changed)


def watch(patch: pytest.MonkeyPatch, confirmed: list[Asked]) -> None:
    """Note every question that ends with a yes."""
    dismiss = Confirm.dismiss

    def noted(question: Confirm, result: Any = None) -> Any:
        if result is not None:
            typed = [str(field.value).strip() for field in question.query("#phrase").results()]  # type: ignore[attr-defined]
            ask = question.ask
            confirmed.append(Asked(ask.title, ask.tier, ask.phrase, typed[0] if typed else ""))
        return dismiss(question, result)

    patch.setattr(Confirm, "dismiss", noted)


async def keys(board: Board, sequence: Sequence) -> None:
    """A dashboard, these keys, and the end of everything that was begun."""
    _, size, other, steps = sequence
    async with running(board, size):
        for step in steps:
            if not board.app.is_running or board.app._exit:
                return
            question = board.app.screen
            if step == SETTLE:
                await board.pilot.pause(SETTLE_SECONDS + 0.05)
            elif step == SIZE:
                await board.pilot.resize_terminal(*other)
                size, other = other, size
            elif step == PHRASE:
                await board.press(*(question.ask.phrase if isinstance(question, Confirm) else "move"))
            else:
                await board.press(step)
        while board.app._under_way:
            await board.pilot.pause(0.02)
        defects = [each for each in board.app.troubles if each.title == "a defect in bk"]
        assert not defects, defects[0].detail
