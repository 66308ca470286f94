"""Extensions of editors: who they are, what else names them, and that one can be taken and given back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY, editors
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.responder.again import SAME, reread
from bk.quarantine.back import restore
from bk.quarantine.paths import contained
from bk.quarantine.record import Hold
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph

ROOT = ".vscode/extensions"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def extension(home: Home, folder: str, publisher: str, name: str, version: str, **more: Any) -> str:
    manifest = {"publisher": publisher, "name": name, "version": version, "engines": {"vscode": "^1.80.0"}, **more}
    home.put(f"{folder}/package.json", manifest)
    home.put(f"{folder}/out/extension.js", "exports.activate = () => {}\n")
    return home.at(folder)


def row(folder: str, ident: str, version: str, **metadata: Any) -> dict[str, Any]:
    location = {"$mid": 1, "path": folder, "scheme": "file"}
    return {"identifier": {"id": ident, "uuid": "0"}, "version": version, "metadata": metadata,
            "location": location, "relativeLocation": Path(folder).name}  # fmt: skip


def baseline(home: Home, **env: str) -> list[Item]:
    run = scan(home.state, profile="baseline", env=env, ecosystems={"editors": EVERY["editors"]})
    home.problems = run.problems
    return list(store.items(home.state, run))


def test_identity_is_what_the_metadata_says_in_lower_case(home: Home) -> None:
    folder = extension(home, f"{ROOT}/Evil.Theme-1.2.3-linux-x64", "Evil", "Theme", "1.2.3", scripts={"test": "x"})
    item = one(baseline(home), "evil.theme")
    assert (item.ecosystem, item.version, item.kind, item.confidence) == (
        "editor-extension", "1.2.3", "installed", "exact",
    )  # fmt: skip
    assert (item.locator.path, item.manager, item.origin) == (folder, "vscode", "marketplace")
    assert (item.observed, item.scripts) == (f"{folder}/package.json", ())
    assert home.problems == []


def test_a_folder_that_is_named_otherwise_is_told(home: Home) -> None:
    extension(home, f"{ROOT}/good.name-1.0.0", "evil", "name", "1.0.0")
    [item] = baseline(home)
    assert (item.name, item.note) == ("evil.name", "its folder is named good.name-1.0.0")


def test_the_folders_name_is_all_there_is_where_metadata_cannot_be_read(home: Home) -> None:
    home.put(f"{ROOT}/some.ext-2.0.0-beta.1/package.json", "{")
    home.put(f"{ROOT}/large.ext-1.0.0-darwin-arm64/package.json", " " * ((1 << 20) + 1))
    home.put(f"{ROOT}/nothing/readme.md")
    home.put(f"{ROOT}/nobody.ext-1.0.0/package.json", {"name": "ext", "version": "1.0.0"})
    home.put(f"{ROOT}/extensions.json", [])
    home.put(f"{ROOT}/.obsolete", {})
    items = baseline(home)
    assert said(items) == {
        ("some.ext", "2.0.0-beta.1", "installed", "dir"),
        ("large.ext", "1.0.0", "installed", "dir"),
    }
    assert {item.confidence for item in items} == {"name"}
    assert len(home.problems) == 2
    assert any("larger than" in why for _, why in home.problems)


def test_what_the_registry_says_comes_with_it(home: Home) -> None:
    folder = extension(home, f"{ROOT}/evil.ext-1.0.0", "evil", "ext", "1.0.0")
    old = extension(home, f"{ROOT}/evil.ext-0.9.0", "evil", "ext", "0.9.0")
    side = extension(home, f"{ROOT}/side.loaded-1.0.0", "side", "loaded", "1.0.0")
    home.put(f"{ROOT}/extensions.json", [
        row(home.at(f"{ROOT}/gone.ext-1.0.0"), "gone.ext", "1.0.0"),
        row(folder, "evil.ext", "1.0.0", source="gallery"),
        row(side, "side.loaded", "1.0.0", source="vsix"),
    ])  # fmt: skip
    home.put(f"{ROOT}/.obsolete", {"evil.ext-0.9.0": True})
    home.put(".config/Code/User/profiles/ab12/extensions.json", [row(folder, "evil.ext", "1.0.0")])
    items = baseline(home)
    item = one(items, "evil.ext", version="1.0.0")
    assert item.locator.also == (
        home.at(f"{ROOT}/extensions.json#/1"), home.at(".config/Code/User/profiles/ab12/extensions.json#/0"),
    )  # fmt: skip
    assert one(items, "side.loaded").origin == "vsix"
    stale = one(items, "evil.ext", version="0.9.0")
    assert (stale.kind, stale.locator.path, stale.locator.also) == ("cached", old, ())
    assert "removes it at its next start" in stale.note


def test_registries_name_folders_by_address_too(home: Home) -> None:
    folder = extension(home, ".vscode-oss/extensions/a.b-1.0.0", "a", "b", "1.0.0")
    home.put(".vscode-oss/extensions/extensions.json", [
        {"identifier": {"id": "a.b"}, "location": f"file://{folder}", "metadata": {}}, "junk", {"location": 5},
        {"identifier": {"id": "a.b"}, "location": {"path": "/a\0b"}},
    ])  # fmt: skip
    [item] = baseline(home)
    assert item.locator.also == (home.at(".vscode-oss/extensions/extensions.json#/0"),)
    assert item.origin == "open-vsx"


@pytest.mark.parametrize("root", [
    *(f"{app}/extensions" for app in editors.APPS), ".local/share/code-server/extensions",
    "snap/code/common/.vscode/extensions", ".var/app/com.vscodium.codium/data/codium/extensions",
])  # fmt: skip
def test_every_root_is_looked_at(home: Home, root: str) -> None:
    folder = extension(home, f"{root}/evil.ext-1.0.0", "evil", "ext", "1.0.0")
    [item] = baseline(home)
    assert (item.name, item.locator.path) == ("evil.ext", folder)
    assert home.takes([item]) == []


def test_portable_editors_and_other_peoples_roots_are_found_by_the_walk(home: Home) -> None:
    extension(home, "apps/VSCode-linux-x64/data/extensions/evil.ext-1.0.0", "evil", "ext", "1.0.0")
    extension(home, "box/root/.vscode-server/extensions/evil.ext-1.0.0", "evil", "ext", "1.0.0")
    home.put("gnome/extensions/clock@example/metadata.json", {"uuid": "clock@example"})
    home.put("web/extensions/plain/package.json", {"publisher": "a", "name": "plain", "version": "1.0.0"})
    items = home.seen("editors")
    assert sorted(item.locator.path for item in items) == [
        home.at("apps/VSCode-linux-x64/data/extensions/evil.ext-1.0.0"),
        home.at("box/root/.vscode-server/extensions/evil.ext-1.0.0"),
    ]
    assert {item.manager for item in items} == {"editor", "vscode-server"}


def test_packages_inside_are_parts_and_nothing_to_move(home: Home) -> None:
    folder = extension(home, f"{ROOT}/evil.ext-1.0.0", "evil", "ext", "1.0.0")
    home.put(f"{ROOT}/evil.ext-1.0.0/node_modules/@s/inner/package.json", {"name": "@s/inner", "version": "3.0.0"})
    deep = f"{ROOT}/evil.ext-1.0.0/node_modules/@s/inner/node_modules/deep/package.json"
    home.put(deep, {"name": "deep", "version": "4.0.0"})
    items = home.seen("editors", "npm")
    assert said(items) == {
        ("evil.ext", "1.0.0", "installed", "dir"),
        ("@s/inner", "3.0.0", "installed", "none"),
        ("deep", "4.0.0", "installed", "none"),
    }
    assert one(items, "deep").note == "a part of the extension evil.ext 1.0.0"
    assert one(items, "evil.ext").locator.path == folder
    assert home.takes([one(items, "evil.ext")]) == []
    roots = {item.root for item in items}
    hold(home.state, wish(one(items, "evil.ext")), projects=roots)


def test_what_somebody_works_on_is_told_and_never_taken(home: Home) -> None:
    extension(home, "work/mine", "me", "mine", "0.0.1")
    (home.path / ROOT).mkdir(parents=True)
    (home.path / ROOT / "me.mine").symlink_to(home.path / "work" / "mine")
    [item] = baseline(home)
    assert (item.name, item.locator.kind, item.note) == ("me.mine", "none", f"a link to {home.at('work/mine')}")


def test_one_is_taken_and_comes_back_with_its_row(home: Home) -> None:
    folder = extension(home, f"{ROOT}/evil.ext-1.0.0", "evil", "ext", "1.0.0")
    other = extension(home, f"{ROOT}/good.ext-1.0.0", "good", "ext", "1.0.0")
    home.put(f"{ROOT}/extensions.json", json.dumps(
        [row(folder, "evil.ext", "1.0.0"), row(other, "good.ext", "1.0.0")], indent=2))  # fmt: skip
    before, registry = photograph(home.path / ROOT), home.path / ROOT / "extensions.json"
    text = registry.read_bytes()
    item = one(baseline(home), "evil.ext")
    assert reread(item, str(home.path)) == SAME
    held = hold(home.state, wish(item), projects=[item.root])
    file, _, pointer = item.locator.also[0].partition("#")
    assert contained("mcp", file)
    entry = hold(home.state, Hold("config_entry", item.ecosystem, item.name, item.version, path=file, pointer=pointer))
    assert [each["identifier"]["id"] for each in json.loads(Path(file).read_text())] == ["good.ext"]
    assert os.path.isdir(other)
    assert not os.path.exists(folder)
    restore(home.state, entry.ident)
    restore(home.state, held.ident)
    after = photograph(home.path / ROOT)
    assert {path for path in before if before[path] != after.get(path)} <= {b"", b"/extensions.json"}
    assert registry.read_bytes() == text
