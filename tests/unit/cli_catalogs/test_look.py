"""Looking a package up, searching, and what a person who mistypes is told."""

from __future__ import annotations

import json

import pytest

from bk.engine.state import State
from tests.unit.cli_catalogs.typed import catalogs, fill


def test_show_tells_every_record_and_what_an_install_would_get(state: State) -> None:
    fill(state)
    done = catalogs(state, "show", "npm:evil@1.0.1")
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert "npm:evil@1.0.1: an install now would get QUARANTINE" in text
    assert "is listed as malicious by datadog and ossf" in text
    assert "instead:" in text
    assert "3 records" in text
    for part in (
        "1.0.0, 1.0.1",
        ">=3.0.0,<3.1.0",
        "by osv; voice ossf; pinned origin",
        "MAL-1",
        "2026-01-02",
        "nobody",
    ):
        assert part in " ".join(text.split()), part


@pytest.mark.parametrize(
    ("package", "verdict", "records"),
    [
        ("npm:evil@1.0.0", "block", 3),
        ("npm:evil@2.0.0", "allow", 3),
        ("npm:evil", "block", 3),
        ("npm:@scope/evil-too", "ask", 1),
        ("npm:@scope/evil-too@9.9.9", "ask", 1),
        ("pypi:Evil_Py@2.0", "block", 1),
        ("npm:fine", "allow", 0),
    ],
)
def test_show_says_for_programs_what_the_guard_would_do(state: State, package: str, verdict: str, records: int) -> None:
    fill(state)
    told = json.loads(catalogs(state, "show", package, "--json").stdout)
    assert (told["verdict"], len(told["records"])) == (verdict, records)
    for record in told["records"]:
        assert set(record) == {
            "ecosystem", "name", "kind", "versions", "severity", "sources", "groups", "provenance", "ids", "date",
        }  # fmt: skip


@pytest.mark.parametrize("package", ["evil", "npm:", "nope:evil", ":x", ""])
def test_show_of_what_is_no_package(state: State, package: str) -> None:
    done = catalogs(state, "show", package)
    assert done.returncode == 2
    assert "ECOSYSTEM:NAME" in done.stderr


def test_search_finds_parts_of_names(state: State) -> None:
    fill(state)
    names = {hit["name"] for hit in json.loads(catalogs(state, "search", "EVIL", "--json").stdout)["hits"]}
    assert names == {"evil", "@scope/evil-too", "evil-py"}
    done = catalogs(state, "search", "pypi:evil")
    assert done.returncode == 0
    assert done.stdout.split()[:2] == ["critical", "pypi:evil-py"]
    assert len(done.stdout.splitlines()) == 1
    told = json.loads(catalogs(state, "search", "evil", "--limit", "1", "--json").stdout)
    assert (len(told["hits"]), told["more"]) == (1, True)
    assert "--limit 0" in catalogs(state, "search", "evil", "--limit", "2").stdout


def test_search_for_what_is_not_there(state: State) -> None:
    fill(state)
    done = catalogs(state, "search", "zzz")
    assert done.returncode == 1
    assert "zzz" in done.stdout
    assert catalogs(state, "search", " ").returncode == 2


def test_names_from_outside_are_shown_harmlessly(state: State) -> None:
    fill(state)
    for words in (("search", "odd"), ("show", "npm:odd\u202ename@1.0.0")):
        done = catalogs(state, *words)
        assert "\u202e" not in done.stdout
        assert "odd" in done.stdout


def test_a_damaged_index_is_an_error_with_a_way_out(state: State) -> None:
    fill(state)
    with open(f"{state.intel}/current", encoding="ascii") as file:
        name = file.readline().strip()
    with open(f"{state.intel}/{name}", "r+b") as index:
        index.truncate(100)
    for words in (("show", "npm:evil"), ("search", "evil")):
        done = catalogs(state, *words)
        assert done.returncode == 1
        assert "bk catalogs rebuild" in done.stderr


@pytest.mark.parametrize(
    "verb",
    ["sync", "status", "diff", "search", "show", "sources", "enable", "disable", "accept", "rollback", "verify",
     "import", "export", "rebuild"],
)  # fmt: skip
def test_every_verb_explains_itself(state: State, verb: str) -> None:
    done = catalogs(state, verb, "--help")
    assert done.returncode == 0
    assert "--json" in done.stdout
    if verb not in ("status", "sources", "verify"):
        assert "Example:" in done.stdout
