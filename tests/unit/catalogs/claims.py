"""Claims and withdrawals for tests, as a source's batch."""

from __future__ import annotations

from bk.engine.intel.record import Record
from bk.engine.intel.sources import Batch, Withdrawn
from bk.engine.provenance import PinnedOrigin, Provenance, stored

PINNED = PinnedOrigin("feed.example")


def claim(
    name: str,
    *versions: str,
    kind: str = "",
    severity: str = "critical",
    group: str = "g",
    ident: str = "",
    provenance: str = "pinned_origin",
    source: str = "feed",
    ecosystem: str = "npm",
) -> Record:
    return Record(
        ecosystem,
        name,
        kind or ("exact" if versions else "every"),
        versions,
        severity,
        group.split(),
        stored(provenance),
        ident=ident,
        date="2026-01-01",
        sources=[source],
    )


def grave(
    name: str, *idents: str, versions: tuple[str, ...] = (), every: bool = False, group: str = "g",
    issues: tuple[str, ...] = (), proven: bool = True,
) -> Withdrawn:  # fmt: skip
    return Withdrawn("npm", name, idents, versions, every=every, group=group, issues=issues, proven=proven)


def batch(*told: Record | Withdrawn, provenance: Provenance = PINNED) -> Batch:
    made = Batch("feed", "g", provenance, "2026-01-01")
    made.records += [one for one in told if isinstance(one, Record)]
    made.withdrawn += [one for one in told if isinstance(one, Withdrawn)]
    return made
