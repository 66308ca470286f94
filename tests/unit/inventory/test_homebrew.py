"""Homebrew: kegs with the links into them; casks are only reported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_keg_goes_with_the_links_that_lead_into_it(home: Home) -> None:
    prefix = ".linuxbrew"
    home.put(
        f"{prefix}/Cellar/evil/1.0_1/INSTALL_RECEIPT.json", {"installed_on_request": True, "source": {"tap": "me/tap"}}
    )
    home.put(f"{prefix}/Cellar/evil/1.0_1/bin/evil", "#!", 0o755)
    home.put(f"{prefix}/Cellar/evil/1.0_1/bin/shared", "#!", 0o755)
    home.put(f"{prefix}/Cellar/evil/0.9/INSTALL_RECEIPT.json", {"installed_on_request": False})
    home.put(f"{prefix}/Cellar/half/1.0/bin/half")
    home.put(f"{prefix}/bin/shared", "somebody else's")
    (home.path / prefix / "opt").mkdir()
    (home.path / prefix / "opt/evil").symlink_to("../Cellar/evil/1.0_1")
    (home.path / prefix / "bin/evil").symlink_to("../Cellar/evil/1.0_1/bin/evil")
    items = home.seen("homebrew")
    assert said(items) == {("evil", "1.0_1", "installed", "dir"), ("evil", "0.9", "installed", "dir")}
    item = one(items, "evil", version="1.0_1")
    assert item.locator.also == (home.at(f"{prefix}/opt/evil"), home.at(f"{prefix}/bin/evil"))
    assert (item.direct, item.note) == (True, "from the tap me/tap")
    assert one(items, "evil", version="0.9").locator.also == ()
    assert home.takes(items) == []
    before = photograph(Path(item.locator.path))
    held = hold(home.state, wish(item), projects=[item.root])
    assert not os.path.lexists(home.at(f"{prefix}/bin/evil"))
    assert os.path.lexists(home.at(f"{prefix}/bin/shared"))
    restore(home.state, held.ident)
    assert photograph(Path(item.locator.path)) == before
    assert os.readlink(home.at(f"{prefix}/bin/evil")) == "../Cellar/evil/1.0_1/bin/evil"


def test_a_cask_is_only_reported(home: Home) -> None:
    home.put("homebrew/Caskroom/evil-app/.metadata/2.1/20240101000000.000/Casks/evil-app.json", {"token": "evil-app"})
    home.put("homebrew/Caskroom/evil-app/.metadata/config.json", "{}")
    items = home.seen("homebrew")
    assert said(items) == {("evil-app", "2.1", "installed", "none")}
    assert items[0].note == "its application lies elsewhere: it is moved only by hand"
