"""The ledger in the formats other tools read. Entries stream through: a million of them never sit in memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from bk.engine.canonical import canonical
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger import ocsf, sarif
from bk.engine.model import Entry
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

Write = Callable[[str], object]
COLUMNS = ("seq", "time", "kind", "level", "actor", "harness", "tool", "session", "target", "rules", "reason", "call")


def export(entries: Iterable[Entry], form: str, write: Write) -> int:
    """Write the entries in one of FORMATS; returns how many there were."""
    make = FORMATS.get(form)
    if make is None:
        raise BkError(
            f"there is no export format {form!r}", f"one of: {', '.join(FORMATS)}", "choose with --format", code=USAGE
        )
    return make(entries, write)


def body_of(entry: Entry) -> dict[str, Json]:
    """An entry as the object that the ledger stores."""
    return {
        "seq": entry.seq,
        "at": entry.at,
        "kind": entry.kind,
        "actor": entry.actor,
        "level": entry.level,
        "call": entry.call,
        "data": entry.data,
    }


def utc(at: int) -> str:
    """An instant as RFC 3339, or "" when it is beyond the calendar."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return ""


def _ndjson(entries: Iterable[Entry], write: Write) -> int:
    """The stored bodies themselves: hashing a line gives the leaf that was chained."""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 - the last number is the count
        write(canonical(body_of(entry)).decode() + "\n")
    return count


class _Lines:
    def __init__(self, write: Write) -> None:
        self.write = write


def _csv(entries: Iterable[Entry], write: Write) -> int:
    rows = csv.writer(_Lines(write), quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007
        data = entry.data
        cells = (
            utc(entry.at),
            entry.kind,
            entry.level,
            entry.actor,
            *(_text(data.get(name)) for name in ("harness", "tool", "session")),
            "; ".join(_text(item.get("target")) for item in _objects(data.get("actions"))),
            " ".join(_text(item.get("rule")) for item in _objects(data.get("findings"))),
            _text(data.get("reason")),
            entry.call,
        )
        rows.writerow((entry.seq, *map(cell, cells)))
    return count


def cell(text: str) -> str:
    """Text that a spreadsheet shows instead of running: a formula's first character is put behind an apostrophe."""
    shown = inert(text)
    return "'" + shown if shown.lstrip(" '\"␉␊␍␣")[:1] in tuple("=+-@|%＝＋－＠") else shown


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _ocsf(entries: Iterable[Entry], write: Write) -> int:
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007
        write(json.dumps(ocsf.event(entry), ensure_ascii=False) + "\n")
    return count


FORMATS: dict[str, Callable[[Iterable[Entry], Write], int]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "sarif": sarif.write_log,
    "ocsf": _ocsf,
}
