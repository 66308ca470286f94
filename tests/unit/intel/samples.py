"""Invented records and an open index on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bk.engine.intel.index import Index, build
from bk.engine.intel.record import Record
from bk.engine.provenance import stored


def record(
    name: str,
    versions: Sequence[str] = ("1.0.0",),
    *,
    ecosystem: str = "npm",
    kind: str = "exact",
    severity: str = "critical",
    groups: Sequence[str] = ("one",),
    provenance: str = "pinned_origin",
    ident: str = "X-1",
    date: str = "2026-01-02",
    sources: Sequence[str] = ("list",),
) -> Record:
    listed = () if kind == "every" else versions
    return Record(
        ecosystem, name, kind, listed, severity, groups, stored(provenance), ident=ident, date=date, sources=sources
    )


def opened(path: Path, records: Iterable[Record]) -> Index:
    build(str(path), records, {"built": "2026-01-02T03:04:05Z", "sources": {"list": {"date": "2026-01-02"}}})
    return Index.open(str(path))
