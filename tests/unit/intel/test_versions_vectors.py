"""Every fact in fixtures/versions, put to the dialects."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.intel import order
from bk.engine.intel.demand import demand, pinned
from bk.engine.intel.versions import canonical_version

FACTS = Path(__file__).parents[3] / "fixtures" / "versions"
ANSWERS = {"inside": True, "outside": False, "perhaps": None}


def facts(*kinds: str) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(FACTS.glob("*.tsv")):
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                kind, *words = line.replace("␠", " ").split("\t")
                if kind in kinds:
                    yield pytest.param(path.stem, words, id=f"{path.stem} {kind} {words[0]}")


@pytest.mark.parametrize(("ecosystem", "versions"), facts("ascending"))
def test_published_orders(ecosystem: str, versions: list[str]) -> None:
    keys = [order.key(ecosystem, version) for version in versions]
    assert None not in keys
    for (low, lower), (high, higher) in itertools.pairwise(zip(keys, versions, strict=True)):
        assert low is not None
        assert high is not None
        assert low < high, f"{lower} < {higher}"
        assert canonical_version(ecosystem, lower) != canonical_version(ecosystem, higher)


@pytest.mark.parametrize(("ecosystem", "versions"), facts("equal"))
def test_published_equalities(ecosystem: str, versions: list[str]) -> None:
    assert len({canonical_version(ecosystem, version) for version in versions}) == 1
    assert len({order.key(ecosystem, version) for version in versions}) == 1


@pytest.mark.parametrize(("ecosystem", "versions"), facts("differ"))
def test_published_differences(ecosystem: str, versions: list[str]) -> None:
    spelled = [canonical_version(ecosystem, version) for version in versions]
    assert len(set(spelled)) == len(versions)
    assert all(order.understood(ecosystem, version) for version in spelled)


@pytest.mark.parametrize("kind", ANSWERS)
def test_published_requests(kind: str) -> None:
    wrong = []
    for ecosystem, (request, *versions) in (param.values for param in facts(kind)):  # type: ignore[attr-defined]
        wanted = demand(ecosystem, request)
        for version in versions:
            told = wanted.accepts(version) if wanted is not None else "not understood"
            if told is not ANSWERS[kind]:
                wrong.append((ecosystem, request, version, told))
    assert wrong == []


@pytest.mark.parametrize(("ecosystem", "words"), facts("one"))
def test_a_request_for_one_version(ecosystem: str, words: list[str]) -> None:
    assert pinned(ecosystem, words[0]) == canonical_version(ecosystem, words[1])
    assert order.understood(ecosystem, pinned(ecosystem, words[0]))


@pytest.mark.parametrize(("ecosystem", "requests"), facts("not-one"))
def test_requests_for_no_single_version(ecosystem: str, requests: list[str]) -> None:
    assert [request for request in requests if pinned(ecosystem, request)] == []


@pytest.mark.parametrize(("ecosystem", "requests"), facts("unread"))
def test_what_is_no_range_is_not_answered(ecosystem: str, requests: list[str]) -> None:
    assert [request for request in requests if demand(ecosystem, request) is not None] == []


def test_canonical_texts_are_canonical() -> None:
    every = [
        (param.values[0], version)  # type: ignore[attr-defined]
        for param in facts("ascending", "equal", "differ")
        for version in param.values[1]  # type: ignore[attr-defined]
    ]
    assert len(every) > 300
    for ecosystem, version in every:
        canonical = canonical_version(ecosystem, version)
        assert canonical_version(ecosystem, canonical) == canonical
