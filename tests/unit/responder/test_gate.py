"""The one gate, as a truth table and as properties: what moves, and that nothing else ever does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.facts import Match
from bk.engine.provenance import PinnedOrigin, Unproven
from bk.engine.responder.gate import (
    ASK,
    CATALOG,
    CORPUS,
    MOVE,
    NOTHING,
    PENDING,
    STALE,
    WARN,
    WOULD,
    Artifact,
    Evidence,
    evidence_of,
    may_move,
    threshold,
)

LIVE: dict[str, Any] = {
    "auto_quarantine.enabled": True,
    "auto_quarantine.dry_run": False,
    "auto_quarantine.threshold": 2,
    "auto_quarantine.ecosystems": [],
    "auto_quarantine.max_bytes": 1000,
    "auto_quarantine.max_moves": 3,
    "auto_quarantine.grace_days": 30,
}


def config(**over: Any) -> dict[str, Any]:
    return {**LIVE, **{f"auto_quarantine.{name}": value for name, value in over.items()}}


def evidence(*sure: str, **over: Any) -> Evidence:
    return Evidence(over.pop("kind", CATALOG), sure=sure, **over)


def artifact(ecosystem: str = "npm", locator: str = "dir", **over: Any) -> Artifact:
    return Artifact(ecosystem, locator, **{"identity": "same", "size": 10, **over})


TABLE = [
    ("two groups, everything allows it", evidence("a", "b"), {}, {}, MOVE),
    ("nothing is known", evidence(), {}, {}, NOTHING),
    ("a rumour", evidence(rumours=3), {}, {}, WARN),
    ("one group of two", evidence("a"), {}, {}, WARN),
    ("one group of one", evidence("a"), {"threshold": 1}, {}, MOVE),
    ("two groups of three", evidence("a", "b"), {"threshold": 3}, {}, WARN),
    ("one names it, another every version", evidence("a", wide=["b"]), {}, {}, MOVE),
    ("one group in both ways is one voice", evidence("a", wide=["a"]), {}, {}, WARN),
    ("two wildcards", evidence(wide=["a", "b"]), {}, {}, ASK),
    ("three wildcards", evidence(wide=["a", "b", "c"]), {}, {}, ASK),
    ("a private registry", evidence("a", "b"), {}, {"private": True}, ASK),
    ("switched off", evidence("a", "b"), {"enabled": False}, {}, WARN),
    ("switched off beats dry run", evidence("a", "b"), {"enabled": False, "dry_run": True}, {}, WARN),
    ("dry run", evidence("a", "b"), {"dry_run": True}, {}, WOULD),
    ("dry run that is no truth value", evidence("a", "b"), {"dry_run": 0}, {}, WOULD),
    ("enabled that is no truth value", evidence("a", "b"), {"enabled": "true"}, {}, WARN),
    ("dry run, place unknown", evidence("a", "b"), {"dry_run": True}, {"locator": "none"}, WOULD),
    ("place unknown", evidence("a", "b"), {}, {"locator": "none"}, PENDING),
    ("a locator nobody knows", evidence("a", "b"), {}, {"locator": "archive"}, PENDING),
    ("another version lies there now", evidence("a", "b"), {}, {"identity": "changed"}, STALE),
    ("it is gone", evidence("a", "b"), {}, {"identity": "gone"}, STALE),
    ("nobody looked again", evidence("a", "b"), {}, {"identity": "unread"}, STALE),
    ("another ecosystem", evidence("a", "b"), {"ecosystems": ["pypi"]}, {}, ASK),
    ("this ecosystem", evidence("a", "b"), {"ecosystems": ["npm"]}, {}, MOVE),
    ("excluded", evidence("a", "b"), {}, {"excluded": True}, ASK),
    ("inside what is held", evidence("a", "b"), {}, {"nested": True}, ASK),
    ("as large as may be", evidence("a", "b"), {}, {"size": 1000}, MOVE),
    ("too large", evidence("a", "b"), {}, {"size": 1001}, ASK),
    ("restored yesterday", evidence("a", "b"), {}, {"restored_days": 1}, ASK),
    ("restored long ago", evidence("a", "b"), {}, {"restored_days": 30}, MOVE),
    ("the third move", evidence("a", "b"), {}, {"moved": 2}, MOVE),
    ("the fourth move", evidence("a", "b"), {}, {"moved": 3}, ASK),
    ("exempt", evidence("a", "b", "c"), {}, {"exempt": True}, NOTHING),
    ("approved, though one group", evidence("a", approved=True), {"enabled": False, "dry_run": True}, {}, MOVE),
    ("approved and exempt", evidence("a", approved=True), {}, {"exempt": True}, MOVE),
    ("approved, but changed since", evidence("a", approved=True), {}, {"identity": "changed"}, STALE),
    ("approved, but nowhere to be found", evidence("a", approved=True), {}, {"locator": "none"}, PENDING),
    ("a label alone", evidence(kind=CORPUS), {}, {}, ASK),
    ("a label and one group", evidence("a", kind=CORPUS), {}, {}, ASK),
    ("a label and two groups", evidence("a", "b", kind=CORPUS), {}, {}, MOVE),
    ("a person's label", evidence(kind=CORPUS, labelled=True), {}, {}, MOVE),
    ("a person's label, switched off", evidence(kind=CORPUS, labelled=True), {"enabled": False}, {}, WARN),
    ("a person's label, dry run", evidence(kind=CORPUS, labelled=True), {"dry_run": True}, {}, WOULD),
    ("a person's label of a private name", evidence(kind=CORPUS, labelled=True), {}, {"private": True}, ASK),
    ("a person's label, place unknown", evidence(kind=CORPUS, labelled=True), {}, {"locator": "none"}, PENDING),
]  # fmt: skip


@pytest.mark.parametrize(("said", "over", "what", "kind"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_truth_table(said: Evidence, over: dict[str, Any], what: dict[str, Any], kind: str) -> None:
    ruling = may_move(said, config(**over), artifact(**what))
    assert ruling.kind == kind, ruling.why
    assert ruling.why


@pytest.mark.parametrize(
    ("told", "used"), [(0, 2), (-1, 2), (1, 1), (2, 2), (3, 3), (4, 3), (99, 3), ("2", 2), (True, 2), (None, 2)]
)
def test_the_threshold_is_always_one_to_three(told: object, used: int) -> None:
    assert threshold(config(threshold=told)) == used


GROUPS = st.frozensets(st.sampled_from("abcd"), max_size=4)
EVIDENCE = st.builds(
    Evidence,
    st.sampled_from([CATALOG, CORPUS]),
    sure=GROUPS,
    wide=GROUPS,
    rumours=st.integers(0, 2),
    labelled=st.booleans(),
    approved=st.booleans(),
)
ARTIFACTS = st.builds(
    Artifact,
    st.sampled_from(["npm", "pypi", "mcp"]),
    st.sampled_from(["dir", "file_set", "config_entry", "none", ""]),
    identity=st.sampled_from(["same", "changed", "gone", "unread"]),
    size=st.integers(0, 2000),
    private=st.booleans(),
    excluded=st.booleans(),
    exempt=st.booleans(),
    nested=st.booleans(),
    restored_days=st.none() | st.integers(0, 60),
    moved=st.integers(0, 5),
)
CONFIGS = st.builds(
    config,
    enabled=st.booleans(),
    dry_run=st.booleans(),
    threshold=st.integers(-1, 5),
    ecosystems=st.sampled_from([[], ["npm"], ["pypi"]]),
)


@given(EVIDENCE, CONFIGS, ARTIFACTS)
def test_a_move_always_has_two_switches_enough_voices_and_a_known_unchanged_place(
    said: Evidence, with_config: dict[str, Any], what: Artifact
) -> None:
    if may_move(said, with_config, what).kind != MOVE:
        return
    assert what.locator in ("dir", "file_set", "config_entry")
    assert what.identity == "same"
    if not said.approved:
        assert with_config["auto_quarantine.enabled"] is True
        assert with_config["auto_quarantine.dry_run"] is False
        assert not any((what.exempt, what.private, what.excluded, what.nested))
        labelled = said.kind == CORPUS and said.labelled
        assert labelled or (len(said.sure | said.wide) >= threshold(with_config) and said.sure)


@given(EVIDENCE, CONFIGS, ARTIFACTS, GROUPS)
def test_more_voices_never_take_a_ruling_back(
    said: Evidence, with_config: dict[str, Any], what: Artifact, more: frozenset[str]
) -> None:
    louder = Evidence(
        said.kind,
        sure=said.sure | more,
        wide=said.wide,
        rumours=said.rumours,
        labelled=said.labelled,
        approved=said.approved,
    )
    if may_move(said, with_config, what).kind == MOVE:
        assert may_move(louder, with_config, what).kind == MOVE


def match(kind: str, *groups: str, real: bool = True) -> Match:
    vouched = PinnedOrigin() if real else Unproven()
    return Match("npm", "x", ("1.0.0",), kind=kind, severity="critical", groups=groups, provenance=vouched)


def test_evidence_counts_groups_by_how_they_name_the_version() -> None:
    named = [match("exact", "a"), match("range", "b"), match("every", "c", "a")]
    told = evidence_of([*named, match("exact", "d", real=False), match("maybe", "e")])
    assert (set(told.sure), set(told.wide), told.rumours, told.voices) == ({"a", "b"}, {"a", "c"}, 2, 3)
