"""The dashboard dies in the middle of a restore: the engine brings it to one end, and reopening shows the truth."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.state import State
from bk.quarantine import listing
from bk.quarantine.record import Held
from bk.quarantine.vault import hold
from tests.e2e.engine_house import House, until
from tests.e2e.test_dashboard_tmux import Pane
from tests.unit.quarantine.house import package, photograph, wish

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def house(state: State) -> Iterator[House]:
    made = House(state)
    yield made
    made.quiet()


def item(state: State) -> Held:
    """The one item there ever was."""
    (found,) = listing.listed(state, ended=True)
    return found


def opened(folder: Path, state: State, command: str) -> Pane:
    folder.mkdir()
    return Pane(folder, f"cd {shlex.quote(str(ROOT))} && {shlex.quote(sys.executable)} {command}", state.home)


@pytest.mark.parametrize(
    ("step", "is_left"),
    [
        pytest.param("checked 0", "held", marks=pytest.mark.long),  # nothing was begun: it stays held
        pytest.param("restoring", "restoring", marks=pytest.mark.long),
        pytest.param("made", "restoring", marks=pytest.mark.long),
        ("put 0", "restoring"),  # it lies in its old place already, and the books do not know that
    ],
)
def test_killed_in_the_middle_of_a_restore(
    house: House, state: State, short_dir: Path, step: str, is_left: str
) -> None:
    folder = package(Path(state.home) / "src" / "app", "evil")
    before = photograph(folder)
    held = hold(state, wish(folder, incident=""))
    dying = opened(short_dir / "1", state, f"-m tests.e2e.dying_dashboard {shlex.quote(step)}")
    try:
        dying.until("npm:evil@1.0.0")
        dying.press("R")
        dying.until("its old place is free")
        dying.press("Tab")

        def gone() -> bool:
            dying.press("y")  # it is not heard before the question has settled
            return "left with 137" in dying.text()

        until(gone)
    finally:
        dying.close()
    assert item(state).state == is_left
    again = opened(short_dir / "2", state, "-m bk dashboard --admin --screen quarantine")
    try:
        if is_left == "held":
            again.until("◆ HELD")
            assert "npm:evil@1.0.0" in again.text()
            assert not folder.exists()
            again.press("V")
            again.until("every byte was read and is whole")
        else:
            again.until("~ CUT OFF")
            again.press("R")
            again.until("V brings it to its end first")
            assert house.bk("engine", "start").returncode == 0
            until(lambda: item(state).state == "restored", 30)
            again.until("Nothing is held.")
            assert photograph(folder) == before
            assert not os.path.exists(f"{state.root}/quarantine/items/{held.ident}")
            recovered = [entry for entry in house.entries() if "recover" in str(entry.data.get("event"))]
            assert recovered, "the engine says what became of it"
            again.press("h")
            again.until("✓ put back")
        asked = [entry.data["outcome"] for entry in house.entries() if entry.data.get("event") == "quarantine_restore"]
        assert asked == ["asked"], "nothing ever said that it was done"
        again.press("q")
        again.until("left with 0")
    finally:
        again.close()
