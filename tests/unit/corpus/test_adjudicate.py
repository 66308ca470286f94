"""The rules alone: the same facts say the same, and say it once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.corpus.adjudicate import (
    DAY_MS,
    REFUTED_MS,
    Clock,
    Found,
    Matter,
    Note,
    adjudge,
    due_ms,
    silences,
)
from bk.engine.corpus.labels import current
from bk.engine.corpus.shapes import (
    BENIGN,
    CLEAN,
    CONFIRMATION,
    ENFORCE,
    EXPLAINED,
    FORENSIC,
    MALICIOUS,
    WATCH,
    WITHDRAWN,
    Label,
)

ONE, TWO = "pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"
NOW = 100 * DAY_MS


def matter(*purls: str, label: Label | None = None, **over: object) -> Matter:
    previous = label.id if label else ""
    return Matter("c", purls=purls or (ONE,), current=label, previous=previous, **over)  # type: ignore[arg-type]


def judged(told: Matter, found: dict[str, Found], now_ms: int = NOW, **over: object) -> Label | Note | None:
    told.gone = silences(told, found, now_ms)
    return adjudge(told, found, Clock(now_ms, clean_days=30, **over))  # type: ignore[arg-type]


def confirmed(**found: Found) -> Label:
    made = judged(matter(*found), found)
    assert isinstance(made, Label)
    return made


@pytest.mark.parametrize(
    ("found", "counted", "expected"),
    [
        (Found(), (), None),
        (Found(silent=("a", "b", "c")), (), None),
        (Found(exact=("a",)), (), WATCH),
        (Found(wide=("a",)), (), WATCH),
        (Found(near=("a",)), (), Note),
        (Found(exact=("a",)), ("a",), Note),
        (Found(exact=("a",)), ("b",), WATCH),
        (Found(exact=("a", "b")), ("a", "b"), ENFORCE),
        (Found(near=("a", "b")), (), ENFORCE),
        (Found(exact=("a",), near=("b",)), ("a",), ENFORCE),
    ],
)
def test_what_confirms(found: Found, counted: tuple[str, ...], expected: object) -> None:
    made = judged(matter(counted={ONE: frozenset(counted)}), {ONE: found})
    if expected in (WATCH, ENFORCE):
        assert isinstance(made, Label)
        assert (made.true_label, made.source, made.confidence, made.tier) == (
            MALICIOUS,
            CONFIRMATION,
            "medium",
            expected,
        )
        assert judged(matter(counted={ONE: frozenset(counted)}, label=made), {ONE: found}) is None  # said once
    else:
        assert made is None if expected is None else isinstance(made, Note)


@pytest.mark.parametrize("source", [FORENSIC, EXPLAINED, "user_override"])
def test_a_person_has_the_last_word(source: str) -> None:
    said = Label("h", "", "c", BENIGN, source, at_ms=1, actor="person:1")
    found = {ONE: Found(exact=("a", "b", "c"))}
    told = judged(matter(label=said), found)
    assert isinstance(told, Note)  # that they disagree is told, and nothing more
    assert told.why == "a, b, c list it, and a person has said otherwise"
    assert judged(matter(label=said), {ONE: Found(near=("a",))}) is None
    agreed = Label("h", "", "c", MALICIOUS, FORENSIC, at_ms=1, actor="person:1")
    assert judged(matter(label=agreed), found) is None
    assert judged(matter(human=(ONE,)), found) is not None  # of another cluster: nothing but a note
    assert isinstance(judged(matter(human=(ONE,)), found), Note)


def test_of_several_packages_each_has_its_own_weight() -> None:
    found = {ONE: Found(exact=("a", "b"), severity="high"), TWO: Found(exact=("c",), severity="critical")}
    made = confirmed(**found)
    assert made.evidence["purls"] == [ONE, TWO]
    assert (made.tier_of(ONE), made.tier_of(TWO), made.tier) == (ENFORCE, WATCH, WATCH)
    assert made.evidence["severity"] == "critical"
    part = confirmed(**{ONE: Found(exact=("a",)), TWO: Found()})
    assert part.evidence["purls"] == [ONE]


def test_one_of_two_packages_is_let_go_after_a_week_and_the_other_stays() -> None:
    both = {ONE: Found(exact=("a", "b")), TWO: Found(exact=("c", "d"))}
    label = confirmed(**both)
    left = {ONE: both[ONE], TWO: Found(silent=("a", "b", "c", "d"))}
    told = matter(ONE, TWO, label=label)
    assert judged(told, left) is None
    told.gone[TWO] = NOW - REFUTED_MS
    made = judged(told, left)
    assert isinstance(made, Label)
    assert (made.true_label, made.evidence["purls"]) == (MALICIOUS, [ONE])


@pytest.mark.parametrize("days", [0, 6, 7, 30])
def test_refuted_after_seven_days_of_silence(days: int) -> None:
    label = confirmed(**{ONE: Found(exact=("a", "b"))})
    told = matter(label=label, gone={ONE: NOW - days * DAY_MS})
    made = judged(told, {ONE: Found(silent=("a", "b"))})
    if days < 7:
        assert made is None
        assert due_ms(told, Clock(NOW, clean_days=30), made) == NOW - days * DAY_MS + REFUTED_MS
    else:
        assert isinstance(made, Label)
        assert (made.true_label, made.source, made.supersedes) == (BENIGN, WITHDRAWN, label.id)
        assert current([label, made]) is made


@pytest.mark.parametrize("silent", [(), ("a",), ("c",)])
def test_whoever_is_not_asked_has_withdrawn_nothing(silent: tuple[str, ...]) -> None:
    label = confirmed(**{ONE: Found(exact=("a", "b"))})
    told = matter(label=label, gone={ONE: 0})
    assert judged(told, {ONE: Found(silent=silent)}) is None
    assert told.gone == {}


def test_what_was_only_counted_then_is_refuted_too() -> None:
    told = matter(counted={ONE: frozenset(("a",))}, gone={ONE: NOW - REFUTED_MS})
    made = judged(told, {ONE: Found(silent=("a",))})
    assert isinstance(made, Label)
    assert (made.source, made.supersedes) == (WITHDRAWN, "")


@pytest.mark.parametrize(
    ("over", "clock", "clean"),
    [
        ({}, {"uptime": 0.8}, True),
        ({}, {"uptime": 0.79}, False),
        ({}, {"uptime": 1.0, "followed": True}, False),
        ({"allowed": False}, {"uptime": 1.0}, False),
        ({"first_ms": NOW - 30 * DAY_MS + 1}, {"uptime": 1.0}, False),
        ({"human": (ONE,)}, {"uptime": 1.0}, False),
    ],
    ids=["quiet", "off too long", "followed", "not allowed", "too early", "a person spoke"],
)
def test_clean(over: dict[str, object], clock: dict[str, object], clean: bool) -> None:
    told = matter(**{"allowed": True, "first_ms": NOW - 30 * DAY_MS, **over})
    made = judged(told, {ONE: Found(silent=("a",))}, **clock)
    assert (isinstance(made, Label) and made.source == CLEAN) is clean
    assert isinstance(judged(told, {ONE: Found(near=("a",))}, **clock), Note)  # near alone is not enough


GROUPS = st.frozensets(st.sampled_from("abc"), max_size=3)


@given(st.lists(st.tuples(GROUPS, GROUPS, st.integers(0, 20)), max_size=8), GROUPS)
@settings(max_examples=200, deadline=None)
def test_whatever_sources_say_in_turn_it_ends_and_a_miss_confirms_nothing(
    turns: list[tuple[frozenset[str], frozenset[str], int]], counted: frozenset[str]
) -> None:
    given_: list[Label] = []
    gone: dict[str, int] = {}
    now = NOW
    for exact, near, days in turns:
        now += days * DAY_MS
        found = {ONE: Found(exact=exact, near=near, silent=frozenset("abc") - exact - near)}
        added = 0
        while True:
            told = Matter("c", purls=(ONE,), counted={ONE: counted}, current=current(given_), gone=gone,
                          previous=given_[-1].id if given_ else "")  # fmt: skip
            made = judged(told, found, now)
            gone = told.gone
            if not isinstance(made, Label):
                break
            assert made.id not in {label.id for label in given_}
            given_.append(made)
            added += 1
            assert added == 1  # one turn of the catalogs is at most one label
        if not exact and not near:
            assert made is None or isinstance(made, Note)
            assert not added or given_[-1].source != CONFIRMATION
        counts = current(given_)
        if counts is not None and counts.true_label == MALICIOUS and exact | near:
            assert set(counts.evidence["found"][ONE]["groups"]) == set(exact | near)
