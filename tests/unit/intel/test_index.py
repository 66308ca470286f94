from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.index import records as synthetic_records
from bk.engine.errors import Refusal
from bk.engine.intel.index import CODES, Index, build
from bk.engine.intel.names import canonical_name
from bk.engine.intel.record import KINDS, SEVERITIES, Record
from bk.engine.intel.versions import canonical_version
from bk.engine.provenance import KINDS as PROVENANCES

from .samples import opened, record


def test_a_key_keeps_all_its_records(tmp_path: Path) -> None:
    many = [
        record("left", ["1.0.0"], groups=["a"]),
        record("left", ["2.0.0"], groups=["b"]),
        record("left", kind="every", groups=["c"]),
        record("left", [">=3.0.0,<3.1.0"], kind="range", groups=["d", "e"]),
    ]
    index = opened(tmp_path / "i", many)
    found = index.lookup("npm", "left")
    assert sorted(group for one in found for group in one.groups) == ["a", "b", "c", "d", "e"]
    assert {one.kind for one in found} == {"exact", "every", "range"}
    assert index.meta["records"] == 4
    assert index.meta["packages"] == {"npm": 1}
    assert index.meta["built"] == "2026-01-02T03:04:05Z"


def test_records_come_back_whole(tmp_path: Path) -> None:
    one = record(
        "pub.ext",
        ["1.0.0", "1.2.0"],
        ecosystem="editor-extension",
        severity="high",
        groups=["a", "b"],
        provenance="signature",
        ident="A-1 B-2",
        sources=["x", "y"],
    )
    assert opened(tmp_path / "i", [one]).lookup("editor-extension", "pub.ext") == [one]


def test_equal_records_are_kept_once_and_names_are_made_canonical(tmp_path: Path) -> None:
    index = opened(
        tmp_path / "i",
        [record("Typo.Squat", ["1.0"], ecosystem="pypi"), record("typo_squat", ["v1.0.0"], ecosystem="pypi")],
    )
    assert index.meta["records"] == 1
    assert index.lookup("pypi", "typo-squat")[0].versions == ("1.0.0",)


def test_names_of_one_ecosystem_are_not_those_of_another(tmp_path: Path) -> None:
    index = opened(tmp_path / "i", [record("same", ecosystem="npm"), record("same", ecosystem="homebrew")])
    assert index.lookup("npm", "same")[0].ecosystem == "npm"
    assert index.lookup("homebrew", "same")[0].ecosystem == "homebrew"
    assert index.lookup("pypi", "same") == []
    assert index.lookup("npm", "sam") == []
    assert index.lookup("npm", "same2") == []
    assert {one.ecosystem for one in index} == {"npm", "homebrew"}


def test_names_beyond_ascii_are_kept_apart(tmp_path: Path) -> None:
    index = opened(tmp_path / "i", [record("соinbase.net", ecosystem="nuget")])  # Cyrillic с and о
    assert index.lookup("nuget", "соinbase.net")
    assert not index.lookup("nuget", "coinbase.net")


def test_an_empty_index_works(tmp_path: Path) -> None:
    index = opened(tmp_path / "i", [])
    assert index.lookup("npm", "x") == []
    index.verify()
    assert list(index) == []


def test_build_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    old = opened(tmp_path / "i", [record("old")])
    new = opened(tmp_path / "i", [record("new")])
    assert old.lookup("npm", "old"), "a reader keeps the generation it opened"
    assert new.lookup("npm", "new")
    assert not new.lookup("npm", "old")
    assert os.listdir(tmp_path) == ["i"]
    assert (tmp_path / "i").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "bad",
    [
        record("x", ["1\x1f0"]),
        record("x\x1ey"),
        record(""),
        record("x", []),
        record("x", groups=[]),
        record("x", ["1.0.0"], kind="range"),
        record("x", ident="a\nb"),
        record("x", severity="terrible"),
        record("x", ecosystem="no such:one"),
    ],
)
def test_what_could_not_be_read_back_is_refused(tmp_path: Path, bad: Record) -> None:
    with pytest.raises((ValueError, KeyError)):
        build(str(tmp_path / "i"), [bad], {})
    assert os.listdir(tmp_path) == []


def test_building_is_reproducible(tmp_path: Path) -> None:
    made = list(synthetic_records(500))
    build(str(tmp_path / "a"), made, {"built": "now"})
    build(str(tmp_path / "b"), made, {"built": "now"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_many_records_are_all_found_and_neighbours_are_not(tmp_path: Path) -> None:
    made = list(synthetic_records(5000))
    index = opened(tmp_path / "i", made)
    index.verify()
    for one in made:
        assert len(index.lookup(one.ecosystem, canonical_name(one.ecosystem, one.name))) == 1
        assert index.lookup(one.ecosystem, one.name + "x") == []
    assert sum(1 for _ in index) == 5000


def test_a_closed_index_refuses(tmp_path: Path) -> None:
    index = opened(tmp_path / "i", [record("x")])
    index.close()
    with pytest.raises(Refusal):
        index.lookup("npm", "x")


def test_threads_share_one_index(tmp_path: Path) -> None:
    made = list(synthetic_records(300))
    index = opened(tmp_path / "i", made)
    wrong: list[str] = []

    def ask() -> None:
        asked = ((one.ecosystem, canonical_name(one.ecosystem, one.name)) for one in made * 5)
        wrong.extend(name for ecosystem, name in asked if not index.lookup(ecosystem, name))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


TEXT = st.text(st.characters(min_codepoint=33, exclude_categories=("C", "Z")), min_size=1, max_size=20)
RECORDS = st.builds(
    lambda ecosystem, name, kind, versions, severity, groups, provenance, ident: record(
        name,
        [f">={v}" for v in versions] if kind == "range" else versions,
        ecosystem=ecosystem,
        kind=kind,
        severity=severity,
        groups=groups,
        provenance=provenance,
        ident=ident,
    ),
    st.sampled_from(sorted(CODES)),
    st.sampled_from(["a", "b", "A-b", "@s/x"]) | TEXT,
    st.sampled_from(KINDS),
    st.lists(TEXT.filter(lambda text: "," not in text), min_size=1, max_size=4),
    st.sampled_from(SEVERITIES),
    st.lists(TEXT, min_size=1, max_size=3, unique=True),
    st.sampled_from([kind.word for kind in PROVENANCES]),
    TEXT,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, max_size=12))
def test_whatever_is_built_is_found(tmp_path: Path, made: list[Record]) -> None:
    index = opened(tmp_path / "i", made)
    index.verify()
    for one in made:
        found = index.lookup(one.ecosystem, canonical_name(one.ecosystem, one.name))
        like = [other for other in found if other.kind == one.kind and other.ident == one.ident]
        assert any(
            set(one.groups) == set(other.groups)
            and other.severity == one.severity
            and other.provenance == one.provenance
            and (
                one.kind != "exact"
                or set(other.versions) == {canonical_version(one.ecosystem, version) for version in one.versions}
            )
            for other in like
        )
    assert sum(1 for _ in index) == len({(canonical_name(r.ecosystem, r.name), r) for r in index})
    Index.open(str(tmp_path / "i")).close()
