"""RustSec advisories."""

from __future__ import annotations

from bk.engine.intel.sources import rustsec
from tests.fuzz._feeds import FILES, altered_text, read, seeds

SEEDS = seeds(*(path.name for path in sorted(FILES.glob("RUSTSEC-*.md"))))


def one(data: bytes) -> None:
    """Read `data` as an advisory."""
    read(rustsec.parse, data)
    read(rustsec.parse, altered_text(data, SEEDS))
