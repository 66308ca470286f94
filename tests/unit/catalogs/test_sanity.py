"""The truth table of what may be believed at once. Every row names what it shows and what must be said, if anything."""

from __future__ import annotations

import pytest

from bk.engine.catalogs.sanity import DAY_MS, Change, Limits, Moment, Shape, judge, spent, within_day

LIMITS = Limits(5000, 5, 20)
GOOD = Shape(100, serial=4)


def told(
    *changes: tuple[str, Change],
    shape: Shape = GOOD,
    before: Shape | None = GOOD,
    used: dict[str, tuple[int, int]] | None = None,
    limits: Limits = LIMITS,
) -> str:
    return "; ".join(judge(dict(changes), shape, before, limits, used or {}))


TABLE = [
    # what it shows, changes, used today, what is said
    ("nothing changed", [("npm", Change(1000))], {}, ""),
    ("just as many as allowed", [("npm", Change(1000, 5000))], {}, ""),
    ("one more than allowed", [("npm", Change(1000, 5001))], {}, "5001 new entries"),
    ("a large source may grow by its share", [("npm", Change(221_826, 11_000))], {}, ""),
    ("and no further", [("npm", Change(221_826, 11_092))], {}, "11092 new entries"),
    ("an ecosystem new to a known source is growth", [("npm", Change(9000)), ("go", Change(0, 5001))], {}, "5001 new"),
    ("small ones are added up", [("npm", Change(9, 2600)), ("go", Change(9, 2600))], {}, "5200 new entries,"),
    ("a large total hides no ecosystem", [("npm", Change(400_000)), ("go", Change(18, 5001))], {}, "entries in go"),
    ("what came before today counts", [("npm", Change(1000, 1))], {"npm": (5000, 0)}, "after 5000 within a day"),
    ("what came before today, elsewhere", [("npm", Change(1000, 3000))], {"go": (2001, 0)}, "after 2001 within a day"),
    ("growth does not raise its own limit", [("npm", Change(105_000, 100))], {"npm": (5000, 0)}, "where 5000 are"),
    ("without news a full day is no reason", [("npm", Change(1000))], {"npm": (9000, 900)}, ""),
    ("a few may always go", [("npm", Change(30, 0, dropped=20))], {}, ""),
    ("a fifth may go", [("npm", Change(1000, 0, dropped=100, withdrawn=100))], {}, ""),
    ("more may not", [("npm", Change(1000, 0, dropped=101, withdrawn=100))], {}, "201 entries would go (100"),
    ("half may not", [("npm", Change(1000, 0, dropped=500))], {}, "500 entries would go"),
    ("slice by slice may not", [("npm", Change(850, 0, dropped=60))], {"npm": (0, 150)}, "after 150 within a day"),
    ("one ecosystem emptied", [("npm", Change(90_000)), ("go", Change(50, dropped=21))], {}, "21 entries in go"),
    ("a tiny ecosystem emptied", [("npm", Change(90_000)), ("go", Change(20, dropped=20))], {}, ""),
    ("replaced wholesale", [("npm", Change(4000, 4000, dropped=4000))], {}, "4000 entries would go"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "used", "said"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_news_may_do(changes: list[tuple[str, Change]], used: dict[str, tuple[int, int]], said: str) -> None:
    reasons = told(*changes, used=used)
    assert said in reasons
    assert bool(said) == bool(reasons)


@pytest.mark.parametrize(
    ("shape", "before", "said"),
    [
        (Shape(100), GOOD, "its serial went back from 4 to 0"),
        (Shape(100, serial=4), GOOD, ""),
        (Shape(100, serial=5), GOOD, ""),
        (Shape(100, serial=5, proven=False), GOOD, "nobody vouches for it any more"),
        (Shape(100, serial=5, proven=False), Shape(1, proven=False), ""),
        (Shape(100, serial=5), Shape(1, proven=False), ""),
        (Shape(0, 1), None, "none of its 1 entries can be used"),
        (Shape(0), None, ""),
        (Shape(10, 10), None, ""),
        (Shape(10, 11), None, "11 of its 21 entries name packages that cannot be"),
        (Shape(1000, 400), None, ""),
        (Shape(1000, 1001), GOOD, "1001 of its 2001 entries"),
        (Shape(100, silenced=21, bundled=40), None, "it withdraws 21 of the 40 facts that bk itself brings"),
        (Shape(100, silenced=20, bundled=20), None, ""),
        (Shape(100, silenced=500, bundled=1000), None, ""),
        (Shape(100, silenced=501, bundled=1000), None, "it withdraws 501"),
    ],
)
def test_what_news_may_look_like(shape: Shape, before: Shape | None, said: str) -> None:
    reasons = told(("npm", Change(100)), shape=shape, before=before)
    assert said in reasons
    assert bool(said) == bool(reasons)


def test_first_news_is_exempt_from_what_compares() -> None:
    assert told(("npm", Change(0, 2_000_000)), before=None) == ""


def test_tighter_settings_are_obeyed() -> None:
    limits = Limits(100, 1, 1)
    assert "101 new entries" in told(("npm", Change(5000, 101)), limits=limits)
    assert told(("npm", Change(20_000, 200)), limits=limits) == ""
    assert "51 entries would go" in told(("npm", Change(5000, dropped=51)), limits=limits)


def row(at_ms: int, boot: str = "b", up_ms: int = 0, **counts: list[int]) -> dict[str, object]:
    return {"at_ms": at_ms, "boot": boot, "up_ms": up_ms, "counts": counts}


NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("moment", "kept", "what"),
    [
        (Moment(NOW, "b", 5 * DAY_MS), row(NOW - DAY_MS + 1, up_ms=4 * DAY_MS + 1), "within the day"),
        (Moment(NOW, "other", 9), row(NOW - DAY_MS + 1), "before a restart, by the wall clock"),
        (Moment(NOW + 30 * DAY_MS, "b", 2000), row(NOW, up_ms=1000), "the clock was set forward: a second has passed"),
        (Moment(NOW - 30 * DAY_MS, "other", 9), row(NOW), "the clock was set back: it is never younger than now"),
        (Moment(NOW - 30 * DAY_MS, "b", 2000), row(NOW, up_ms=1000), "the clock was set back in this boot"),
        (Moment(NOW, "", 0), row(NOW - 5, boot=""), "no boot clock at all"),
    ],
)
def test_the_day_survives_clocks_that_are_set(moment: Moment, kept: dict[str, object], what: str) -> None:
    assert within_day([kept], moment) == [kept], what


@pytest.mark.parametrize(
    ("moment", "gone"),
    [
        (Moment(NOW, "b", 5 * DAY_MS), row(NOW, up_ms=4 * DAY_MS)),
        (Moment(NOW, "other", 9), row(NOW - DAY_MS)),
    ],
)
def test_what_is_a_day_old_counts_no_more(moment: Moment, gone: dict[str, object]) -> None:
    assert within_day([gone], moment) == []


def test_what_was_spent_is_added_up_by_ecosystem() -> None:
    rows = [row(1, npm=[3, 1], go=[1, 0]), row(2, npm=[4, 0])]
    assert spent(rows) == {"npm": (7, 1), "go": (1, 0)}
    made = Moment(5, "b", 6).row({"npm": Change(9, 3, 2, 1)})
    assert made == {"at_ms": 5, "boot": "b", "up_ms": 6, "counts": {"npm": [3, 3]}}
