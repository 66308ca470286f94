from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.intel.index import Index
from bk.engine.intel.match import matches
from bk.engine.model import Install

from .samples import opened, record


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return opened(
        tmp_path / "i",
        [
            record("listed", ["1.2.3", "2.0.0-beta.1"]),
            record("bounded", [">=1.95.6,<1.95.8"], kind="range"),
            record("fixed", ["<2.58.0"], kind="range", ecosystem="editor-extension"),
            record("since", [">0.3.9"], kind="range", ecosystem="cargo"),
            record("whole", kind="every"),
            record("two", ["1.0.0"], groups=["a"]),
            record("two", ["1.0.0", "1.0.1"], groups=["b"]),
            record("@scope/pkg", ["1.0.0"]),
            record("Capital", ["1.0.0"]),
            record("py-thing", ["1.0", "2.0.post1"], ecosystem="pypi"),
            record("forge.example/a/mod", ["v1.0.0"], ecosystem="go"),
            record("crate-x", ["1.2.3"], ecosystem="cargo"),
            record("odd", [">=one,<two"], kind="range"),
            record("mixed", ["1.0.0", "not.a-version"]),
            record("rebuilt", ["1.0+evil"], ecosystem="pypi"),
            record("branchy", ["dev-main", "1.0"], ecosystem="packagist"),
            record("only-pre", ["2.0.0-rc.1"]),
            record("py-pre", ["2.0rc1"], ecosystem="pypi"),
            record("pseudo", ["v0.0.0-20191109021931-daa7c04131f5", "v1.2.3"], ecosystem="go"),
        ],
    )


def kinds(index: Index, ecosystem: str, name: str, version: str = "", manager: str = "") -> list[str]:
    return [match.kind for match in matches(index, Install(ecosystem, name, version, manager=manager))]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2.3", ["exact"]),
        ("v1.2.3", ["exact"]),
        ("=1.2.3", ["exact"]),
        ("1.2.3+build", ["exact"]),
        ("2.0.0-beta.1", ["exact"]),
        ("1.2.4", []),
        ("2.0.0", []),
        ("", ["maybe"]),
        ("latest", ["maybe"]),
        ("beta", ["maybe"]),
        ("^1.2.0", ["maybe"]),
        ("^1.3.0", []),
        ("~1.2", ["maybe"]),
        ("1.x", ["maybe"]),
        ("*", ["maybe"]),
        ("^2.0.0", []),
        ("^2.0.0-beta.0", ["maybe"]),
        (">=3", []),
        ("<1 || >=4", []),
        ("1.2.3,", ["maybe"]),
        ("nonsense range", ["maybe"]),
    ],
)
def test_a_list_of_versions(index: Index, version: str, expected: list[str]) -> None:
    assert kinds(index, "npm", "listed", version) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.95.5", []),
        ("1.95.6", ["range"]),
        ("1.95.7", ["range"]),
        ("1.95.8", []),
        ("", ["maybe"]),
        ("^1.95.0", ["maybe"]),
        ("^1.95.8", []),
        ("<1.95.6", []),
        ("<=1.95.6", ["maybe"]),
        ("~1.94.0 || 1.95.7", ["maybe"]),
        ("latest", ["maybe"]),
    ],
)
def test_a_bounded_range(index: Index, version: str, expected: list[str]) -> None:
    assert kinds(index, "npm", "bounded", version) == expected


def test_a_range_without_a_lower_end_is_bounded_and_one_without_an_upper_end_is_not(index: Index) -> None:
    assert kinds(index, "editor-extension", "fixed", "2.57.0") == ["range"]
    assert kinds(index, "editor-extension", "fixed", "2.58.0") == []
    assert kinds(index, "cargo", "since", "=0.3.10") == ["every"]
    assert kinds(index, "cargo", "since", "=0.3.9") == []


def test_a_range_that_cannot_be_compared_is_never_a_no(index: Index) -> None:
    assert kinds(index, "npm", "odd", "1.0.0") == ["maybe"]
    assert kinds(index, "npm", "odd") == ["maybe"]


def test_every_version(index: Index) -> None:
    for version in ("1.0.0", "", "^1", "latest"):
        assert kinds(index, "npm", "whole", version) == ["every"]


def test_all_records_of_a_name_are_consulted(index: Index) -> None:
    assert [m.groups for m in matches(index, Install("npm", "two", "1.0.0"))] == [("a",), ("b",)]
    assert [m.groups for m in matches(index, Install("npm", "two", "1.0.1"))] == [("b",)]


def test_names_are_compared_as_their_registry_does(index: Index) -> None:
    assert kinds(index, "npm", "LISTED", "1.2.3") == ["exact"]
    assert kinds(index, "npm", "Capital", "1.0.0") == ["exact"]
    assert kinds(index, "npm", "@scope/pkg", "1.0.0") == ["exact"]
    assert kinds(index, "pypi", "Py_Thing", "1.0.0") == ["exact"]
    assert kinds(index, "pypi", "py.thing", "==2.0-1") == ["exact"]
    assert kinds(index, "pypi", "py-thing", "1.0+local") == ["exact"]
    assert kinds(index, "cargo", "crate_x", "=1.2.3") == ["exact"]
    assert kinds(index, "go", "forge.example/a/mod/cmd/tool", "v1.0.0") == ["exact"]
    assert kinds(index, "go", "forge.example/a/modest", "v1.0.0") == []
    assert kinds(index, "npm", "nothing") == []
    assert kinds(index, "npm", "") == []


def test_a_python_specifier(index: Index) -> None:
    assert kinds(index, "pypi", "py-thing", ">=1.0,<1.5") == ["maybe"]
    assert kinds(index, "pypi", "py-thing", ">1.0,<2.0") == []
    assert kinds(index, "pypi", "py-thing", "==1.*") == ["maybe"]


def test_cargo_add_asks_for_a_range_and_cargo_install_for_a_version(index: Index) -> None:
    assert kinds(index, "cargo", "crate-x", "1.2.0", "cargo") == ["maybe"]
    assert kinds(index, "cargo", "crate-x", "1.2.4", "cargo") == []
    assert kinds(index, "cargo", "crate-x", "1.2.0", "cargo install") == []
    assert kinds(index, "cargo", "crate-x", "1.2.3", "cargo install") == ["exact"]


def test_a_locked_crate_is_one_version_and_a_manifest_s_is_a_requirement(index: Index) -> None:
    def kind(version: str, *via: str) -> list[str]:
        return [m.kind for m in matches(index, Install("cargo", "crate-x", version, manager="cargo", via=via))]

    assert kind("1.2.0", "Cargo.lock") == []
    assert kind("1.2.3", "Cargo.lock") == ["exact"]
    assert kind("1.2.0", "Cargo.toml") == ["maybe"]
    assert kind("1.2.0", "Cargo.lock", "Cargo.toml") == ["maybe"]


def test_a_listed_version_that_cannot_be_compared_is_never_a_no(index: Index) -> None:
    assert kinds(index, "npm", "mixed", "1.0.0") == ["exact"]
    assert kinds(index, "npm", "mixed", "1.0.1") == ["maybe"]
    assert kinds(index, "npm", "mixed", ">=2") == ["maybe"]


def test_a_listed_local_rebuild_may_be_what_its_release_fetches(index: Index) -> None:
    assert kinds(index, "pypi", "rebuilt", "==1.0+evil") == ["exact"]
    assert kinds(index, "pypi", "rebuilt", "==1.0") == ["maybe"]
    assert kinds(index, "pypi", "rebuilt", ">=0.9") == ["maybe"]
    assert kinds(index, "pypi", "rebuilt", "==1.0+other") == []
    assert kinds(index, "pypi", "rebuilt", "==1.0.1") == []


def test_a_branch_is_itself_and_no_number(index: Index) -> None:
    assert kinds(index, "packagist", "branchy", "dev-main") == ["exact"]
    assert kinds(index, "packagist", "branchy", "dev-main#abcdef") == ["exact"]
    assert kinds(index, "packagist", "branchy", "dev-other") == []
    assert kinds(index, "packagist", "branchy", "1.0.1") == []
    assert kinds(index, "packagist", "branchy", "^1.0") == ["maybe"]


def test_pre_releases_are_taken_as_their_manager_takes_them(index: Index) -> None:
    assert kinds(index, "npm", "only-pre", ">=1.0.0") == []  # npm never takes one that nothing names
    assert kinds(index, "npm", "only-pre", "*") == ["maybe"]  # but follows the tag `latest`
    assert kinds(index, "npm", "only-pre", ">=2.0.0-beta") == ["maybe"]
    assert kinds(index, "pypi", "py-pre", ">=1.0") == ["maybe"]  # pip does, when nothing else fits
    assert kinds(index, "pypi", "py-pre", "<2.0") == []
    assert kinds(index, "pypi", "py-pre", "==1.*") == []


def test_a_go_query_is_no_version(index: Index) -> None:
    assert kinds(index, "go", "pseudo", "v1.2.3") == ["exact"]
    assert kinds(index, "go", "pseudo", "v1.2.4") == []
    for query in ("v1", "v1.2", "master", "daa7c04131f5", "1234567", "latest", "<v2.0.0"):
        assert kinds(index, "go", "pseudo", query) == ["maybe"], query
    assert kinds(index, "go", "pseudo", "v2") == []
    assert kinds(index, "go", "pseudo", "none") == []


def test_conda_takes_a_bare_version_for_a_prefix(index: Index) -> None:
    assert kinds(index, "conda", "py-thing", "1.0") == ["exact"]
    assert kinds(index, "conda", "py-thing", "2") == ["maybe"]
    assert kinds(index, "conda", "py-thing", "2.0.*") == ["maybe"]
    assert kinds(index, "conda", "py-thing", "3") == []
    assert kinds(index, "conda", "py-thing", ">=1.5,<3|==9") == ["maybe"]
    assert kinds(index, "conda", "py-thing", ">=3") == []
    assert kinds(index, "conda", "py-thing", "2.0=py311_0") == ["maybe"]


def test_conda_asks_about_the_same_name_elsewhere(index: Index) -> None:
    found = matches(index, Install("conda", "py-thing", "1.0"))
    assert [match.ecosystem for match in found] == ["pypi"]


def test_a_match_tells_what_the_record_tells(index: Index) -> None:
    match = matches(index, Install("npm", "listed", "1.2.3"))[0]
    assert (match.versions, match.severity, match.groups, match.provenance.word, match.ident, match.date) == (
        ("1.2.3", "2.0.0-beta.1"),
        "critical",
        ("one",),
        "pinned_origin",
        "X-1",
        "2026-01-02",
    )
