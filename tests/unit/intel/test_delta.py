from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.index import records as synthetic
from bk.engine.errors import Refusal
from bk.engine.intel import generations
from bk.engine.intel.delta import between
from bk.engine.intel.generations import Change
from bk.engine.intel.index import build
from bk.engine.intel.record import Record
from bk.engine.state import State

from .samples import record


def changes(folder: Path, old: list[Record], new: list[Record]) -> list[Change]:
    for name, records in (("old", old), ("new", new)):
        build(str(folder / name), records, {})
    return list(between(str(folder / "old"), str(folder / "new")))


def told(found: list[Change]) -> list[tuple[str, str, str]]:
    return [(each.kind, each.ecosystem, each.name) for each in found]


def test_each_kind_of_change_with_what_was_and_what_is(tmp_path: Path) -> None:
    same = [record("same"), record("other", ["2.0.0"], groups=["b"])]
    was, now = record("changed", ["1.0.0"]), record("changed", ["1.0.0", "1.0.1"])
    gone, new = record("gone", ecosystem="pypi"), record("new", ecosystem="cargo")
    found = changes(tmp_path, [*same, was, gone], [new, now, *same])
    assert told(found) == [("added", "cargo", "new"), ("changed", "npm", "changed"), ("removed", "pypi", "gone")]
    assert [(each.before, each.after) for each in found] == [((), (new,)), ((was,), (now,)), ((gone,), ())]


@pytest.mark.parametrize(
    "other",
    [
        record("x", ["1.0.1"]),
        record("x", kind="every"),
        record("x", severity="high"),
        record("x", groups=["one", "two"]),
        record("x", provenance="none"),
        record("x", ident="X-2"),
        record("x", date="2026-02-02"),
        record("x", sources=["another"]),
    ],
)
def test_any_difference_in_a_claim_is_one(tmp_path: Path, other: Record) -> None:
    assert told(changes(tmp_path, [record("x")], [other])) == [("changed", "npm", "x")]


def test_the_same_facts_do_not_differ_however_they_are_laid_out(tmp_path: Path) -> None:
    """Order, numbering of shared parts, bucket count and salt are no differences."""
    made = [*synthetic(800), record("twice", groups=["a"]), record("twice", ["2.0.0"], groups=["b"])]
    mixed = list(made)
    random.Random(3).shuffle(mixed)
    extra = [record(f"extra-{number}", groups=[f"group-x{number}"]) for number in range(300)]
    assert changes(tmp_path, made, mixed) == []
    assert told(changes(tmp_path, made, extra + mixed)) == sorted(("added", "npm", one.name) for one in extra)
    assert told(changes(tmp_path, extra + made, mixed)) == sorted(("removed", "npm", one.name) for one in extra)


NAMES = st.sampled_from(["a", "b", "c", "d"])
CLAIMS = st.builds(
    lambda name, ecosystem, versions, groups: record(name, versions, ecosystem=ecosystem, groups=groups),
    NAMES,
    st.sampled_from(["npm", "pypi"]),
    st.lists(st.sampled_from(["1.0.0", "2.0.0", "3.0.0"]), min_size=1, unique=True).map(sorted),
    st.lists(st.sampled_from(["g", "h"]), min_size=1, unique=True).map(sorted),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CLAIMS, max_size=8), st.lists(CLAIMS, max_size=8))
def test_it_agrees_with_comparing_everything(tmp_path: Path, old: list[Record], new: list[Record]) -> None:
    def by_name(records: list[Record]) -> dict[tuple[str, str], set[Record]]:
        made: dict[tuple[str, str], set[Record]] = {}
        for one in records:
            made.setdefault((one.ecosystem, one.name), set()).add(one)
        return made

    before, after = by_name(old), by_name(new)
    expected = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    found = changes(tmp_path, old, new)
    assert {(each.ecosystem, each.name) for each in found} == expected
    for each in found:
        key = (each.ecosystem, each.name)
        assert (set(each.before), set(each.after)) == (before.get(key, set()), after.get(key, set()))


def test_two_generations_are_compared(state: State) -> None:
    one = generations.activate(state, [record("a"), record("b")], {}, "live")
    two = generations.activate(state, [record("b"), record("c")], {}, "live")
    assert told(list(generations.delta(one, two))) == [("removed", "npm", "a"), ("added", "npm", "c")]
    assert list(generations.delta(two, two)) == []


def test_damage_is_found_not_taken_for_a_difference(tmp_path: Path) -> None:
    build(str(tmp_path / "old"), list(synthetic(200)), {})
    build(str(tmp_path / "new"), list(synthetic(200)), {})
    data = (tmp_path / "old").read_bytes()
    (tmp_path / "old").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Refusal):
        list(between(str(tmp_path / "old"), str(tmp_path / "new")))
    with pytest.raises(Refusal):
        list(between(str(tmp_path / "new"), str(tmp_path / "old")))
