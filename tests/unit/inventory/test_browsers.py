"""Extensions of browsers: every profile of every family, and never under an open browser."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.ecosystems.running import busy
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.responder.again import SAME, reread
from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph

A, B, C = "a" * 32, "b" * 32, "abcdefghijklmnopabcdefghijklmnop"
CHROME = ".config/google-chrome"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def packed(home: Home, profile: str, ident: str, version: str, name: str = "Nice", **more: Any) -> str:
    folder = f"{profile}/Extensions/{ident}"
    manifest = {"manifest_version": 3, "name": name, "version": version, **more}
    home.put(f"{folder}/{version}_0/manifest.json", manifest)
    home.put(f"{folder}/{version}_0/background.js", "1\n")
    return home.at(folder)


def baseline(home: Home) -> list[Item]:
    readers = {name: EVERY[name] for name in ("chromium", "firefox")}
    run = scan(home.state, profile="baseline", env={}, ecosystems=readers)
    home.problems = run.problems
    return list(store.items(home.state, run))


def firefox(home: Home, profile: str, *addons: dict[str, Any]) -> None:
    home.put(f"{profile}/extensions.json", {"schemaVersion": 36, "addons": list(addons)})


def addon(home: Home, profile: str, ident: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    path = home.put(f"{profile}/extensions/{ident}.xpi", b"PK")
    return {"id": ident, "version": version, "type": "extension", "active": True, "location": "app-profile",
            "path": str(path), "signedState": 2, "defaultLocale": {"name": "Nice"},
            "sourceURI": "https://user:secret@addons.example/a.xpi?token=secret", **more}  # fmt: skip


def test_every_profile_of_chromium_is_read(home: Home) -> None:
    home.put(f"{CHROME}/Local State", {})
    folder = packed(home, f"{CHROME}/Default", A, "1.2.3", update_url="https://updates.example/crx?x=1")
    packed(home, f"{CHROME}/Profile 12", B, "2.0", "__MSG_appName__", default_locale="de")
    messages = {"appname": {"message": "Schön"}}
    home.put(f"{CHROME}/Profile 12/Extensions/{B}/2.0_0/_locales/de/messages.json", messages)
    home.put(f"{CHROME}/Default/Extensions/Temp/x")
    items = baseline(home)
    assert said(items) == {(A, "1.2.3", "installed", "dir"), (B, "2.0", "installed", "dir")}
    item = one(items, A)
    assert (item.ecosystem, item.locator.path, item.root) == (
        "browser-extension", folder, home.at(f"{CHROME}/Default"),
    )  # fmt: skip
    assert (item.note, item.origin, item.manager) == ("Nice", "updates.example", "google-chrome")
    assert one(items, B).note == "Schön"
    assert home.takes(items) == []


def test_the_loaded_version_is_installed_and_the_others_may_come_back(home: Home) -> None:
    for version in ("9.0", "10.0"):
        packed(home, f"{CHROME}/Default", A, version)
    assert {(item.version, item.kind) for item in baseline(home)} == {("9.0", "cached"), ("10.0", "installed")}
    told = {"extensions": {"settings": {A: {"path": f"{A}/9.0_0", "from_webstore": True, "state": 0, "location": 1}}}}
    home.put(f"{CHROME}/Default/Secure Preferences", told)
    items = baseline(home)
    assert {(item.version, item.kind) for item in items} == {("9.0", "installed"), ("10.0", "cached")}
    assert {(item.origin, item.note) for item in items} == {("web store", "Nice; disabled")}


def test_unpacked_ones_are_told_and_never_taken(home: Home) -> None:
    home.put("work/mine/manifest.json", {"name": "Mine", "version": "0.1"})
    settings = {
        C: {"location": 4, "path": home.at("work/mine")},
        B: {"location": 5, "path": "/opt/browser/resources"},
        A: {"location": 4, "path": "relative"},
    }
    home.put(f"{CHROME}/Default/Preferences", {"extensions": {"settings": settings}, "account": {"email": "x"}})
    [item] = baseline(home)
    assert (item.name, item.version, item.locator.kind, item.origin) == (C, "0.1", "none", "unpacked")
    assert item.note == f"Mine; unpacked: {home.at('work/mine')}"


@pytest.mark.parametrize("data", [
    ".config/chromium", ".config/BraveSoftware/Brave-Browser", ".config/microsoft-edge", ".config/vivaldi",
    "snap/chromium/common/chromium", ".var/app/com.google.Chrome/config/google-chrome",
    "Library/Application Support/Google/Chrome", "AppData/Local/Google/Chrome/User Data",
])  # fmt: skip
def test_every_root_of_the_family_is_looked_at(home: Home, data: str) -> None:
    folder = packed(home, f"{data}/Default", A, "1.0")
    [item] = baseline(home)
    assert item.locator.path == folder
    assert home.takes([item]) == []


def test_broken_metadata_is_a_problem_and_the_folder_is_still_named(home: Home) -> None:
    home.put(f"{CHROME}/Default/Extensions/{A}/1.0_0/manifest.json", "{")
    [item] = baseline(home)
    assert (item.version, item.confidence) == ("1.0", "name")
    assert [why for _, why in home.problems] == ["it is no JSON"]


def test_firefox_is_read_from_its_registry(home: Home) -> None:
    profile = ".mozilla/firefox/x1.default-release"
    firefox(
        home, profile,
        addon(home, profile, "evil@example"),
        addon(home, profile, "off@example", active=False, signedState=0),
        addon(home, profile, "theme@example", type="theme"),
        addon(home, profile, "part@example", location="app-builtin", path=None),
        addon(home, profile, "away@example", path="/usr/lib/firefox/browser/extensions/away@example.xpi"),
        addon(home, profile, "gone@example", path=home.at(f"{profile}/extensions/no.xpi")),
        "junk",  # type: ignore[arg-type]
    )  # fmt: skip
    items = baseline(home)
    assert said(items) == {
        ("evil@example", "1.0", "installed", "file_set"),
        ("off@example", "1.0", "installed", "file_set"),
        ("away@example", "1.0", "installed", "none"),
        ("gone@example", "1.0", "installed", "none"),
    }
    item = one(items, "evil@example")
    assert item.locator.files == (home.at(f"{profile}/extensions/evil@example.xpi"),)
    assert (item.note, item.origin, item.manager) == ("Nice", "addons.example", "firefox")
    assert "secret" not in json.dumps([item.plain() for item in items])
    assert one(items, "off@example").note == "Nice; disabled; not signed"
    assert home.takes([item for item in items if item.locator.kind != "none"]) == []


@pytest.mark.parametrize("root", [
    ".librewolf", "snap/firefox/common/.mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
])  # fmt: skip
def test_every_root_of_firefox_is_looked_at(home: Home, root: str) -> None:
    firefox(home, f"{root}/p.default", addon(home, f"{root}/p.default", "evil@example"))
    assert [item.name for item in baseline(home)] == ["evil@example"]


def test_an_editors_registry_is_not_firefoxs(home: Home) -> None:
    home.put(".mozilla/firefox/p/extensions.json", [{"identifier": {"id": "a.b"}}])
    assert baseline(home) == []


def test_chromiums_is_taken_and_comes_back(home: Home) -> None:
    packed(home, f"{CHROME}/Default", A, "1.0")
    packed(home, f"{CHROME}/Default", B, "1.0")
    before = photograph(home.path / CHROME)
    item = one(baseline(home), A)
    assert reread(item, str(home.path)) == SAME
    held = hold(home.state, wish(item), projects=[item.root])
    assert [item.name for item in baseline(home)] == [B]
    restore(home.state, held.ident)
    after = photograph(home.path / CHROME)
    assert {path for path in before if before[path] != after.get(path)} <= {b"/Default/Extensions"}


def test_firefoxs_is_taken_and_comes_back(home: Home) -> None:
    profile = ".mozilla/firefox/p"
    firefox(home, profile, addon(home, profile, "evil@example"), addon(home, profile, "good@example"))
    before = photograph(home.path / profile)
    item = one(baseline(home), "evil@example")
    assert reread(item, str(home.path)) == SAME
    held = hold(home.state, wish(item), projects=[item.root])
    assert os.listdir(home.at(f"{profile}/extensions")) == ["good@example.xpi"]
    restore(home.state, held.ident)
    after = photograph(home.path / profile)
    assert {path for path in before if before[path] != after.get(path)} <= {b"/extensions"}


# ---- an open browser


def gone_pid() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_an_open_chromium_is_told_of(home: Home) -> None:
    folder = packed(home, f"{CHROME}/Default", A, "1.0")
    lock = home.path / CHROME / "SingletonLock"
    assert busy(folder) == ""
    lock.symlink_to(f"{socket.gethostname()}-{os.getpid()}")
    assert busy(folder) == f"a browser has {home.at(CHROME)} open (process {os.getpid()})"
    lock.unlink()
    lock.symlink_to(f"{socket.gethostname()}-{gone_pid()}")
    assert busy(folder) == ""  # left by a crash
    lock.unlink()
    lock.symlink_to(f"another-machine-{gone_pid()}")
    assert "open" in busy(folder)
    lock.unlink()
    lock.symlink_to("what is this")
    assert "open" in busy(folder)


def test_processes_of_a_sandbox_have_other_numbers(home: Home) -> None:
    data = ".var/app/com.google.Chrome/config/google-chrome"
    folder = packed(home, f"{data}/Default", A, "1.0")
    (home.path / data / "SingletonLock").symlink_to(f"{socket.gethostname()}-{gone_pid()}")
    assert "open" in busy(folder)


def test_an_open_firefox_is_told_of(home: Home) -> None:
    profile = ".mozilla/firefox/p"
    path = addon(home, profile, "evil@example")["path"]
    assert busy(path) == ""
    lock = home.path / profile / "lock"
    lock.symlink_to(f"127.0.1.1:+{os.getpid()}")
    assert busy(path) == f"Firefox has {home.at(profile)} open (process {os.getpid()})"
    lock.unlink()
    lock.symlink_to(f"127.0.1.1:+{gone_pid()}")
    assert busy(path) == ""


def test_firefoxs_lock_on_a_file_is_seen(home: Home) -> None:
    profile = ".mozilla/firefox/p"
    path = addon(home, profile, "evil@example")["path"]
    lock = home.put(f"{profile}/.parentlock")
    assert busy(path) == ""
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        assert busy(path) == f"Firefox has {home.at(profile)} open"
        process.communicate("\n", timeout=20)
    assert busy(path) == ""


def test_an_extension_of_an_editor_is_no_browsers(home: Home) -> None:
    home.put(".vscode/extensions/a.b-1.0.0/package.json", {})
    assert busy(home.at(".vscode/extensions/a.b-1.0.0")) == ""
