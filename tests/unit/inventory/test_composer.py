"""PHP packages: what Composer noted, and only what really lies below vendor."""

from __future__ import annotations

import hashlib
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


URL = "https://u:s3cret@registry.example/acme/evil/zipball/abc"


def project(home: Home, packages: list[object], base: str = "app") -> None:
    home.put(f"{base}/vendor/composer/installed.json", {"packages": packages, "dev": True})
    home.put(f"{base}/vendor/composer/autoload_files.php", "<?php return [];\n")
    home.put(f"{base}/vendor/autoload.php", "<?php\n")


def package(name: str, version: str = "v1.0.0", **over: object) -> dict[str, object]:
    return {"name": name, "version": version, "install-path": f"../{name}", "dist": {"type": "zip"}, **over}


def test_a_package_goes_with_its_commands_and_its_archive(home: Home) -> None:
    dist = {"type": "zip", "url": URL, "reference": "abc"}
    evil = package("Acme/Evil", dist=dist, bin=["bin/evil", "other"], autoload={"files": ["boot.php"]})
    evil["install-path"] = "../Acme/Evil"
    project(home, [evil, package("acme/good"), package("composer/semver", "3.4.0")])
    home.put("app/vendor/Acme/Evil/boot.php", "<?php\n")
    home.put("app/vendor/acme/good/x.php")
    home.put("app/vendor/composer/semver/x.php")
    home.put("app/vendor/bin/evil", "#!/usr/bin/env php\n<?php include __DIR__ . '/..'.'/Acme/Evil/bin/evil';\n", 0o755)
    home.put("app/vendor/bin/other", "somebody else's")
    stem = hashlib.sha1(URL.encode()).hexdigest()
    home.put(f".cache/composer/files/Acme/Evil/{stem}.zip", b"PK")
    items = home.seen("packagist", root="app")
    assert said(items) == {
        ("acme/evil", "v1.0.0", "installed", "dir"),
        ("acme/good", "v1.0.0", "installed", "dir"),
        ("composer/semver", "3.4.0", "installed", "dir"),
    }
    item = one(items, "acme/evil")
    assert item.locator.also == (
        home.at("app/vendor/bin/evil"),
        home.at(f".cache/composer/files/Acme/Evil/{stem}.zip"),
    )
    assert item.note == "PHP loads files of it on every request and stops without them; reference abc"
    assert (item.origin, item.root) == ("https://registry.example/acme/evil/zipball/abc", home.at("app"))
    assert home.takes(items) == []
    before = photograph(home.path / "app" / "vendor" / "Acme" / "Evil")
    held = hold(home.state, wish(item), projects=[item.root])
    assert not os.path.lexists(home.at("app/vendor/Acme/Evil"))
    assert os.listdir(home.at("app/vendor/bin")) == ["other"]
    restore(home.state, held.ident)
    assert photograph(home.path / "app" / "vendor" / "Acme" / "Evil") == before


def test_what_lies_elsewhere_or_is_a_link_stays(home: Home) -> None:
    outside = package("acme/outside")
    outside["install-path"] = "../../src"
    meta = package("acme/meta")
    meta["install-path"] = None
    link = package("acme/link", bin=["bin/x"])
    climbing = package("acme/up")
    climbing["install-path"] = "../../../../../etc"
    project(home, [outside, meta, link, climbing, {"name": "../x"}, 7, package("acme/gone")])
    home.put("app/src/x.php")
    home.put("mine/x.php")
    (home.path / "app/vendor/acme").mkdir()
    (home.path / "app/vendor/acme/link").symlink_to(home.path / "mine")
    items = home.seen("packagist")
    assert {item.locator.kind for item in items} == {"none"}
    assert {item.name: item.note for item in items} == {
        "acme/outside": "it does not lie below vendor",
        "acme/meta": "it has no files",
        "acme/link": "a link to a folder of one's own: it is never moved",
        "acme/up": "it does not lie below vendor",
        "acme/gone": "",
    }
    assert {why for _, why in home.problems} == {"an entry names no package"}


def test_an_old_list_and_a_broken_one(home: Home) -> None:
    home.put("old/vendor/composer/installed.json", [{"name": "acme/evil", "version": "1.0"}])
    home.put("old/vendor/acme/evil/x.php")
    home.put("broken/vendor/composer/installed.json", {"packages": 3})
    items = home.seen("packagist")
    assert said(items) == {("acme/evil", "1.0", "installed", "dir")}
    assert home.problems == [(home.at("broken/vendor/composer/installed.json"), "it lists no packages")]
