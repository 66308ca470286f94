"""Who publishes a release, and whether they had a part in the one before."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from bk.engine.intel import releases
from bk.engine.intel.answers import ANSWERS
from bk.engine.model import Install
from bk.engine.state import State
from tests.unit.posture.registry import registry
from tests.unit.posture.test_posture import LEFT, NOW, TARGET, House, findings, npm, release, rules, time_of


def document(*versions: tuple[str, int, list[str], str]) -> dict[str, Any]:
    """A package document: (version, minutes ago, maintainers, publisher), newest last."""
    return {
        "dist-tags": {"latest": versions[-1][0]},
        "time": {version: time_of(minutes) for version, minutes, _, _ in versions},
        "versions": {
            version: {"maintainers": [{"name": one} for one in people], "_npmUser": {"name": who}}
            for version, _, people, who in versions
        },
    }


@pytest.mark.parametrize(
    ("versions", "asked", "people", "newcomers"),
    [
        ([("1.0.0", 90, ["ann"], "ann"), ("1.0.1", 30, ["ann"], "ann")], "", ("ann",), ()),
        ([("1.0.0", 90, ["ann"], "ann"), ("1.0.1", 30, ["ann", "eve"], "eve")], "", ("eve", "ann"), ("eve",)),
        ([("1.0.0", 90, ["ann"], "ann"), ("1.0.1", 30, ["eve"], "eve")], "1.0.1", ("eve",), ("eve",)),
        ([("1.0.0", 90, ["ann"], "ann"), ("1.0.1", 30, ["eve"], "eve")], "1.0.0", ("ann",), None),
        ([("1.0.0", 30, ["ann"], "ann")], "", ("ann",), None),
        ([("2.0.0", 30, ["ann"], "ann"), ("1.0.9", 10, ["eve"], "eve")], "", ("eve",), ("eve",)),
        ([("1.0.0", 90, [], ""), ("1.0.1", 30, ["eve"], "eve")], "", ("eve",), None),
        ([("1.0.0", 30, [], "")], "", None, None),
    ],
)
def test_npm_tells_who_is_new(versions: Any, asked: str, people: Any, newcomers: Any) -> None:
    told = ANSWERS["npm"].read("left-pad", asked, document(*versions))
    assert (told.maintainers, told.newcomers) == (people, newcomers)


def test_crates_and_extensions_tell_who_published() -> None:
    versions = [
        {"num": "1.0.1", "created_at": time_of(30), "published_by": {"login": "eve"}},
        {"num": "1.0.0", "created_at": time_of(90), "published_by": {"login": "ann"}},
    ]
    told = ANSWERS["cargo"].read("x", "=1.0.1", {"versions": versions})
    assert (told.maintainers, told.newcomers) == (("eve",), ("eve",))
    told = ANSWERS["cargo"].read("x", "=1.0.0", {"versions": versions})
    assert (told.maintainers, told.newcomers) == (("ann",), None)
    said = {"timestamp": time_of(30), "version": "1.0.0", "publishedBy": {"loginName": "ann"}}
    assert ANSWERS["editor-extension"].read("p.x", "", said).maintainers == ("ann",)


@pytest.mark.parametrize("hostile", [None, 7, "x", ["a"], [{"name": 3}, None], {"name": "x"}])
def test_people_of_another_shape_are_nobody_and_nothing_breaks(hostile: Any) -> None:
    said = npm(30)
    said["versions"]["1.0.0"] |= {"maintainers": hostile if isinstance(hostile, list) else None, "_npmUser": hostile}
    told = ANSWERS["npm"].read("left-pad", "1.0.0", said)
    assert told.maintainers in (None, ("a",), ("x",))


def test_a_fresh_release_by_newcomers_says_so() -> None:
    known = {TARGET: {**release(30, []), "newcomers": ["eve\x1b[31m"]}}
    (one,) = findings(LEFT, known)
    assert "had no part in the version before (eve" in one.reason
    assert "\x1b" not in one.reason
    assert one.evidence["newcomers"] == ["eve\x1b[31m"]
    assert findings(LEFT, {TARGET: {**release(100_000, []), "newcomers": ["eve"]}}) == []


def test_it_is_cached_in_the_background_and_bounded(state: State) -> None:
    people = [f"p {at}" + "x" * 200 for at in range(100)]
    with registry() as stub:
        house = House(state, stub)
        said = npm(30)
        said["versions"]["0.9.0"] = {"maintainers": [{"name": "ann"}]}
        said["time"]["0.9.0"] = time_of(500_000)
        said["versions"]["1.0.0"]["maintainers"] = [{"name": one} for one in people]
        stub.answers["/npm/left-pad"] = said
        verdict = house.after(LEFT)
    assert rules(verdict) == {"posture/release-age": "warn"}
    assert "had no part" in verdict.reason
    install = Install("npm", "left-pad", "1.0.0")
    known = releases.known(state, {"posture.registries.npm": "x"}, [install], NOW)[TARGET]
    assert len(known["maintainers"]) == 20
    assert all(len(name) <= 60 for name in known["maintainers"])


def test_a_cache_of_an_older_layout_is_made_anew(state: State) -> None:
    con = sqlite3.connect(releases.path_of(state))
    con.execute("CREATE TABLE release (ecosystem TEXT, name TEXT, asked TEXT, at_ms INTEGER)")
    con.commit()
    con.close()
    releases.opened(state).close()
    install = Install("npm", "left-pad", "1.0.0")
    known = releases.known(state, {"posture.registries.npm": "x"}, [install], NOW)[TARGET]
    assert known["problem"] == "it is being looked up"
