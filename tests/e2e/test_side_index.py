"""A resident engine keeps the index for free text by itself, and says so where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.console.pages import page
from bk.engine.ledger.search import known, path_of, whole_blocks
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from tests.e2e.engine_house import House, until

pytestmark = pytest.mark.long
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def recorded(state: State, count: int) -> None:
    ledger = Ledger.open(state)
    try:
        commands = [{"command": f"needle{n:05}"} for n in range(count)]
        ledger.append([Entry("decision", "hook:h", {"input": each}, level="allow") for each in commands])
    finally:
        ledger.close()


@pytest.fixture
def house(state: State) -> Iterator[House]:
    made = House(state)
    yield made
    made.quiet()


def test_the_engine_takes_in_what_was_recorded_without_being_asked(house: House) -> None:
    recorded(house.state, 3_000)
    assert house.bk("engine", "start").returncode == 0
    until(lambda: known(house.state) >= whole_blocks(3_000), 90)
    assert house.call("git status", "t1").returncode == 0
    assert [entry.data["input"]["command"] for entry in page(house.state, "needle00077").entries] == ["needle00077"]
    os.kill(house.engine(), 9)
    recorded(house.state, 3_000)
    assert house.bk("engine", "start").returncode == 0
    until(lambda: known(house.state) >= whole_blocks(6_000), 90)
    assert house.bk("audit", "verify").returncode == 0


@needs_root
def test_an_engine_without_room_says_so_and_goes_on_deciding(short_dir: Path) -> None:
    place = short_dir / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "none", str(place)], check=True)
    state = State(f"{place}/.bk", str(place), os.geteuid())
    state.ensure()
    house = House(state)
    try:
        recorded(state, 1_000)
        assert house.bk("engine", "start").returncode == 0

        def said() -> dict[str, object]:
            told: dict[str, object] = json.loads(house.bk("engine", "status", "--json").stdout)["side_index"]
            return told

        until(lambda: said()["on"] is False, 90)
        assert not os.path.exists(path_of(state))
        told = " ".join(house.bk("diag").stdout.split())
        assert "the index for free text is off" in told, told
        assert house.call("git status", "t1").returncode == 0
    finally:
        house.quiet()
        subprocess.run(["umount", str(place)], check=True)
