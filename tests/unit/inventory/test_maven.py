"""Java libraries: a version folder of Maven, or of Gradle."""

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


def library(home: Home, group: str, artifact: str, version: str, remote: str = "central") -> str:
    folder = f".m2/repository/{group.replace('.', '/')}/{artifact}/{version}"
    for end in ("pom", "jar", "jar.sha1"):
        home.put(f"{folder}/{artifact}-{version}.{end}", end)
    home.put(
        f"{folder}/_remote.repositories",
        f"#NOTE: internal\n{artifact}-{version}.jar>{remote}=\n{artifact}-{version}.pom>{remote}=\n",
    )
    return folder


def test_a_version_in_the_local_repository(home: Home) -> None:
    folder = library(home, "com.evil.corp", "evil-core", "1.0-SNAPSHOT")
    library(home, "junit", "junit", "4.13", remote="")
    home.put("checkout/com/evil/x/1.0/x-1.0.pom", "not a repository")
    items = home.seen("maven")
    assert said(items) == {
        ("com.evil.corp:evil-core", "1.0-SNAPSHOT", "cached", "dir"),
        ("junit:junit", "4.13", "cached", "dir"),
    }
    item = one(items, "com.evil.corp:evil-core")
    assert (item.locator.path, item.note) == (home.at(folder), "from the repository central")
    assert one(items, "junit:junit").note == "built here"
    assert home.takes(items) == []
    before = photograph(home.path / folder)
    held = hold(home.state, wish(item), projects=[item.root])
    assert not os.path.exists(home.at(folder))
    restore(home.state, held.ident)
    assert photograph(home.path / folder) == before


def test_what_gradle_downloaded(home: Home) -> None:
    files = ".gradle/caches/modules-2/files-2.1"
    home.put(f"{files}/com.evil/evil/1.0/0123abcd/evil-1.0.jar", b"PK")
    home.put(f"{files}/com.evil/evil/2.0/0123abcd/evil-2.0.pom", "<project/>")
    home.put(".gradle/caches/modules-2/metadata-2.99/module-metadata.bin", b"\0")
    items = home.seen("maven")
    assert said(items) == {("com.evil:evil", "1.0", "cached", "dir"), ("com.evil:evil", "2.0", "cached", "dir")}
    assert home.takes(items) == []
