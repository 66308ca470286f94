"""Reading an artifact again answers as the disk is: the contract that every stand-in of the tests keeps to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.responder.again import CHANGED, GONE, SAME, reread
from tests.unit.responder.house import House


def found(house: House, name: str = "evil") -> Item:
    """The item that a real scan of the project gives."""
    run = scan(house.state, profile="project", roots=[str(house.project)], env={"HOME": house.state.home})
    return next(item for item in store.items(house.state, run) if item.name == name and item.locator.kind != "none")


@pytest.fixture(params=["real", "stand-in"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[House, Callable[[Item], str]]:
    house = House(tmp_path)
    real = request.param == "real"
    return house, (lambda item: reread(item, house.state.home)) if real else lambda item: house.again(item).identity


def test_what_is_as_it_was_is_the_same(again: tuple[House, Callable[[Item], str]]) -> None:
    house, ask = again
    house.install()
    assert ask(found(house)) == SAME


def test_another_version_in_its_place_has_changed(again: tuple[House, Callable[[Item], str]]) -> None:
    house, ask = again
    house.install()
    item = found(house)
    Path(item.locator.path, "package.json").write_text(json.dumps({"name": "evil", "version": "1.0.1"}))
    assert ask(item) == CHANGED


def test_another_package_in_its_place_has_changed(again: tuple[House, Callable[[Item], str]]) -> None:
    house, ask = again
    house.install()
    item = found(house)
    Path(item.locator.path, "package.json").write_text(json.dumps({"name": "good", "version": "1.0.0"}))
    assert ask(item) == CHANGED


def test_what_was_removed_is_gone(again: tuple[House, Callable[[Item], str]]) -> None:
    house, ask = again
    house.install()
    item = found(house)
    shutil.rmtree(item.locator.path)
    assert ask(item) == GONE


def test_what_is_a_link_now_has_changed(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.install()
    item = found(house)
    Path(item.locator.path).rename(house.project / "elsewhere")
    Path(item.locator.path).symlink_to(house.project / "elsewhere")
    assert reread(item, house.state.home) == CHANGED
