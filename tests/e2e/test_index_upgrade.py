"""An upgrade to another format of the index: calls are refused, and the engine mends it by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.intel import generations
from bk.engine.intel.index import VERSION
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse
from tests.e2e.engine_house import House, until
from tests.feeds.server import FeedServer


@pytest.fixture
def house(state: State) -> Iterator[House]:
    made = House(state)
    yield made
    made.kill()


@pytest.mark.long
def test_an_index_in_an_older_format_is_built_anew_without_being_asked(house: House) -> None:
    state = house.state
    with FeedServer() as feed:
        catalogs = CatalogHouse(state, feed)
        catalogs.settings()
        facts = Path(state.home, "facts.json")
        facts.write_text('[{"ecosystem": "npm", "name": "evil-import", "version": "1.0.0"}]')
        assert catalogs.work("import", str(facts), "--vouch", "a test")["ok"]
    live = generations.in_force(state)
    assert live is not None
    with open(live.path, "r+b") as file:  # as a release with another format left it
        file.seek(8)
        file.write((VERSION - 1).to_bytes(4, "big"))
    assert generations.outgrown(state)

    first = house.call("npm i evil-import@1.0.0")
    assert first.returncode == 2
    assert b"format" in first.stdout + first.stderr
    until(lambda: not generations.outgrown(state), 60)
    until(lambda: house.call("git status").returncode == 0, 20)
    assert b"evil-import" in (said := house.call("npm i evil-import@1.0.0")).stdout + said.stderr
    now = generations.in_force(state)
    assert now is not None
    assert now.number == live.number + 1
    assert os.path.exists(f"{state.intel}/feeds")
