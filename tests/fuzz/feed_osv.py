"""OSV records."""

from __future__ import annotations

from bk.engine.intel.sources import osv
from tests.fuzz._feeds import FILES, altered_json, read, seeds

SEEDS = seeds(*(path.name for path in sorted(FILES.glob("MAL-*.json"))))


def one(data: bytes) -> None:
    """Read `data` as a record."""
    read(osv.parse, data)
    read(osv.parse, altered_json(data, SEEDS))
