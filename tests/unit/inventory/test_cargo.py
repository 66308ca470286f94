"""Crates: sources with their archives, vendored copies, checkouts, and installed programs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from bk.engine.inventory.ecosystems.cargo import of_folder, package
from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


INDEX = "index.registry.example-1949cf8c6b5b557f"


def crate(home: Home, folder: str, name: str, version: str, extra: str = "") -> None:
    home.put(
        f"{folder}/Cargo.toml", f'# made\n[package]\nedition = "2021"\nname = "{name}"\nversion = "{version}"\n{extra}'
    )
    home.put(f"{folder}/src/lib.rs")


def test_a_source_goes_with_the_archive_that_would_bring_it_back(home: Home) -> None:
    src, cache = f".cargo/registry/src/{INDEX}", f".cargo/registry/cache/{INDEX}"
    crate(home, f"{src}/evil-crate-1.0.0-rc.1", "evil_crate", "1.0.0-rc.1", '[lib]\nname = "other"\n')
    home.put(f"{cache}/evil-crate-1.0.0-rc.1.crate", b"tgz")
    home.put(f"{cache}/only-kept-2.0.0.crate", b"tgz")
    home.put(f"{src}/broken-1.0.0/src/lib.rs")
    home.put(".cargo/.package-cache")
    items = home.seen("cargo")
    assert said(items) == {
        ("evil-crate", "1.0.0-rc.1", "cached", "dir"),
        ("only-kept", "2.0.0", "cached", "file_set"),
        ("broken", "1.0.0", "cached", "none"),
    }
    item = one(items, "evil-crate")
    assert item.locator.path == home.at(f"{src}/evil-crate-1.0.0-rc.1")
    assert item.locator.also == (home.at(f"{cache}/evil-crate-1.0.0-rc.1.crate"),)
    assert item.root == home.at(".cargo")
    movable = [item for item in items if item.locator.kind != "none"]
    assert home.takes(movable) == []
    before = photograph(home.path / ".cargo" / "registry")
    held = hold(home.state, wish(item), projects=[item.root])
    assert os.listdir(home.at(cache)) == ["only-kept-2.0.0.crate"]
    restore(home.state, held.ident)
    after = photograph(home.path / ".cargo" / "registry")
    assert {path for path in before if b"evil" in path and before[path] != after[path]} == set()


def test_programs_by_what_cargo_noted(home: Home) -> None:
    home.put(
        ".cargo/.crates2.json",
        {
            "installs": {
                "evil-tool 1.2.3 (registry+https://u:s3cret@registry.example/index)": {
                    "bins": ["evil", "evil2", "gone"]
                },
                "greedy 1.0.0 (registry+https://registry.example/index)": {"bins": ["cargo", "../x", "evil2"]},
                "mine 0.1.0 (path+file:///home/me/mine)": {"bins": ["mine"]},
                "strange": {},
            }
        },
    )
    home.put(".cargo/.crates.toml", "[v1]\n")
    for name in ("evil", "evil2", "cargo", "mine"):
        home.put(f".cargo/bin/{name}", b"\x7fELF", 0o755)
    items = home.seen("cargo")
    item = one(items, "evil-tool")
    assert item.locator.files == (home.at(".cargo/bin/evil"),)
    assert item.locator.also == ()  # its row holds a credential
    assert one(items, "mine").locator.also == (
        home.at(".cargo/.crates2.json#/installs/mine 0.1.0 (path+file:~1~1~1home~1me~1mine)"),
        home.at(".cargo/.crates.toml#/v1/mine 0.1.0 (path+file:~1~1~1home~1me~1mine)"),
    )
    assert (item.version, item.kind, item.origin) == ("1.2.3", "installed", "https://registry.example/index")
    assert one(items, "greedy").locator.kind == "none"
    assert (one(items, "mine").locator.files, one(items, "mine").origin) == ((home.at(".cargo/bin/mine"),), "")
    assert home.problems == [(home.at(".cargo/.crates2.json"), "an entry is not understood: strange")]
    assert home.takes([item, one(items, "mine")]) == []
    hold(home.state, wish(item), projects=[item.root])
    assert sorted(os.listdir(home.at(".cargo/bin"))) == ["cargo", "evil2", "mine"]


def test_programs_installed_elsewhere_are_only_reported(home: Home) -> None:
    home.put(
        "tools/.crates2.json", {"installs": {"evil 1.0.0 (registry+https://registry.example)": {"bins": ["evil"]}}}
    )
    home.put("tools/bin/evil", b"\x7fELF")
    assert one(home.seen("cargo"), "evil").note == "its programs do not lie in .cargo/bin"


def test_a_vendored_crate_and_a_checkout(home: Home) -> None:
    crate(home, "app/vendor/evil", "evil", "1.0.0")
    home.put("app/vendor/evil/.cargo-checksum.json", "{}")
    crate(home, "app/third_party/other", "other", "1.0.0")
    home.put("app/third_party/other/.cargo-checksum.json", "{}")
    crate(home, ".cargo/git/checkouts/repo-0123/abcdef0", "gitty", "0.3.0")
    home.put(".cargo/git/checkouts/repo-0123/abcdef0/.git/HEAD")
    home.put(".cargo/git/db/repo-0123/HEAD")
    items = home.seen("cargo")
    assert said(items) == {
        ("evil", "1.0.0", "installed", "dir"),
        ("other", "1.0.0", "installed", "none"),
        ("gitty", "0.3.0", "cached", "none"),
    }
    assert one(items, "evil").root == home.at("app")
    assert home.takes([one(items, "evil")]) == []


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("serde-1.0.0", ("serde", "1.0.0")),
        ("a-b-1.0.0-rc.1+build-2", ("a-b", "1.0.0-rc.1+build-2")),
        ("windows-0-1.0.0", ("windows-0", "1.0.0")),
        ("nothing", ("nothing", "")),
    ],
)
def test_where_in_a_folder_name_the_version_begins(folder: str, told: tuple[str, str]) -> None:
    assert of_folder(folder) == told


def test_only_the_package_table_names_a_crate() -> None:
    assert package("[dependencies]\nname = \"x\"\n[package] # c\nname = 'y'\nversion.workspace = true\n") == ("y", "")
    assert package('[[bin]]\nname = "x"\n') == ("", "")


@pytest.mark.skipif(not (shutil.which("cargo") and shutil.which("cc")), reason="needs cargo and a C compiler")
def test_what_cargo_itself_leaves(home: Home) -> None:
    home.put("src/Cargo.toml", '[package]\nname = "evil-crate"\nversion = "0.1.0-rc.1"\nedition = "2021"\n')
    home.put("src/src/main.rs", "fn main() {}\n")
    env = {key: value for key, value in os.environ.items() if key in ("PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN")}
    env.setdefault("RUSTUP_HOME", f"{pwd.getpwuid(os.geteuid()).pw_dir}/.rustup")
    told = subprocess.run(
        ["cargo", "install", "--offline", "--debug", "--path", home.at("src")],
        env={**env, "HOME": str(home.path), "CARGO_HOME": home.at(".cargo")}, capture_output=True, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    item = one(home.seen("cargo"), "evil-crate")
    assert (item.version, item.locator.files) == ("0.1.0-rc.1", (home.at(".cargo/bin/evil-crate"),))
    assert home.takes([item]) == []
