"""Our own text format for facts: one claim a line, sorted, so that a release's facts can be read and compared.

    ecosystem  name  kind  severity  groups  provenance  ids  date  sources  versions

Columns are separated by tabs and lists by spaces; versions are as the index spells them.
"""

from __future__ import annotations

from bk.engine.errors import BkError
from bk.engine.intel.record import KINDS, SEVERITIES, Record
from bk.engine.provenance import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COLUMNS = ("ecosystem", "name", "kind", "severity", "groups", "provenance", "ids", "date", "sources", "versions")
HEAD = "# " + "\t".join(COLUMNS)


def lines(records: Iterable[Record]) -> Iterator[str]:
    """The file's lines for these records."""
    yield HEAD
    for record in sorted(records, key=Record.fields):
        columns = (
            record.ecosystem,
            record.name,
            record.kind,
            record.severity,
            " ".join(record.groups),
            record.provenance.word,
            record.ident,
            record.date,
            " ".join(record.sources),
            " ".join(record.versions),
        )
        if any(char in column for column in columns for char in "\t\n\r"):
            raise ValueError(f"a tab or a line break in {record!r}")
        yield "\t".join(columns)


def parse(text: str, origin: str) -> Iterator[Record]:
    """The records of a file; a line that is not one is an error, never skipped."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != len(COLUMNS):
            raise _wrong(origin, number, f"{len(columns)} columns instead of {len(COLUMNS)}")
        ecosystem, name, kind, severity, groups, provenance, ident, date, sources, versions = columns
        if kind not in KINDS or severity not in SEVERITIES or not name or not groups:
            raise _wrong(origin, number, "a column holds no known word")
        try:
            vouched = stored(provenance)
        except ValueError as error:
            raise _wrong(origin, number, str(error)) from error
        yield Record(
            ecosystem,
            name,
            kind,
            versions.split(" ") if versions else (),
            severity,
            groups.split(" "),
            vouched,
            ident=ident,
            date=date,
            sources=sources.split(" ") if sources else (),
        )


def _wrong(origin: str, number: int, why: str) -> BkError:
    return BkError("threat facts cannot be read", f"{origin}, line {number}: {why}", "reinstall bk")
