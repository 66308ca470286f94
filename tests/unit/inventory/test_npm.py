"""npm's trees, lists, stores and locks: what is there is found with its place, what is not is not invented."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest

from bk.engine.inventory import proof, store
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from tests.unit.inventory.layouts import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def package(home: Home, folder: str, name: str, version: str = "1.0.0", **more: object) -> str:
    home.put(f"{folder}/package.json", {"name": name, "version": version, **more})
    return home.at(folder)


def listed(home: Home, project: str, **entries: dict[str, object]) -> None:
    """npm's own list, written after everything in the tree as npm does."""
    packages = {f"node_modules/{name.replace('__', '/')}": entry for name, entry in entries.items()}
    home.put(f"{project}/node_modules/.package-lock.json", {"lockfileVersion": 3, "packages": packages})


def named(items: list[Item]) -> list[tuple[str, str]]:
    return sorted((item.name, item.version) for item in items)


def test_flat_scoped_and_nested_packages(home: Home) -> None:
    home.put("app/package.json", {"name": "app", "dependencies": {"left": "^1.0.0", "real-by": "npm:real@2"}})
    left = package(home, "app/node_modules/left", "left", scripts={"postinstall": "x", "test": "y"})
    package(home, "app/node_modules/left/node_modules/inner", "inner", "0.1.0")
    package(home, "app/node_modules/@sc/one", "@sc/one", "3.0.0-rc.1")
    package(home, "app/node_modules/real-by", "real", "2.0.0")
    home.put("app/node_modules/left/cli.js")
    (Path(home.at("app/node_modules/.bin"))).mkdir()
    os.symlink("../left/cli.js", home.at("app/node_modules/.bin/left"))
    os.symlink("../../elsewhere/x", home.at("app/node_modules/.bin/out"))
    items = home.seen("npm")
    assert named(items) == [("@sc/one", "3.0.0-rc.1"), ("inner", "0.1.0"), ("left", "1.0.0"), ("real", "2.0.0")]
    by = {item.name: item for item in items}
    assert by["left"].locator.path == left
    assert by["left"].locator.also == (home.at("app/node_modules/.bin/left"),)
    assert by["left"].scripts == ("postinstall",)
    assert (by["left"].direct, by["inner"].direct, by["@sc/one"].direct, by["real"].direct) == (
        True,
        False,
        False,
        True,
    )
    assert by["inner"].root == home.at("app")
    assert by["real"].note == ""
    assert by["@sc/one"].purl == "pkg:npm/%40sc/one@3.0.0-rc.1"
    assert home.takes(items) == []
    assert home.problems == []


def test_links_in_a_tree_are_not_followed(home: Home) -> None:
    package(home, "elsewhere/node_modules/hidden", "hidden")
    package(home, "app/node_modules/real", "real")
    os.symlink(home.at("elsewhere/node_modules/hidden"), home.at("app/node_modules/linked"))
    os.symlink(home.at("elsewhere/node_modules"), home.at("app/node_modules/@scope"))
    os.mkdir(home.at("app/node_modules/shell"))
    os.symlink(home.at("elsewhere/node_modules/hidden/package.json"), home.at("app/node_modules/shell/package.json"))
    assert named(home.seen("npm", root="app")) == [("real", "1.0.0")]


def test_a_newer_list_stands_in_for_metadata(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    package(home, "app/node_modules/left", "left")
    package(home, "app/node_modules/made", "made", scripts={"install": "node-gyp rebuild"})
    package(home, "app/node_modules/gyp", "gyp")
    listed(
        home,
        "app",
        left={"version": "1.0.0", "resolved": "https://user:pw@registry.example/left/-/left-1.0.0.tgz?token=1"},
        made={"version": "1.0.0", "hasInstallScript": True},
        gyp={"version": "1.0.0", "hasInstallScript": True},
        ghost={"version": "6.6.6"},
    )
    by = {item.name: item for item in home.seen("npm")}
    assert sorted(by) == ["gyp", "left", "made"]  # what is only in the list is not installed
    assert by["left"].observed.endswith("/.package-lock.json")
    assert by["left"].origin == "https://registry.example"
    assert by["made"].observed.endswith("/made/package.json")
    assert (by["made"].scripts, by["gyp"].scripts) == (("install",), ("install",))


@pytest.mark.parametrize("how", ["rewritten", "by hand", "list set back", "no list"])
def test_an_older_list_is_not_believed(home: Home, how: str) -> None:
    path = home.at("app/node_modules/left/package.json")
    package(home, "app/node_modules/left", "left")
    listed(home, "app", left={"version": "1.0.0"})
    at = Path(home.at("app/node_modules/.package-lock.json"))
    if how == "rewritten":  # in place, same size, with the old times put back
        info = os.stat(path)
        home.put("app/node_modules/left/package.json", {"name": "left", "version": "6.6.6"})
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        assert os.stat(path).st_size == info.st_size
        expected = [("left", "6.6.6")]
    elif how == "by hand":
        package(home, "app/node_modules/placed", "placed", "0.0.1")
        expected = [("left", "1.0.0"), ("placed", "0.0.1")]
    elif how == "list set back":
        home.put("app/node_modules/left/package.json", {"name": "left", "version": "6.6.6"})
        at.touch()
        os.utime(at, ns=(1, 1))
        expected = [("left", "6.6.6")]
    else:
        at.write_text("{")
        expected = [("left", "1.0.0")]
    assert named(home.seen("npm")) == expected
    assert bool(home.problems) == (how == "no list")


def test_a_thorough_look_reads_every_package_itself(home: Home) -> None:
    package(home, "app/node_modules/left", "left", "6.6.6")
    listed(home, "app", left={"version": "1.0.0"})
    assert named(home.seen("npm")) == [("left", "1.0.0")]
    run = scan(home.state, profile="deep", roots=[home.at("app")], env={})
    deep = [item for item in store.items(home.state, run, name="left") if item.locator.path.startswith(str(home.path))]
    assert named(deep) == [("left", "6.6.6")]


def test_a_package_that_calls_itself_something_else(home: Home) -> None:
    package(home, "app/node_modules/evil", "lodash", "4.17.21")
    listed(home, "app", evil={"version": "9.9.9"})
    home.put("app/node_modules/evil/package.json", {"name": "lodash", "version": "4.17.21"})
    items = home.seen("npm")
    assert named(items) == [("evil", "9.9.9"), ("lodash", "4.17.21")]
    assert [item.note for item in sorted(items, key=lambda item: item.name)] == [
        "its package.json names another package",
        "its folder says evil",
    ]


def test_an_alias_in_the_list_is_named_by_what_it_is(home: Home) -> None:
    package(home, "app/node_modules/short", "real", "2.0.0")
    listed(home, "app", short={"name": "real", "version": "2.0.0"})
    [item] = home.seen("npm")
    assert (item.name, item.note) == ("real", "")


def test_metadata_that_says_little_or_nothing(home: Home) -> None:
    home.put("app/node_modules/no-name/package.json", {"type": "module"})
    home.put("app/node_modules/no-version/package.json", {"name": "no-version"})
    home.put("app/node_modules/odd/package.json", {"name": ["odd"], "version": 7, "scripts": "x"})
    home.put("app/node_modules/broken/package.json", '{"name": "broken", ')
    home.put("app/node_modules/list/package.json", "[1]")
    home.put("app/node_modules/long/package.json", {"name": "n" * 600, "version": "1"})
    home.put("app/node_modules/half/package.json", '{"name": "\\ud800", "version": "1"}')
    home.put("app/node_modules/empty/readme.md")
    items = home.seen("npm")
    assert named(items) == [("list", ""), ("no-name", ""), ("no-version", ""), ("odd", "")]
    assert {item.confidence for item in items if item.name != "no-version"} == {"low"}
    assert sorted(Path(path).parent.name for path, _ in home.problems) == ["broken", "half", "long"]


def test_pnpm_shows_real_folders_with_every_peer_variant_and_their_links(home: Home) -> None:
    real = "app/node_modules/.pnpm/@sc+a@1.0.0_react@18.0.0/node_modules/@sc/a"
    package(home, real, "@sc/a")
    package(home, "app/node_modules/.pnpm/@sc+a@1.0.0_react@17.0.0/node_modules/@sc/a", "@sc/a")
    package(home, "app/node_modules/.pnpm/b@2.0.0/node_modules/b", "b", "2.0.0")
    for link, target in (
        ("app/node_modules/@sc/a", "../.pnpm/@sc+a@1.0.0_react@18.0.0/node_modules/@sc/a"),
        ("app/node_modules/.pnpm/node_modules/@sc/a", "../../@sc+a@1.0.0_react@18.0.0/node_modules/@sc/a"),
        ("app/node_modules/.pnpm/b@2.0.0/node_modules/@sc/a", "../../../@sc+a@1.0.0_react@18.0.0/node_modules/@sc/a"),
    ):
        Path(home.at(link)).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, home.at(link))
    home.put("app/node_modules/.modules.yaml", "storeDir: /store\n")
    items = home.seen("npm")
    assert named(items) == [("@sc/a", "1.0.0"), ("@sc/a", "1.0.0"), ("b", "2.0.0")]
    assert {item.manager for item in items} == {"pnpm"}
    [linked] = [item for item in items if item.locator.path == home.at(real)]
    assert linked.locator.also == (
        home.at("app/node_modules/@sc/a"),
        home.at("app/node_modules/.pnpm/node_modules/@sc/a"),
    )
    assert home.takes(items) == []


def test_plug_and_play_zips_and_unplugged_folders(home: Home) -> None:
    home.put("app/.pnp.cjs", "/* */")
    zipped = home.put("app/.yarn/cache/@babel-core-npm-7.24.0-0123456789-abcdef0123.zip", "PK")
    home.put("app/.yarn/cache/esbuild-npm-0.21.5-d85dfbc965-2911c7b50b.zip", "PK")
    home.put("app/.yarn/cache/notes.txt")
    whole = "app/.yarn/unplugged/esbuild-npm-0.21.5-d85dfbc965"
    package(home, f"{whole}/node_modules/esbuild", "esbuild", "0.21.5", scripts={"postinstall": "x"})
    home.put(".yarn/berry/cache/left-pad-npm-1.3.0-0123456789-8.zip", "PK")
    items = home.seen("npm")
    assert sorted((item.name, item.version, item.kind, item.locator.kind) for item in items) == [
        ("@babel/core", "7.24.0", "installed", "file_set"),
        ("esbuild", "0.21.5", "installed", "dir"),
        ("esbuild", "0.21.5", "installed", "file_set"),
        ("left-pad", "1.3.0", "cached", "file_set"),
    ]
    by = {(item.name, item.locator.kind): item for item in items}
    assert by["@babel/core", "file_set"].locator.files == (str(zipped),)
    assert by["esbuild", "file_set"].locator.also == (home.at(whole),)
    assert by["esbuild", "dir"].locator.path == home.at(whole)
    assert home.takes(items) == []


def test_npms_cache_names_what_it_can_put_back(home: Home) -> None:
    body = b"a tarball"
    digest = hashlib.sha512(body).digest()
    spelled = digest.hex()
    content = home.put(f".npm/_cacache/content-v2/sha512/{spelled[:2]}/{spelled[2:4]}/{spelled[4:]}", body)
    integrity = "sha512-" + base64.b64encode(digest).decode()
    lines = [
        {"key": f"make-fetch-happen:request-cache:https://{key}", "integrity": its}
        for key, its in (
            ("u:p@registry.example/@sc/a/-/a-1.2.3.tgz", integrity),
            ("registry.example/gone/-/gone-1.0.0.tgz", "sha512-" + "A" * 86 + "=="),
            ("registry.example/@sc%2fa", integrity),
            ("registry.example/dead/-/dead-1.0.0.tgz", integrity),
            ("registry.example/dead/-/dead-1.0.0.tgz", None),
            ("registry.example/up/-/up-1.0.0.tgz", "sha512-../../x"),
        )
    ]
    text = "\n" + "\n".join(f"0123\t{json.dumps(line)}" for line in lines) + "\nabcd\t{cut"
    home.put(".npm/_cacache/index-v5/ab/cd/ef01", text)
    items = home.seen("npm")
    assert sorted((item.name, item.version, item.kind, item.locator.files) for item in items) == [
        ("@sc/a", "1.2.3", "cached", (str(content),)),
        ("gone", "1.0.0", "cached", ()),
        ("up", "1.0.0", "cached", ()),
    ]
    assert {item.origin for item in items} == {"https://registry.example"}


def test_caches_and_stores_of_the_others(home: Home) -> None:
    package(home, ".bun/install/cache/left-pad@1.3.0@@@1", "left-pad", "1.3.0")
    package(home, ".bun/install/cache/@sc/a@2.0.0@@@1", "@sc/a", "2.0.0")
    package(home, ".cache/yarn/v6/npm-b-3.0.0-abcd-integrity/node_modules/b", "b", "3.0.0")
    home.put(".local/share/pnpm/store/v10/index/00/abcdef-@sc+c@4.0.0.json", {"files": {}})
    home.put(".local/share/pnpm/store/v3/files/00/abc-index.json", {"name": "d", "version": "5.0.0", "files": {}})
    home.put(".local/share/pnpm/store/v3/files/00/abcdef", "content")
    package(home, ".npm/_npx/0123456789abcdef/node_modules/once", "once", "6.0.0")
    package(home, ".nvm/versions/node/v20.1.0/lib/node_modules/tool", "tool", "7.0.0")
    package(home, ".local/share/pnpm/global/5/node_modules/.pnpm/e@8.0.0/node_modules/e", "e", "8.0.0")
    run = scan(home.state, profile="baseline", env={})
    items = [item for item in store.items(home.state, run) if item.observed.startswith(str(home.path))]
    assert sorted((item.name, item.version, item.kind, item.manager) for item in items) == [
        ("@sc/a", "2.0.0", "cached", "bun"),
        ("@sc/c", "4.0.0", "cached", "pnpm"),
        ("b", "3.0.0", "cached", "yarn"),
        ("d", "5.0.0", "cached", "pnpm"),
        ("e", "8.0.0", "installed", "pnpm"),
        ("left-pad", "1.3.0", "cached", "bun"),
        ("once", "6.0.0", "installed", "npx"),
        ("tool", "7.0.0", "installed", "npm"),
    ]
    assert home.takes([item for item in items if item.locator.kind != "none"]) == []


LOCKS = {
    "package-lock.json": json.dumps({"packages": {"": {"name": "app"}, "node_modules/left": {"version": "1.0.0"}}}),
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\npackages:\n\n  left@1.0.0:\n    resolution: {integrity: sha512-AA}\n",
    "yarn.lock": '# yarn lockfile v1\n\nleft@^1.0.0:\n  version "1.0.0"\n  integrity sha512-AA\n',
    "bun.lock": '{"lockfileVersion": 1, "packages": {"left": ["left@1.0.0", "", {}, "sha512-AA"],}}',
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_promises_and_has_no_place(home: Home, name: str) -> None:
    home.put(f"app/{name}", LOCKS[name])
    [item] = home.seen("npm")
    assert (item.name, item.version, item.kind, item.locator.kind) == ("left", "1.0.0", "locked", "none")
    assert item.observed == home.at(f"app/{name}")


def test_a_lock_that_cannot_be_read_is_said(home: Home) -> None:
    home.put("a/bun.lockb", b"#!/usr/bin/env bun\n\0\0")
    home.put("b/package-lock.json", "{")
    assert home.seen("npm") == []
    assert sorted(path for path, _ in home.problems) == [home.at("a/bun.lockb"), home.at("b/package-lock.json")]


def test_names_of_readers_are_also_names_of_projects(home: Home) -> None:
    for project in ("cache", "v6", "nodejs", "node_modules/inner"):
        package(home, f"work/{project}/node_modules/left", "left")
    home.put("work/node_modules/inner/package.json", {"name": "inner", "version": "1.0.0"})
    assert len([item for item in home.seen("npm") if item.name == "left"]) == 4


def test_a_folder_of_packages_given_as_a_root(home: Home) -> None:
    package(home, "app/node_modules/left", "left")
    package(home, "app/node_modules/@sc/one", "@sc/one")
    listed(home, "app", left={"version": "1.0.0"})
    items = home.seen("npm", root="app/node_modules")
    assert named(items) == [("@sc/one", "1.0.0"), ("left", "1.0.0")]
    assert {item.root for item in items} == {home.at("app")}


def test_unchanged_stamps_prove_an_unchanged_tree(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "SETTLED_NS", 0)
    package(home, "app/node_modules/left", "left")
    package(home, "app/node_modules/@sc/one", "@sc/one")
    for change, expected in (
        (lambda: None, [("@sc/one", "1.0.0"), ("left", "1.0.0")]),
        (lambda: package(home, "app/node_modules/left", "left", "2.0.0"), [("@sc/one", "1.0.0"), ("left", "2.0.0")]),
        (
            lambda: package(home, "app/node_modules/@sc/one/node_modules/deep", "deep"),
            [("@sc/one", "1.0.0"), ("deep", "1.0.0"), ("left", "2.0.0")],
        ),
        (
            lambda: package(home, "app/node_modules/@new/two", "@new/two"),
            [("@new/two", "1.0.0"), ("@sc/one", "1.0.0"), ("deep", "1.0.0"), ("left", "2.0.0")],
        ),
        (
            lambda: os.rename(home.at("app/node_modules/left"), home.at("app/node_modules/.left")),
            [("@new/two", "1.0.0"), ("@sc/one", "1.0.0"), ("deep", "1.0.0")],
        ),
    ):
        change()
        assert named(home.seen("npm")) == expected
        assert named(home.seen("npm")) == expected
