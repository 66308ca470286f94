"""Plugins of JetBrains' editors: read from inside an archive that somebody hostile may have made."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY, archive
from bk.engine.inventory.ecosystems.jetbrains import described
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.responder.again import SAME, reread
from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph

BASE = ".local/share/JetBrains/IdeaIC2024.1"
XML = """<idea-plugin url="x">
  <!-- <id>comment</id> -->
  <id>Com.Evil.Plugin</id><name>Evil &amp; co</name>
  <version>1.2.3</version><vendor email="a@example">Evil</vendor>
  <description><![CDATA[<id>not.this</id>]]></description>
  <extensions><item><id>deep.id</id></item></extensions>
  <id>second.id</id>
</idea-plugin>"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def jar(plugin: str = "", **files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as inside:
        for name, text in files.items():
            inside.writestr(name.replace("__", "/"), text)
        if plugin:
            inside.writestr("META-INF/plugin.xml", plugin)
    return made.getvalue()


def baseline(home: Home) -> list[Item]:
    run = scan(home.state, profile="baseline", env={}, ecosystems={"jetbrains": EVERY["jetbrains"]})
    home.problems = run.problems
    return list(store.items(home.state, run))


def test_a_plugin_is_named_by_the_member_of_its_jar(home: Home) -> None:
    home.put(f"{BASE}/evil/lib/a-library.jar", jar(com__a__A_class="x"))
    home.put(f"{BASE}/evil/lib/evil.jar", jar(XML))
    home.put(f"{BASE}/single.jar", jar(XML.replace("Com.Evil.Plugin", "single.jar.plugin")))
    home.put(f"{BASE}/empty/lib/other.txt")
    home.put(".config/JetBrains/IdeaIC2024.1/disabled_plugins.txt", "single.jar.plugin\n")
    items = baseline(home)
    assert said(items) == {
        ("com.evil.plugin", "1.2.3", "installed", "dir"),
        ("single.jar.plugin", "1.2.3", "installed", "file_set"),
    }
    item = one(items, "com.evil.plugin")
    assert (item.ecosystem, item.manager, item.origin) == ("editor-extension", "jetbrains", "jetbrains")
    assert (item.locator.path, item.observed) == (home.at(f"{BASE}/evil"), home.at(f"{BASE}/evil/lib/evil.jar"))
    assert one(items, "single.jar.plugin").note == "disabled"
    assert home.takes(items) == []
    assert home.problems == []


@pytest.mark.parametrize("folder", [
    "Library/Application Support/JetBrains/PyCharm2024.1/plugins", ".local/share/Google/AndroidStudio2024.1",
    "AppData/Roaming/JetBrains/WebStorm2024.1/plugins",
    "Library/Application Support/Google/AndroidStudio2024.1/plugins",
])  # fmt: skip
def test_every_root_is_looked_at(home: Home, folder: str) -> None:
    home.put(f"{folder}/evil/lib/evil.jar", jar(XML))
    [item] = baseline(home)
    assert item.locator.path == home.at(f"{folder}/evil")
    assert home.takes([item]) == []


def test_hostile_archives_are_problems_and_nothing_else(home: Home) -> None:
    home.put(f"{BASE}/a/lib/a.jar", b"no zip at all")
    home.put(f"{BASE}/b/lib/b.jar", jar("<idea-plugin><id>x"))
    home.put(f"{BASE}/c/lib/c.jar", jar('<!DOCTYPE p [<!ENTITY a "aaaa">]><idea-plugin><id>&a;</id></idea-plugin>'))
    home.put(f"{BASE}/d/lib/d.jar", jar("<idea-plugin>" + "<a>" * 100_000))
    home.put(f"{BASE}/e/lib/e.jar", jar("<idea-plugin><id>x</id>" + " " * (3 << 20)))
    (home.path / BASE / "f" / "lib").mkdir(parents=True)
    (home.path / BASE / "f" / "lib" / "f.jar").symlink_to(home.path / BASE / "a" / "lib" / "a.jar")
    assert baseline(home) == []
    assert {path.rpartition("/")[2]: why for path, why in home.problems} == {
        "a.jar": "it is no zip archive",
        "b.jar": "its plugin.xml is no XML",
        "c.jar": "its plugin.xml declares entities",
        "d.jar": "its plugin.xml is nested too deeply",
        "e.jar": "its META-INF/plugin.xml is too large or encrypted",
    }


def test_an_archive_is_not_believed_about_its_own_size(tmp_path: Path) -> None:
    whole = bytearray(jar(XML))
    at = whole.rfind(b"PK\x05\x06")
    struct.pack_into("<I", whole, at + 12, archive.DIRECTORY_MAX + 1)
    (tmp_path / "a.jar").write_bytes(whole)
    with pytest.raises(ValueError, match="too large"):
        archive.member(str(tmp_path / "a.jar"), "META-INF/plugin.xml", 1000)
    long = bytes(whole[:at]) + struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    long += struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1) + jar(XML)[at:]
    (tmp_path / "b.jar").write_bytes(long)
    with pytest.raises(ValueError, match="too large"):
        archive.member(str(tmp_path / "b.jar"), "META-INF/plugin.xml", 1000)
    (tmp_path / "c.jar").write_bytes(jar(XML))
    assert archive.member(str(tmp_path / "c.jar"), "META-INF/none.xml", 1000) is None


def test_a_member_that_is_more_than_it_says_is_refused(tmp_path: Path) -> None:
    whole = bytearray(jar("x" * 5000))
    central = whole.rfind(b"PK\x01\x02")
    struct.pack_into("<I", whole, central + 24, 100)
    (tmp_path / "a.jar").write_bytes(whole)
    try:
        data = archive.member(str(tmp_path / "a.jar"), "META-INF/plugin.xml", 1000)
    except ValueError:
        data = b""
    assert data is not None
    assert len(data) <= 1000


def test_only_the_fields_below_the_root_count() -> None:
    assert described(XML.encode()) == {
        "id": "Com.Evil.Plugin", "name": "Evil & co", "version": "1.2.3", "vendor": "Evil",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["com.evil.plugin", "single.jar.plugin"])
def test_one_is_taken_and_comes_back(home: Home, name: str) -> None:
    home.put(f"{BASE}/evil/lib/evil.jar", jar(XML))
    home.put(f"{BASE}/single.jar", jar(XML.replace("Com.Evil.Plugin", "single.jar.plugin")))
    before = photograph(home.path / BASE)
    item = one(baseline(home), name)
    assert reread(item, str(home.path)) == SAME
    held = hold(home.state, wish(item), projects=[item.root])
    assert [one.name for one in baseline(home)] == [other for other in ("com.evil.plugin", "single.jar.plugin")
                                                   if other != name]  # fmt: skip
    restore(home.state, held.ident)
    after = photograph(home.path / BASE)
    assert {path for path in before if before[path] != after.get(path)} <= {b""}
