"""What news changes, and the accepted file that follows from it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bk.engine.catalogs import accepted
from bk.engine.catalogs.accepted import Head
from bk.engine.catalogs.delta import Delta, News, compare, silenced
from bk.engine.catalogs.sanity import DAY_MS, Moment
from bk.engine.errors import BkError
from bk.engine.intel.merge import merged
from bk.engine.intel.record import Record
from bk.engine.intel.sources import Withdrawn
from tests.unit.catalogs.claims import batch, claim, grave

NOW = 1_800_000_000_000
KEEP = 30


class Shelf:
    """A folder with an accepted file, and news for it."""

    def __init__(self, folder: Path) -> None:
        self.old = str(folder / accepted.NAME)
        self.new = str(folder / accepted.CANDIDATE)

    def news(self, *told: Record | Withdrawn, at_ms: int = NOW, keep: int = KEEP, take: bool = True) -> Delta:
        head = Head(group="g", provenance="pinned_origin", at_ms=at_ms)
        moment = Moment(at_ms, "boot", at_ms)
        delta = compare(self.old, News.of(batch(*told)), self.new, head, keep_days=keep, moment=moment)
        if take:
            accepted.replace(self.new, self.old)
        return delta

    def lines(self) -> list[tuple[str, str, tuple[str, ...], int]]:
        return [
            (line.record.name, line.record.kind, line.record.versions, line.since_ms)
            for line in accepted.lines(self.old)
            if line.record is not None
        ]

    def effective(self) -> set[tuple[str, str]]:
        """Name and version of all that is in force by this file alone."""
        found = set()
        for (_, name), lines in accepted.grouped(self.old):
            graves = [line.grave for line in lines if line.grave is not None]
            for record in merged((line.record for line in lines if line.record is not None), graves):
                found.update((name, version) for version in record.versions)
        return found


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def counts(delta: Delta, ecosystem: str = "npm") -> tuple[int, int, int, int]:
    change = delta.changes[ecosystem]
    return change.held, change.added, change.dropped, change.withdrawn


def test_first_news_is_all_new_and_no_growth(shelf: Shelf) -> None:
    delta = shelf.news(claim("a", "1.0.0", "2.0.0"), claim("b"), claim("c", ">=1,<2", kind="range"))
    assert counts(delta) == (0, 4, 0, 0)
    head = accepted.head(shelf.old)
    assert head is not None
    assert (head.records, head.units, head.ecosystems, head.growth) == (3, {"npm": 4}, {"npm": 3}, [])


def test_the_same_again_changes_nothing(shelf: Shelf) -> None:
    told = [claim("a", "1.0.0"), claim("b", ident="X"), grave("z", "Z", versions=("1.0.0",))]
    shelf.news(*told)
    before = accepted.head(shelf.old)
    assert counts(shelf.news(*told)) == (2, 0, 0, 0)
    after = accepted.head(shelf.old)
    assert before is not None
    assert after is not None
    assert before.digest == after.digest
    assert after.growth == []


def test_versions_are_what_is_counted(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0", "2.0.0"))
    assert counts(shelf.news(claim("a", "1.0.0", "2.0.0", *(f"3.0.{n}" for n in range(500))))) == (2, 500, 0, 0)
    head = accepted.head(shelf.old)
    assert head is not None
    assert [row["counts"] for row in head.growth] == [{"npm": [500, 0]}]


def test_becoming_critical_is_new(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0", severity="low"))
    assert counts(shelf.news(claim("a", "1.0.0", severity="critical"))) == (1, 1, 1, 0)


def test_becoming_harmless_stays_in_force_for_a_while(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"))
    shelf.news(claim("a", "1.0.0", severity="low"))
    assert shelf.lines() == [("a", "exact", ("1.0.0",), 0), ("a", "exact", ("1.0.0",), NOW)]


def test_what_vanishes_stays_for_thirty_days(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0", "2.0.0"), claim("b"))
    assert counts(shelf.news(claim("a", "1.0.0"))) == (3, 0, 2, 0)
    kept = [("a", "exact", ("1.0.0",), 0), ("a", "exact", ("2.0.0",), NOW), ("b", "every", (), NOW)]
    assert shelf.lines() == kept
    head = accepted.head(shelf.old)
    assert head is not None
    assert head.dropped_ms == NOW
    assert counts(shelf.news(claim("a", "1.0.0"), at_ms=NOW + KEEP * DAY_MS - 1)) == (1, 0, 0, 0)
    assert shelf.lines() == kept
    shelf.news(claim("a", "1.0.0"), at_ms=NOW + KEEP * DAY_MS)
    assert shelf.lines() == kept[:1]


def test_a_clock_that_was_ahead_cannot_keep_it_longer(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"), claim("b"), at_ms=NOW)
    shelf.news(claim("a", "1.0.0"), at_ms=NOW + 900 * DAY_MS)
    shelf.news(claim("a", "1.0.0"), at_ms=NOW)
    assert shelf.lines()[1] == ("b", "every", (), NOW)


def test_it_can_be_set_not_to_stay(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"), claim("b"))
    assert counts(shelf.news(claim("a", "1.0.0"), keep=0)) == (2, 0, 1, 0)
    assert shelf.lines() == [("a", "exact", ("1.0.0",), 0)]


def test_what_comes_back_is_not_new(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"), claim("b"))
    shelf.news(claim("a", "1.0.0"))
    assert counts(shelf.news(claim("a", "1.0.0"), claim("b"))) == (1, 0, 0, 0)
    assert [line[3] for line in shelf.lines()] == [0, 0]


def test_what_is_withdrawn_goes_at_once(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0", ident="A"), claim("b", ident="B"), claim("c", "1.0.0"))
    gone = shelf.news(grave("a", "A"), grave("c", "C", versions=("1.0.0",)), claim("b", ident="B"))
    assert counts(gone) == (3, 0, 0, 2)
    assert shelf.lines() == [("b", "every", (), 0)]


def test_what_was_dropped_can_still_be_withdrawn(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0", ident="A"), claim("b"))
    shelf.news(claim("b"))
    assert counts(shelf.news(claim("b"), grave("a", "A"))) == (1, 0, 0, 1)
    assert shelf.lines() == [("b", "every", (), 0)]


def test_an_ecosystem_is_counted_for_itself(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"), claim("b", "1.0", ecosystem="pypi"))
    delta = shelf.news(claim("a", "1.0.0"), claim("a", "2.0.0"), claim("c", "v1.0.0", ecosystem="go"))
    assert (counts(delta), counts(delta, "pypi"), counts(delta, "go")) == ((1, 1, 0, 0), (1, 0, 1, 0), (0, 1, 0, 0))


@pytest.mark.parametrize(
    "hostile",
    [
        claim("a", "1.0.0", ident="x\x1ey"),
        claim("a", "1.0.0", ident="x\ty"),
        claim("a\nb", "1.0.0"),
        claim("a", "1.0.0\x1f2.0.0"),
        Record("npm", "a", "exact", ["1.0.0"], "critical", ["g\x1do"], claim("x").provenance),
        claim("a", *(f"{n}.0.{'9' * 200}" for n in range(6000))),
        claim("a", "nonsense", kind="range"),
        claim("a", ">=", kind="range"),
        Record("npm", "a", "exact", [], "critical", ["g"], claim("x").provenance),
    ],
    ids=range(9),
)
def test_what_no_index_could_hold_is_left_out_alone(shelf: Shelf, hostile: Record) -> None:
    news = News.of(batch(hostile, claim("b", "1.0.0")))
    assert (news.count, news.left_out) == (1, 1)
    shelf.news(hostile, claim("b", "1.0.0"))
    assert shelf.lines() == [("b", "exact", ("1.0.0",), 0)]


def test_the_growth_of_a_day_is_carried_along(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"))
    for hour in range(1, 30):
        versions = [f"1.0.{n}" for n in range(hour + 1)]
        shelf.news(claim("a", *versions), at_ms=NOW + hour * DAY_MS // 24)
    head = accepted.head(shelf.old)
    assert head is not None
    assert len(head.growth) == 24


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_news_nothing_is_lost_unless_withdrawn(shelf: Shelf, seed: int) -> None:
    dice = random.Random(seed)
    for turn in range(8):
        names = [f"p{n}" for n in range(12) if dice.random() < 0.6]
        told = {name: sorted({f"{dice.randint(0, 4)}.0.0" for _ in range(3)}) for name in names}
        graves = [grave(f"p{n}", "W", versions=(f"{n % 5}.0.0",)) for n in range(12) if dice.random() < 0.2]
        before = shelf.effective()
        shelf.news(*(claim(name, *versions) for name, versions in told.items()), *graves, at_ms=NOW + turn)
        buried = {(each.name, version) for each in graves for version in each.versions}
        claimed = {(name, version) for name, versions in told.items() for version in versions}
        assert shelf.effective() == (before | claimed) - buried


def test_damage_is_found(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"), claim("b"))
    whole = Path(shelf.old).read_bytes()
    for damage in (whole[:-20], whole[:40], b"", whole.replace(b"1.0.0", b"1.0.1"), whole.replace(b"exact", b"exalt")):
        Path(shelf.old).write_bytes(damage)
        with pytest.raises(BkError, match="accepted threat facts cannot be used"):
            list(accepted.lines(shelf.old))
    Path(shelf.old).unlink()
    assert list(accepted.lines(shelf.old)) == []
    assert accepted.head(shelf.old) is None


def test_files_are_the_owners_alone(shelf: Shelf) -> None:
    shelf.news(claim("a", "1.0.0"))
    assert Path(shelf.old).stat().st_mode & 0o777 == 0o600


def test_how_much_of_our_own_facts_would_fall_silent(tmp_path: Path) -> None:
    facts = tmp_path / "facts.tsv"
    lines = [accepted.text_of(accepted.Line(claim(f"p{n}", "1.0.0", "2.0.0", ident=f"I-{n}"))) for n in range(10)]
    lines.append(accepted.text_of(accepted.Line(claim("q", "1.0.0", group="o"))))
    facts.write_text("\n".join(sorted(lines)) + "\n")
    news = News.of(batch(*(grave(f"p{n}", f"I-{n}") for n in range(3)), grave("q", versions=("1.0.0",))))
    assert silenced(news, str(facts), "g") == (6, 20)
