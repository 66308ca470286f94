"""OSV records of malicious packages: listed versions or ranges, and withdrawals.

A record that limits itself by a list or a bounded range and yet carries an open `introduced: 0` means the list: the
open range is kept as a weak claim (severity medium), so that alone it can ask but never pass for the strong one.
"""

from __future__ import annotations

from bk.engine.intel import order
from bk.engine.intel.sources import known
from bk.engine.intel.sources.shape import document, mapping, sequence, text, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bk.engine.intel.sources import Batch
    from bk.engine.model import Json

EVERY = ""
WEAK = "medium"
FIRST_DATE = "2000"  # some records carry the year 1 for "unknown"
ISSUED = "MAL-"
AFFECTED_MAX = 2_000
VERSIONS_MAX = 20_000
EVENTS_MAX = 5_000
ALIASES_MAX = 200
BOUND_MAX = 200
_CLOSERS = (("fixed", "<"), ("last_affected", "<="))
_PAIR = {"introduced": 0, "<": 1, "<=": 1}
_MANY = {"<": 0, "introduced": 1, "<=": 2}  # at one version: an earlier span ends before the next begins


def parse(data: bytes, batch: Batch) -> None:
    """Add one record in JSON."""
    take(mapping(document(data), "the record"), batch)


def malicious(record: Json) -> bool:
    """Whether a record says that a package is malicious, and not merely vulnerable."""
    idents = (record.get("id"), *_aliases(record))
    return any(isinstance(ident, str) and ident.startswith(ISSUED) for ident in idents)


def take(record: Json, batch: Batch, severity: str = "critical") -> None:
    """Add one record; a ValueError says why it is none."""
    ident = text(record.get("id"), "id")
    withdrawn = text(record.get("withdrawn") or "", "withdrawn")
    affected = sequence(record.get("affected") or [], "affected")
    _bounded(len(affected), AFFECTED_MAX, "affected packages")
    listed = events = 0
    for each in affected:
        one = mapping(each, "an affected package")
        package = mapping(one.get("package") or {}, "package")
        ecosystem, name = text(package.get("ecosystem"), "ecosystem"), text(package.get("name"), "name")
        versions = texts(one.get("versions") or [], "versions")
        spans = [mapping(span, "a range") for span in sequence(one.get("ranges") or [], "ranges")]
        listed += len(versions)
        events += sum(len(sequence(span.get("events") or [], "events")) for span in spans)
        _bounded(listed, VERSIONS_MAX, "versions")
        _bounded(events + len(spans), EVENTS_MAX, "ranges and events")
        ranges = list(_intervals(spans, ecosystem))
        if withdrawn:
            idents = {ident, *_aliases(record)}
            batch.withdraw(ecosystem, name, idents, versions, every=EVERY in ranges or not (versions or ranges))
            continue
        date = text(record.get("published") or record.get("modified"), "modified")[:10]
        date = date if date > FIRST_DATE else ""
        bounded = [interval for interval in ranges if interval != EVERY]
        limited = bool(versions or bounded)
        if versions:
            batch.add(ecosystem, name, "exact", versions, severity=severity, ident=ident, date=date)
        if bounded:
            batch.add(ecosystem, name, "range", bounded, severity=severity, ident=ident, date=date)
        if not limited or (EVERY in ranges and not _superseded(record, batch)):
            batch.add(ecosystem, name, "every", severity=WEAK if limited else severity, ident=ident, date=date)


def _bounded(count: int, most: int, what: str) -> None:
    if count > most:
        raise ValueError(f"it names {count} {what}; {most} is the most")


def _aliases(record: Json) -> list[str]:
    found = texts(record.get("aliases") or [], "aliases")
    _bounded(len(found), ALIASES_MAX, "aliases")
    return found


def _intervals(ranges: Iterable[Json], ecosystem: str) -> Iterator[str]:
    """Each range as an interval, EVERY for one without any limit."""
    for one in ranges:
        if one.get("type") not in ("SEMVER", "ECOSYSTEM"):
            continue
        low = None
        for what, version in _ordered(one.get("events") or [], known(ecosystem)):
            if what == "introduced":
                low = version if low is None else low
            elif low is not None:
                yield f"{what}{version}" if low == "0" else f">={low},{what}{version}"
                low = None
        if low is not None:
            yield EVERY if low == "0" else f">={low}"


def _ordered(events: Json, ecosystem: str) -> list[tuple[str, str]]:
    """What happens at which version, lowest first where the versions can be compared, else as it is written."""
    found: list[tuple[str, str]] = []
    for each in sequence(events, "events"):
        event = mapping(each, "an event")
        if "introduced" in event:
            found.append(("introduced", _bound(event["introduced"])))
        found.extend((sign, _bound(event[closer])) for closer, sign in _CLOSERS if closer in event)
    keys = {version: () if version == "0" else order.key(ecosystem, version) for _, version in found}
    if None not in keys.values():
        ranks = _PAIR if len(found) == 2 else _MANY
        found.sort(key=lambda event: (keys[event[1]] or (), ranks[event[0]]))
    return found


def _bound(value: Json) -> str:
    """A version that can be the end of an interval."""
    version = text(value, "a version in a range").strip()
    if not version or len(version) > BOUND_MAX or any(mark in version for mark in ",<>= "):
        raise ValueError(f"{version[:40]!a} is no end of a range")
    return version


def _superseded(record: Json, batch: Batch) -> bool:
    """Whether the open range stems only from an origin that has since narrowed its own report."""
    told = record.get("database_specific")
    said = told.get("malicious-packages-origins") if isinstance(told, dict) else None
    origins = [origin for origin in said if isinstance(origin, dict)] if isinstance(said, list) else []
    newest: dict[tuple[str, str], Json] = {}
    for origin in origins:
        key = (str(origin.get("source")), str(origin.get("id")))
        if key not in newest or str(origin.get("modified_time")) >= str(newest[key].get("modified_time")):
            newest[key] = origin
    current = set(map(id, newest.values()))
    stale = [origin for origin in origins if id(origin) not in current]
    if not any(map(_open, stale)) or any(map(_open, newest.values())):
        return False
    batch.note(f"repaired, open range that its origin had narrowed: {record['id']}")
    return True


def _open(origin: Json) -> bool:
    ranges = [mapping(each, "a range") for each in sequence(origin.get("ranges") or [], "ranges")]
    return EVERY in _intervals(ranges, "")
