"""Whatever happens in whatever order: what is active is confirmed now or added by a person, and decisions read it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bk.engine.config.schema import BY_NAME
from bk.engine.corpus import promote
from bk.engine.corpus.shapes import (
    ACTIVE,
    BENIGN,
    CONFIRMATION,
    ENFORCE,
    EXPLAINED,
    FORENSIC,
    MALICIOUS,
    OVERRIDE,
    REVOKED,
    WITHDRAWN,
    Event,
    Label,
    OverlayEntry,
)
from bk.engine.corpus.store import Corpus
from bk.engine.corpus.wishes import by_person, entry_id
from bk.engine.intel import generations, overlay
from bk.engine.state import State

DAY_MS = 86_400_000
NAMES = ("evil", "worse")
PERSON = "person:1000"
VALUES = {name: key.default for name, key in BY_NAME.items()}

STEP = st.one_of(
    st.tuples(st.just("event"), st.sampled_from(NAMES), st.sampled_from(("1.0.0", "2.0.0", ""))),
    st.tuples(st.just("confirmed"), st.integers(0, 5), st.sampled_from((("a",), ("a", "b")))),
    st.tuples(st.just("withdrawn"), st.integers(0, 5)),
    st.tuples(st.just("person"), st.integers(0, 5), st.sampled_from((FORENSIC, OVERRIDE, EXPLAINED))),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.tuples(st.just("revoke"), st.integers(0, 5)),
    st.tuples(st.just("add"), st.sampled_from(NAMES)),
    st.tuples(st.just("days"), st.sampled_from((1, 60, 400))),
)


class World:
    """A corpus to which things happen, one settling after each."""

    def __init__(self, home: Path) -> None:
        self.state = State(f"{home}/.bk", str(home), os.geteuid())
        self.state.ensure()
        generations.activate(self.state, [], {"sources": {}}, "test")
        self.now = 4_000_000_000_000  # later than any clock here, so that nothing ends in between
        self.count = 0

    def step(self, corpus: Corpus, what: tuple[object, ...]) -> None:
        """One thing that happens."""
        self.count += 1
        self.now += 1000
        clusters = corpus.clusters(limit=20)
        kind, *given = what
        if kind == "days":
            self.now += int(str(given[0])) * DAY_MS
        elif kind == "event":
            name, version = given
            purl = f"pkg:npm/{name}@{version}" if version else f"pkg:npm/{name}"
            corpus.record([Event(f"e{self.count:03}", self.now, "hook", {}, {"level": "warn"}, {}, [purl])])
        elif kind == "add":
            self._add(corpus, str(given[0]))
        elif kind == "revoke":
            active = corpus.overlay(state=ACTIVE)
            if active:
                row = active[int(str(given[0])) % len(active)]
                row.state, row.ended_by, row.ended_ms = REVOKED, PERSON, self.now
                promote.enact(self.state, corpus, VALUES, [row], self.now)
        elif clusters:
            self._labelled(corpus, clusters[int(str(given[0])) % len(clusters)].id, str(kind), given)

    def _add(self, corpus: Corpus, name: str) -> None:
        key = ("npm", name, "1.0.0")
        purl = f"pkg:npm/{name}@1.0.0"
        row = OverlayEntry(entry_id(key, "", self.now), purl, *key, severity="high", reason="x", label="", tier=ENFORCE,
                           created_ms=self.now, expires_ms=self.now + 30 * DAY_MS, created_by=PERSON)  # fmt: skip
        if not corpus.overlay(state=ACTIVE, purl=purl):
            promote.enact(self.state, corpus, VALUES, [row], self.now)

    def _labelled(self, corpus: Corpus, cluster: str, kind: str, given: list[object]) -> None:
        current = corpus.current_of(cluster)
        if kind == "undo":
            if current is not None:
                corpus.undo(current.id, PERSON, self.now)
            return
        if kind == "person":
            source = str(given[1])
            said, actor, evidence = (BENIGN if source == EXPLAINED else MALICIOUS), PERSON, {}
        elif kind == "confirmed":
            said, source, actor, evidence = MALICIOUS, CONFIRMATION, "corpus", {"groups": list(given[1])}  # type: ignore[call-overload]
        else:
            said, source, actor, evidence = BENIGN, WITHDRAWN, "corpus", {}
        before = current.id if current is not None and kind == "withdrawn" else ""
        corpus.label(Label("", "", cluster, said, source, at_ms=self.now, actor=actor, evidence=evidence,
                           supersedes=before))  # fmt: skip

    def holds(self, corpus: Corpus) -> None:
        """What must be true after each settling."""
        active = corpus.overlay(state=ACTIVE)
        confirmed = {(purl, label.id) for cluster, label in corpus.confirmed() for purl in cluster.purls}
        for row in active:
            added = not row.label and by_person(row.created_by)
            assert added or (row.purl, row.label) in confirmed, row
            assert row.expires_ms > self.now
        keys = [(row.ecosystem, row.name, row.version) for row in active]
        assert len(keys) == len(set(keys))
        told = {(one.ident, one.tier, one.until_ms) for one in overlay.entries(self.state)}
        assert told == {(row.id, row.tier, row.expires_ms) for row in active}
        for cluster, label in corpus.confirmed():
            if label.human and label.source == FORENSIC:  # a review that stands has its entry, or had it and it ended
                assert all(corpus.overlay(purl=purl) for purl in cluster.purls)


def stays_true(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory(prefix="bk", dir="/tmp") as home:
        world = World(Path(home))
        with Corpus(world.state, write=True) as corpus:
            for each in steps:
                world.step(corpus, each)
                promote.settle(world.state, corpus, VALUES, world.now)
                world.holds(corpus)
                assert promote.settle(world.state, corpus, VALUES, world.now) == []


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, max_size=12))
def test_active_is_confirmed_or_added_by_a_person(steps: list[tuple[object, ...]]) -> None:
    stays_true(steps)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, max_size=20))
def test_active_is_confirmed_or_added_by_a_person_in_many_lives(steps: list[tuple[object, ...]]) -> None:
    stays_true(steps)
