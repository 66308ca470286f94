"""OSV records of malicious packages: listed versions or ranges, and withdrawals.

A record that limits itself by a list or a bounded range and yet carries an open `introduced: 0` means the list: the
open range is kept as a weak claim (severity medium), so that alone it can ask but never pass for the strong one.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bk.engine.intel.sources import Batch
    from bk.engine.model import Json

EVERY = ""
WEAK = "medium"
FIRST_DATE = "2000"  # some records carry the year 1 for "unknown"


def parse(data: bytes, batch: Batch) -> None:
    """Add one record in JSON."""
    take(json.loads(data), batch)


def take(record: Json, batch: Batch, severity: str = "critical") -> None:
    """Add one record."""
    ident = record["id"]
    for affected in record.get("affected", ()):
        package = affected["package"]
        ecosystem, name = package["ecosystem"], package["name"]
        versions = affected.get("versions") or ()
        ranges = list(_intervals(affected.get("ranges") or ()))
        if record.get("withdrawn"):
            idents = {ident, *(record.get("aliases") or ())}
            batch.withdraw(ecosystem, name, idents, versions, every=EVERY in ranges or not (versions or ranges))
            continue
        date = (record.get("published") or record["modified"])[:10]
        date = date if date > FIRST_DATE else ""
        bounded = [text for text in ranges if text != EVERY]
        limited = bool(versions or bounded)
        if versions:
            batch.add(ecosystem, name, "exact", versions, severity=severity, ident=ident, date=date)
        if bounded:
            batch.add(ecosystem, name, "range", bounded, severity=severity, ident=ident, date=date)
        if not limited or (EVERY in ranges and not _superseded(record, batch)):
            batch.add(ecosystem, name, "every", severity=WEAK if limited else severity, ident=ident, date=date)


def _intervals(ranges: Iterable[Json]) -> Iterator[str]:
    """Each range as an interval, EVERY for one without any limit."""
    for one in ranges:
        if one.get("type") not in ("SEMVER", "ECOSYSTEM"):
            continue
        low = None
        for event in one["events"]:
            if "introduced" in event:
                low = event["introduced"]
            elif low is not None and ("fixed" in event or "last_affected" in event):
                high = f"<{event['fixed']}" if "fixed" in event else f"<={event['last_affected']}"
                yield high if low == "0" else f">={low},{high}"
                low = None
        if low is not None:
            yield EVERY if low == "0" else f">={low}"


def _superseded(record: Json, batch: Batch) -> bool:
    """Whether the open range stems only from an origin that has since narrowed its own report."""
    origins = (record.get("database_specific") or {}).get("malicious-packages-origins") or ()
    newest: dict[tuple[str, str], Json] = {}
    for origin in origins:
        key = (str(origin.get("source")), str(origin.get("id")))
        if key not in newest or str(origin.get("modified_time")) >= str(newest[key].get("modified_time")):
            newest[key] = origin
    stale = [origin for origin in origins if not any(origin is current for current in newest.values())]
    if not any(EVERY in _intervals(origin.get("ranges") or ()) for origin in stale):
        return False
    if any(EVERY in _intervals(origin.get("ranges") or ()) for origin in newest.values()):
        return False
    batch.note(f"repaired, open range that its origin had narrowed: {record['id']}")
    return True
