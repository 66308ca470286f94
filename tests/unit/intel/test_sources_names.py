"""Names of things that come from no package registry: servers, skills, extensions, formulas."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.intel import match
from bk.engine.intel.index import CODES, key_of
from bk.engine.intel.names import ECOSYSTEMS, UNVERSIONED, canonical_name, possible
from bk.engine.intel.sources import NOTES_MAX, Batch
from bk.engine.intel.sources.every import SOURCES, by_name
from bk.engine.model import Install
from bk.engine.provenance import PinnedOrigin

from .samples import opened

POSSIBLE = {
    "mcp": ["files", "@who/server", "io.github.who/server", "Invented Server"],
    "browser-extension": ["abcdefghijklmnopabcdefghijklmnop", "{0a1b-2c3d}", "who@invented.example"],
    "homebrew": ["wget", "python@3.11", "who/tap/tool", "g++"],
    "agent-skill": ["who/skills/steal", "steal", "@who/steal"],
}
IMPOSSIBLE = {
    "mcp": ["", " x", "x ", "a  b", "@@a/b", "a//b", "/a", "../a", "a/../b", "a\tb", "a\u202eb", "x" * 513, "a;b"],
    "browser-extension": ["", "a/b", ".a", "-a", "@a", "a b", "a\nb"],
    "homebrew": ["", "a b", "@a/b", "a/b/c/d", "/a", "-a", "a/"],
    "agent-skill": ["", "@@a", "a/", "..", "a`b"],
}


@pytest.mark.parametrize(("ecosystem", "name"), [(e, name) for e, names in POSSIBLE.items() for name in names])
def test_a_name_that_can_exist(ecosystem: str, name: str) -> None:
    assert possible(ecosystem, name)


@pytest.mark.parametrize(("ecosystem", "name"), [(e, name) for e, names in IMPOSSIBLE.items() for name in names])
def test_a_name_that_cannot_exist(ecosystem: str, name: str) -> None:
    assert not possible(ecosystem, name)


def test_ascii_letters_fold_and_look_alikes_do_not() -> None:
    assert canonical_name("mcp", "Files") == canonical_name("mcp", "FILES ")
    assert canonical_name("homebrew", "Wget") == "wget"
    assert canonical_name("agent-skill", "stéal") != canonical_name("agent-skill", "STÉAL")


def test_every_ecosystem_is_filed_under_a_letter_of_its_own() -> None:
    assert set(CODES) == set(ECOSYSTEMS)
    assert len(set(CODES.values())) == len(CODES)
    assert key_of("mcp", "x") != key_of("maven", "cp:x"), "an unlisted word would be read as another's letter"


def batch() -> Batch:
    return Batch("l", "g", PinnedOrigin(), "2026-01-01")


def test_what_has_no_version_is_found_by_a_request_without_one(tmp_path: Path) -> None:
    made = batch()
    made.add("homebrew", "Tool", "exact", ["", "1.2"])
    made.add("mcp", "Server", "exact", [""])
    assert made.records[0].versions == (UNVERSIONED, "1.2")
    index = opened(tmp_path / "x.index", made.records)

    def kinds(ecosystem: str, name: str, version: str) -> list[str]:
        return [found.kind for found in match.matches(index, Install(ecosystem, name, version))]

    assert kinds("homebrew", "tool", "") == ["maybe"]
    assert kinds("homebrew", "tool", "1.2") == ["exact"]
    assert kinds("homebrew", "tool", "1.3") == []
    assert kinds("mcp", "SERVER", "") == ["maybe"]
    assert kinds("maven", "server", "") == []
    index.close()


def test_an_empty_version_of_what_always_has_one_says_nothing() -> None:
    made = batch()
    made.add("npm", "x", "exact", ["", " "])
    assert made.records == []
    assert made.notes == ["left out, names no usable version: npm x"]


def test_versions_that_cannot_be_are_left_out_and_the_rest_is_kept() -> None:
    made = batch()
    made.add("npm", "x", "exact", ["1.0.0", "a b", "\u0000", "1.0.0", "9" * 300])
    made.add("npm", "x", "range", [">=1,<2", "1.0", ">=1,2", "<1,<2,<3", "><1"])
    assert [record.versions for record in made.records] == [("1.0.0",), (">=1,<2",)]
    assert len(made.notes) == 2


def test_dates_and_ids_are_only_what_can_be_shown_and_filed() -> None:
    made = batch()
    made.add("npm", "x", "every", ident="A B\t\u202e" + "c" * 500, date="2026-1-1\n")
    assert (made.records[0].ident[:6], len(made.records[0].ident), made.records[0].date) == (
        "A_B_cc",
        128,
        "2026-01-01",
    )


def test_notes_do_not_grow_without_end() -> None:
    made = batch()
    for number in range(NOTES_MAX * 2):
        made.note("x" * 10_000 + str(number))
    assert len(made.notes) == NOTES_MAX + 1
    assert max(map(len, made.notes)) <= 400


def test_every_feed_is_complete_and_named_once() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    for source in SOURCES:
        assert by_name(source.name) is source
        assert source.title
        assert source.group
        assert source.licence
        assert source.about
        assert source.hosts or "url" in source.needs
    assert by_name("nobody") is None
