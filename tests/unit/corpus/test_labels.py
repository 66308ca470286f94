"""Which label counts, against a second telling of the rule; and that no run of syncs and people breaks it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bk.engine.corpus.labels import current, was_correct
from bk.engine.corpus.shapes import (
    ACTIVE,
    AUTOMATIC_SOURCES,
    BENIGN,
    CONFIRMATION,
    HUMAN_SOURCES,
    IMPORTED,
    MALICIOUS,
    POLICY_CORRECT,
    SOURCES,
    UNRESOLVED,
    WITHDRAWN,
    Label,
)
from bk.engine.corpus.store import Corpus
from bk.engine.state import State
from tests.unit.corpus.house import House

WEIGHT = {"high": 3, "medium": 2, "weak": 1}


def label(number: int, source: str, true_label: str = MALICIOUS, supersedes: str = "") -> Label:
    return Label(f"l{number}", "", "c", true_label, source, at_ms=number, actor="x", supersedes=supersedes)


def retold(labels: list[Label]) -> str:
    """The rule once more, slowly: what counts, by its id."""

    def stands(at: int) -> bool:
        me = labels[at]
        for later in range(at + 1, len(labels)):
            other = labels[later]
            hit = [n for n in range(later) if labels[n].id == other.supersedes]
            if not hit or not stands(later):
                continue
            target = labels[hit[0]]
            allowed = other.source == "undo" or (other.source == WITHDRAWN and target.source == CONFIRMATION)
            same = target.id == me.id
            earlier = target.source == CONFIRMATION == me.source and at < hit[0]
            if allowed and (same or earlier):
                return False
        return True

    left = [one for at, one in enumerate(labels) if one.source != "undo" and stands(at)]
    for human in (True, False):
        for weight in (3, 2, 1):
            fitting = [one for one in left if one.human is human and WEIGHT[one.confidence] == weight]
            if fitting:
                return fitting[-1].id
    return ""


@st.composite
def histories(draw: Any) -> list[Label]:
    made: list[Label] = []
    for number in range(draw(st.integers(0, 9))):
        source = draw(st.sampled_from([*SOURCES, "undo", "undo"]))
        before = [each.id for each in made]
        takes = draw(st.sampled_from(before)) if before and source in ("undo", WITHDRAWN, *HUMAN_SOURCES) else ""
        true_label = UNRESOLVED if source == "undo" else draw(st.sampled_from([MALICIOUS, BENIGN, POLICY_CORRECT]))
        made.append(label(number, source, true_label, takes))
    return made


@given(histories())
@settings(max_examples=600, deadline=None)
def test_what_counts_is_the_strongest_latest_human_first(labels: list[Label]) -> None:
    counts = current(labels)
    assert (counts.id if counts else "") == retold(labels)


def test_a_weaker_label_never_takes_the_place_of_a_stronger_one() -> None:
    stronger = label(1, "forensic_review")
    for source in SOURCES:
        if SOURCES[source] != "high":
            assert current([stronger, label(2, source, BENIGN, "l1")]) is stronger
    assert current([label(1, "user_override", BENIGN), label(2, CONFIRMATION)]).true_label == BENIGN  # type: ignore[union-attr]


def test_the_later_counts_whatever_its_clock_said() -> None:
    first, second = label(1, "forensic_review"), label(2, "breach_confirmation", BENIGN)
    second.at_ms = -5
    assert current([first, second]) is second


def test_who_withdraws_takes_every_confirmation_back() -> None:
    told = [label(1, CONFIRMATION), label(2, CONFIRMATION), label(3, WITHDRAWN, BENIGN, "l2")]
    assert current(told) is told[2]


def test_was_correct() -> None:
    assert was_correct(MALICIOUS, "block") is True
    assert was_correct(MALICIOUS, "warn") is False
    assert was_correct(BENIGN, "ask") is False
    assert was_correct(BENIGN, "allow") is True
    assert was_correct(POLICY_CORRECT, "allow") is True
    assert was_correct(UNRESOLVED, "block") is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("install"), st.sampled_from(["evil", "left-pad"])),
        st.tuples(st.just("say"), st.tuples(st.sampled_from(["evil", "left-pad"]), st.sampled_from(["alpha", "beta"]))),
        st.tuples(st.just("withdraw"), st.sampled_from(["alpha", "beta"])),
        st.tuples(st.just("sync"), st.sampled_from([0, 1, 8, 31])),
        st.tuples(st.just("person"), st.tuples(st.integers(0, 9), st.sampled_from([MALICIOUS, BENIGN]),
                                               st.sampled_from(HUMAN_SOURCES))),
        st.tuples(st.just("undo"), st.integers(0, 9)),
    ),
    min_size=3,
    max_size=9,
)  # fmt: skip


def act(house: House, step: tuple[str, Any]) -> None:
    """One thing that happens, and the pass after a sync."""
    what, how = step
    if what == "install":
        house.does(f"npm install {how}@1.0.0")
    elif what == "say":
        house.say(how[0], how[1])
    elif what == "withdraw":
        house.withdraw(how)
    elif what == "sync":
        house.sync(days=how)
        house.run()
    elif events := house.events():
        if what == "person":
            house.label(events[how[0] % len(events)], how[1], how[2])
            house.run()
        else:
            with Corpus(house.state) as corpus:
                labels = [each.id for event in events for each in corpus.labels(event.id)]
            if labels:
                house.undo(labels[how % len(labels)])
                house.run()


@pytest.mark.parametrize("turn", [1, *(pytest.param(turn, marks=pytest.mark.long) for turn in range(2, 13))])
@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_run_of_events_people_and_syncs_keeps_the_rules(built: Path, turn: int, data: st.DataObject) -> None:
    steps = data.draw(STEPS)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        shutil.copytree(built, f"{folder}/.bk")
        state = State(f"{folder}/.bk", folder, Path(folder).stat().st_uid)
        state.ensure()
        house = House(state)
        given: list[str] = []
        for step in steps:
            act(house, step)
            with Corpus(house.state) as corpus:
                confirmed = {purl for cluster, one in corpus.confirmed() for purl in cluster.purls}
                for event in corpus.page(None, 1000):
                    labels = corpus.labels(event.id)
                    expected = retold(labels)
                    assert event.outcome.get("label", "") == expected
                    human = [one for one in labels if one.human and one.source != "undo"]
                    counts = next((one for one in labels if one.id == expected), None)
                    if human and counts is not None and not counts.human:
                        undone = {one.supersedes for one in labels if one.source == "undo"}
                        assert {one.id for one in human} <= undone
                    assert all(one.source in (*SOURCES, "undo") for one in labels)
                    assert IMPORTED not in {one.source for one in labels if one.source in AUTOMATIC_SOURCES}
                known = [row[0] for row in corpus._run("SELECT id FROM label ORDER BY seq")]
                active = {entry.purl for entry in corpus.overlay(state=ACTIVE)}
            assert known[: len(given)] == given  # only ever added
            given = known
            if step[0] in ("sync", "person", "undo"):
                assert active <= confirmed
