"""A source takes back its own word and what others repeat under ids that it alone gives out, and nothing else."""

from __future__ import annotations

import pytest

from bk.engine.intel.merge import merge, merged
from bk.engine.intel.record import Record
from bk.engine.intel.sources import Withdrawn
from tests.unit.catalogs.claims import claim, grave

MAL = ("MAL-",)


def left(record: Record, *graves: Withdrawn) -> list[tuple[str, tuple[str, ...], tuple[str, ...], str]]:
    found = merge([record], graves)
    assert found == list(merged([record], [each for each in graves if each.name == record.name]))
    return [(each.kind, each.versions, each.groups, each.ident) for each in found]


GONE: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = []
TABLE = [
    # own group
    ("its own id", claim("x", "1.0.0", ident="A"), grave("x", "A"), GONE),
    ("its own alias", claim("x", "1.0.0", ident="A"), grave("x", "B", "A"), GONE),
    ("another package", claim("x", "1.0.0", ident="A"), grave("y", "A"), [("exact", ("1.0.0",), ("g",), "A")]),
    ("no id: by version", claim("x", "1.0.0", "2.0.0"), grave("x", "A", versions=("1.0.0",)),
     [("exact", ("2.0.0",), ("g",), "")]),
    ("no id: all versions", claim("x", "1.0.0"), grave("x", "A", versions=("1.0.0", "3.0.0")), GONE),
    ("no id: a wildcard by a wildcard", claim("x"), grave("x", "A", every=True), GONE),
    ("no id: a wildcard not by a version", claim("x"), grave("x", "A", versions=("1.0.0",)),
     [("every", (), ("g",), "")]),
    ("no id: a version not by a wildcard", claim("x", "1.0.0"), grave("x", "A", every=True),
     [("exact", ("1.0.0",), ("g",), "")]),
    ("another live id of the issuer says the same", claim("x", "1.0.0", ident="MAL-2", group="g"),
     grave("x", "MAL-1", versions=("1.0.0",), issues=MAL), [("exact", ("1.0.0",), ("g",), "MAL-2")]),
    ("one of two ids of the issuer", claim("x", "1.0.0", ident="MAL-1 MAL-2"), grave("x", "MAL-1", issues=MAL),
     [("exact", ("1.0.0",), ("g",), "MAL-2")]),
    # another group
    ("another group's own id", claim("x", "1.0.0", ident="GHSA-1", group="o"), grave("x", "GHSA-1", issues=MAL),
     [("exact", ("1.0.0",), ("o",), "GHSA-1")]),
    ("another group repeats the issuer's id", claim("x", "1.0.0", ident="MAL-1", group="o"),
     grave("x", "MAL-1", issues=MAL), GONE),
    ("another group has ids of both", claim("x", "1.0.0", ident="MAL-1 GHSA-1", group="o"),
     grave("x", "MAL-1", issues=MAL), [("exact", ("1.0.0",), ("o",), "GHSA-1 MAL-1")]),
    ("another group says it without an id", claim("x", "1.0.0", group="o"),
     grave("x", "MAL-1", versions=("1.0.0",), issues=MAL, every=True), [("exact", ("1.0.0",), ("o",), "")]),
    ("another group's wildcard without an id", claim("x", group="o"), grave("x", "MAL-1", every=True, issues=MAL),
     [("every", (), ("o",), "")]),
    ("an issuer of nothing", claim("x", "1.0.0", ident="MAL-1", group="o"), grave("x", "MAL-1"),
     [("exact", ("1.0.0",), ("o",), "MAL-1")]),
    ("the issuer's other id, repeated", claim("x", "1.0.0", ident="MAL-2", group="o"),
     grave("x", "MAL-1", versions=("1.0.0",), issues=MAL), [("exact", ("1.0.0",), ("o",), "MAL-2")]),
    # claims that several groups share already
    ("one of two voices falls silent", claim("x", "1.0.0", ident="MAL-1 R-1", group="g o"),
     grave("x", "MAL-1", "R-1", issues=MAL), [("exact", ("1.0.0",), ("o",), "")]),
    ("one of two voices, other ids stay", claim("x", "1.0.0", ident="MAL-1 R-1", group="g o"),
     grave("x", "MAL-1", versions=("1.0.0",), issues=MAL), [("exact", ("1.0.0",), ("o",), "R-1")]),
    ("two other voices under the issuer's id", claim("x", "1.0.0", ident="MAL-1", group="o p"),
     grave("x", "MAL-1", issues=MAL), [("exact", ("1.0.0",), ("o", "p"), "MAL-1")]),
    # whose word the withdrawal is
    ("nobody vouches for the withdrawal", claim("x", "1.0.0", ident="A"), grave("x", "A", proven=False),
     [("exact", ("1.0.0",), ("g",), "A")]),
    ("nobody vouches for either", claim("x", "1.0.0", ident="A", provenance="none"), grave("x", "A", proven=False),
     GONE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "withdrawn", "expected"), [row[1:] for row in TABLE], ids=[row[0].replace(" ", "-") for row in TABLE]
)
def test_what_a_withdrawal_reaches(
    record: Record, withdrawn: Withdrawn, expected: list[tuple[str, tuple[str, ...], tuple[str, ...], str]]
) -> None:
    assert left(record, withdrawn) == expected


def test_merging_package_by_package_is_merging_all_at_once() -> None:
    claims = [
        claim("x", "1.0.0", ident="A", group="a"),
        claim("x", "1.0.0", ident="B", group="b"),
        claim("x", "1.0.0", "2.0.0", group="c"),
        claim("x", group="d"),
    ]
    graves = [grave("x", "A", group="a"), grave("x", versions=("1.0.0",), group="c")]
    found = merge(claims, graves)
    assert found == list(merged(claims, graves))
    assert [(each.kind, each.versions, each.groups) for each in found] == [
        ("every", (), ("d",)),
        ("exact", ("1.0.0",), ("b",)),
        ("exact", ("2.0.0",), ("c",)),
    ]


def test_names_and_versions_of_withdrawals_have_every_spelling() -> None:
    told = Record("pypi", "My.Pkg", "exact", ["1.0"], "critical", ["g"], claim("x").provenance)
    taken = Withdrawn("pypi", "my_pkg", ["Z"], ["1.0.0"], every=False, group="g", proven=True)
    assert merge([told], [taken]) == []
