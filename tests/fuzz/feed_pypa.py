"""PyPA advisories: the part of YAML that they are written in."""

from __future__ import annotations

from bk.engine.intel.sources import pypa
from tests.fuzz._feeds import FILES, altered_text, read, seeds

SEEDS = seeds(*(path.name for path in sorted(FILES.glob("PYSEC-*.yaml"))))


def one(data: bytes) -> None:
    """Read `data` as an advisory."""
    read(pypa.parse, data)
    read(pypa.parse, altered_text(data, SEEDS))
