"""Lock files: every kind is read, and none ever gives a path to move."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.inventory.layouts import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


LOCKS = {
    "requirements.txt": ("evil==1.0 --hash=sha256:x\nloose>=2\nany==3.*\n-r other.txt\n", {"pypi evil 1.0"}),
    "dev-requirements.txt": ("Evil_Dev == 1.0 ; python_version > '3'\n", {"pypi evil-dev 1.0"}),
    "requirements/base.txt": ("evil===1.0\n", {"pypi evil 1.0"}),
    "constraints.txt": ("evil==1!2.0\n", {"pypi evil 1!2.0"}),
    "poetry.lock": ('[[package]]\nname = "evil"\nversion = "1.0"\n', {"pypi evil 1.0"}),
    "uv.lock": (
        '[[package]]\nname = "evil"\nversion = "1.0"\nsource = { registry = "https://registry.example" }\n\n'
        '[[package]]\nname = "mine"\nversion = "0"\nsource = { editable = "." }\n',
        {"pypi evil 1.0"},
    ),
    "pdm.lock": ('[[package]]\nname = "evil"\nversion = "1.0"\n', {"pypi evil 1.0"}),
    "pylock.toml": ('lock-version = "1.0"\n[[packages]]\nname = "evil"\nversion = "1.0"\n', {"pypi evil 1.0"}),
    "Pipfile.lock": ('{"_meta": {}, "default": {"evil": {"version": "==1.0"}}}', {"pypi evil 1.0"}),
    "Cargo.lock": (
        '[[package]]\nname = "evil"\nversion = "1.0.0"\nsource = "registry+https://registry.example"\n',
        {"cargo evil 1.0.0"},
    ),
    "Gemfile.lock": (
        "GEM\n  remote: https://registry.example/\n  specs:\n    evil (1.0)\n      dep (>= 1)\n",
        {"rubygems evil 1.0"},
    ),
    "composer.lock": ('{"packages": [{"name": "acme/evil", "version": "v1.0"}]}', {"packagist acme/evil v1.0"}),
    "packages.lock.json": (
        '{"dependencies": {"net8.0": {"Evil": {"type": "Direct", "resolved": "1.0.0"}}}}',
        {"nuget evil 1.0.0"},
    ),
    "packages.config": ('<packages><package id="Evil" version="1.0.0" /></packages>', {"nuget evil 1.0.0"}),
    "obj/project.assets.json": (
        '{"libraries": {"Evil/1.0.0": {"type": "package"}, "Mine/1.0.0": {"type": "project"}}}',
        {"nuget evil 1.0.0"},
    ),
    "gradle.lockfile": (
        "# This is a Gradle generated file\ncom.evil:evil:1.0=compileClasspath\nempty=annotationProcessor\n",
        {"maven com.evil:evil 1.0"},
    ),
    "go.mod": (
        "module mine\nrequire example.com/evil v1.0.0\nrequire example.com/old v1.0.0\n"
        "replace example.com/old => example.com/fork v1.1.0\n",
        {"go example.com/evil v1.0.0", "go example.com/fork v1.1.0"},
    ),
    "go.sum": ("example.com/evil v1.0.0 h1:x=\nexample.com/seen v0.1.0/go.mod h1:y=\n", {"go example.com/evil v1.0.0"}),
    "vendor/modules.txt": (
        "# example.com/evil v1.0.0\n## explicit\nexample.com/evil/pkg\n# example.com/a v1.0.0 => example.com/b v2.0.0\n"
        "# example.com/c v1.0.0 => ./local\n",
        {"go example.com/evil v1.0.0", "go example.com/b v2.0.0"},
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_is_a_promise_and_no_place(home: Home, name: str) -> None:
    text, expected = LOCKS[name]
    path = home.put(f"app/{name}", text)
    items = home.seen("locks")
    assert home.problems == []
    assert {f"{item.ecosystem} {item.name} {item.version}" for item in items} == expected
    assert {(item.kind, item.locator.kind, item.observed) for item in items} == {("locked", "none", str(path))}
    assert {item.root for item in items} == {str(path.parent)}


def test_go_sum_says_what_was_only_considered(home: Home) -> None:
    home.put("app/go.mod", "require example.com/evil v1.0.0\n")
    home.put("app/go.sum", "example.com/evil v1.0.0 h1:x=\nexample.com/old v0.9.0 h1:y=\n")
    told = {item.name: (item.observed.rpartition("/")[2], item.confidence) for item in home.seen("locks")}
    assert told == {"example.com/evil": ("go.mod", "exact"), "example.com/old": ("go.sum", "considered")}


def test_a_package_from_elsewhere_is_said_to_be(home: Home) -> None:
    home.put(
        "app/Cargo.lock",
        '[[package]]\nname = "evil"\nversion = "1.0.0"\nsource = "git+https://git.example/evil?rev=1#1"\n\n'
        '[[package]]\nname = "free"\nversion = "0.1.0"\n',
    )
    assert {item.name: item.note for item in home.seen("locks")} == {
        "evil": "from git, not from a registry", "free": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "folder",
    [
        "app/node_modules/x",
        "venv/lib/python3.11/site-packages/x",
        ".cargo/registry/src/i/x-1.0.0",
        "go/pkg/mod/example.com/x@v1.0.0",
        ".gem/ruby/3.0.0/gems/x-1.0",
    ],
)
def test_the_lock_of_a_package_is_none_of_ours(home: Home, folder: str) -> None:
    home.put(f"{folder}/Cargo.lock", LOCKS["Cargo.lock"][0])
    assert home.seen("locks") == []


def test_a_broken_lock_is_said(home: Home) -> None:
    home.put("app/composer.lock", "{")
    home.put("app/obj/project.assets.json", "[")
    assert home.seen("locks") == []
    assert len(home.problems) == 2
