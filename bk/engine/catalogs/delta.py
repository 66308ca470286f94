"""What a source's news changes, package by package, and the accepted file that would follow from it.

An entry that vanishes without being withdrawn stays in force for a while: a source that is emptied, by accident or by
somebody who took it over, must not un-block what it had warned of.
"""

from __future__ import annotations

from bk.engine.catalogs import accepted
from bk.engine.catalogs.accepted import Head, Line, text_of
from bk.engine.catalogs.sanity import DAY_MS, Change, Moment, within_day
from bk.engine.intel.compact import parse as compact
from bk.engine.intel.merge import canonical, remaining
from bk.engine.intel.names import canonical_name
from bk.engine.intel.record import Record
from bk.engine.intel.sources import Withdrawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from bk.engine.catalogs.accepted import Key
    from bk.engine.intel.sources import Batch

    Unit: TypeAlias = tuple[str, str, str, bool]  # kind, severity, version, whether somebody vouches for it

PACKAGE_MAX = 1 << 20
IDENT_MAX = 400


class News:
    """What one source says now, as sorted lines; `left_out` is what could not be taken."""

    __slots__ = ("count", "left_out", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.count = 0
        self.left_out = 0

    @classmethod
    def of(cls, batch: Batch) -> News:
        """The batch in canonical spelling; its own lists are emptied on the way, because it may be large."""
        news = cls()
        news.left_out = sum(note.startswith("left out") for note in batch.notes)
        texts: set[str] = set()
        while batch.records:
            record = canonical(batch.records.pop())
            record.ident = record.ident[:IDENT_MAX]
            news._take(Line(record), texts, bounded=_bounded(record))
        while batch.withdrawn:
            grave = batch.withdrawn.pop()
            grave.name = canonical_name(grave.ecosystem, grave.name)
            news._take(Line(None, grave), texts, bounded=True)
        news.texts = sorted(texts)
        news.count = len(news.texts)
        return news

    def _take(self, line: Line, texts: set[str], *, bounded: bool) -> None:
        try:
            text = text_of(line)
        except ValueError:
            text = ""
        if text and bounded and len(text) <= PACKAGE_MAX:
            texts.add(text)
        else:
            self.left_out += 1

    def grouped(self) -> Iterator[tuple[Key, list[Line]]]:
        """The lines package by package."""
        here: Key | None = None
        found: list[Line] = []
        for text in self.texts:
            line = accepted.parsed(text)
            if line.key != here and here is not None:
                yield here, found
                found = []
            here = line.key
            found.append(line)
        if here is not None:
            yield here, found


class Delta:
    """The outcome of a comparison: what changes in each ecosystem, and how much of bk's own facts it would silence."""

    __slots__ = ("bundled", "changes", "head", "silenced")

    def __init__(self, head: Head) -> None:
        self.head = head
        self.changes: dict[str, Change] = {}
        self.silenced = 0
        self.bundled = 0

    @property
    def added(self) -> int:
        """All that is new."""
        return sum(change.added for change in self.changes.values())

    @property
    def removed(self) -> int:
        """All that is not said any more."""
        return sum(change.removed for change in self.changes.values())


def compare(old: str, news: News, out: str, head: Head, *, keep_days: int, moment: Moment) -> Delta:
    """Compare news with what was accepted (`old`, which need not exist), and write what would be accepted to `out`.

    `head` says where the news comes from and when; counts, digest and growth are filled in here. A source's first
    news is no growth.
    """
    delta = Delta(head)
    before = accepted.head(old)
    if before is not None:
        head.growth = [dict(row) for row in within_day(before.growth, moment)]
    oldest = head.at_ms - keep_days * DAY_MS
    accepted.write(out, _written(_paired(old, news), delta, oldest, moment if before else None), head)
    return delta


def _written(
    pairs: Iterable[tuple[Key, list[Line], list[Line]]], delta: Delta, oldest: int, moment: Moment | None
) -> Iterator[str]:
    """The lines of the new file; the head is complete when they have all been asked for."""
    head = delta.head
    for (ecosystem, _), was, now in pairs:
        change = delta.changes.get(ecosystem)
        if change is None:
            change = delta.changes[ecosystem] = Change()
        kept = _package(was, now, change, head.at_ms, oldest)
        texts = {text_of(line) for line in now}
        claims = [line for line in (*now, *kept) if line.record is not None]
        texts.update(text_of(line) for line in kept)
        if claims:
            head.records += len(claims)
            head.ecosystems[ecosystem] = head.ecosystems.get(ecosystem, 0) + 1
            live = len(_units(line.record for line in now if line.record is not None))
            head.units[ecosystem] = head.units.get(ecosystem, 0) + live
        for line in kept:
            head.dropped_ms = min(head.dropped_ms or line.since_ms, line.since_ms)
        yield from sorted(texts)
    if moment is not None and (delta.added or delta.removed):
        head.growth.append(moment.row(delta.changes))


def _paired(old: str, news: News) -> Iterator[tuple[Key, list[Line], list[Line]]]:
    """Both sides package by package, in order."""
    before, after = accepted.grouped(old), news.grouped()
    was, now = next(before, None), next(after, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was[0] < now[0]):
            assert was is not None
            yield was[0], was[1], []
            was = next(before, None)
        elif was is None or now[0] < was[0]:
            yield now[0], [], now[1]
            now = next(after, None)
        else:
            yield was[0], was[1], now[1]
            was, now = next(before, None), next(after, None)


def _package(was: list[Line], now: list[Line], change: Change, at_ms: int, oldest: int) -> list[Line]:
    """Count what changed for one package; the dropped claims that stay in force."""
    graves = [line.grave for line in now if line.grave is not None]
    claimed = [line.record for line in now if line.record is not None]
    said = _units(remaining(claimed, graves) if graves else claimed)
    if not was:
        change.added += len(said)
        return []
    before = [line.record for line in was if line.record is not None and not line.since_ms]
    buried = [line.grave for line in was if line.grave is not None]
    held = _units(remaining(before, buried) if buried else before)
    gone = [line for line in was if line.since_ms]
    lingering = _units(line.record for line in gone if line.record is not None)
    change.held += len(held)
    change.added += len(said - held - lingering)
    if held <= said and not gone:
        return []
    kept: list[Line] = []
    survivors: set[Unit] = set()
    live = list(remaining(before, buried)) if buried else before
    sides = [(record, at_ms) for record in live] + [
        (line.record, line.since_ms) for line in gone if line.record is not None
    ]
    for told, since in sides:
        for record in remaining([told], graves):
            missing = [version for version in _versions(record) if _unit(record, version) not in said]
            if not missing:
                continue
            survivors.update(_unit(record, version) for version in missing)
            if min(since, at_ms) > oldest:
                kept.append(Line(_only(record, missing), None, min(since, at_ms)))
    change.dropped += len((held - said) & survivors)
    change.withdrawn += len((held | lingering) - said - survivors)
    return kept


def _units(records: Iterable[Record]) -> set[Unit]:
    return {_unit(record, version) for record in records for version in _versions(record)}


def _versions(record: Record) -> tuple[str, ...]:
    return record.versions or ("",)


def _unit(record: Record, version: str) -> Unit:
    return (record.kind, record.severity, version, record.provenance.real)


def _only(record: Record, versions: list[str]) -> Record:
    """The claim for some of its versions."""
    said = {name: getattr(record, name) for name in Record.__slots__}
    return Record(**{**said, "versions": [version for version in versions if version]})


def _bounded(record: Record) -> bool:
    """Whether the index could hold it: an interval has ends, and only a wildcard names no versions."""
    if record.kind == "every":
        return not record.versions
    if record.kind == "range":
        return bool(record.versions) and all(
            end[:1] in ("<", ">") and end.lstrip("<>=") for text in record.versions for end in text.split(",")
        )
    return bool(record.versions)


def silenced(news: News, facts: str, group: str) -> tuple[int, int]:
    """How many of bk's own facts of this group the news would withdraw, and how many there are."""
    graves: dict[Key, list[Withdrawn]] = {}
    for text in news.texts:
        if f"\t{accepted.WITHDRAWN}\t" in text:
            line = accepted.parsed(text)
            if line.grave is not None:
                graves.setdefault(line.key, []).append(line.grave)
    lost = held = 0
    with open(facts, encoding="utf-8") as file:
        for record in compact(file.read(), facts):
            if group not in record.groups:
                continue
            units = {unit[:3] for unit in _units([record])}
            held += len(units)
            here = graves.get((record.ecosystem, record.name))
            if here:
                left = [each for each in remaining([record], here) if group in each.groups]
                lost += len(units - {unit[:3] for unit in _units(left)})
    return lost, held
