"""Many sources into one set of facts: tombstones first, then equal claims become one claim with all its groups.

A withdrawn entry counts against every source that repeats it, because lists are copied faster than they are corrected.
"""

from __future__ import annotations

from bk.engine.intel import order
from bk.engine.intel.names import canonical_name
from bk.engine.intel.record import Record
from bk.engine.intel.versions import canonical_version
from bk.engine.provenance import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from bk.engine.intel.sources import Withdrawn

    _Claim: TypeAlias = tuple[str, str, str, tuple[str, ...], str, str]


def merge(records: Iterable[Record], withdrawn: Sequence[Withdrawn] = ()) -> list[Record]:
    """Canonical, without what was withdrawn, each distinct claim once, sorted."""
    graves: dict[tuple[str, str], list[Withdrawn]] = {}
    for grave in withdrawn:
        graves.setdefault((grave.ecosystem, canonical_name(grave.ecosystem, grave.name)), []).append(grave)
    claims: dict[_Claim, list[Record]] = {}
    for record in records:
        name = canonical_name(record.ecosystem, record.name)
        versions = _canonical(record)
        for grave in graves.get((record.ecosystem, name), ()):
            versions = _buried(record, versions, grave)
        if versions is not None:
            claim = (record.ecosystem, name, record.kind, versions, record.severity, record.provenance.word)
            claims.setdefault(claim, []).append(record)
    return sorted((_one(key, same) for key, same in claims.items()), key=Record.fields)


def _canonical(record: Record) -> tuple[str, ...] | None:
    """Versions in one spelling, oldest first where they can all be compared."""
    if record.kind != "exact":
        return tuple(sorted(set(record.versions)))
    versions = sorted({canonical_version(record.ecosystem, version) for version in record.versions})
    keys = {version: order.key(record.ecosystem, version) for version in versions}
    if None not in keys.values():
        versions.sort(key=lambda version: keys[version] or ())
    return tuple(versions)


def _buried(record: Record, versions: tuple[str, ...] | None, grave: Withdrawn) -> tuple[str, ...] | None:
    """What is left of a claim after a withdrawal; None when nothing is."""
    if versions is None or record.ident in grave.idents:
        return None
    if record.kind == "exact":
        gone = {canonical_version(record.ecosystem, version) for version in grave.versions}
        return tuple(version for version in versions if version not in gone) or None
    return None if record.kind == "every" and grave.every else versions


def _one(claim: _Claim, same: list[Record]) -> Record:
    """One record for a claim that several sources make. Provenance is part of the claim, so none is lent to another."""
    ecosystem, name, kind, versions, severity, provenance = claim
    return Record(
        ecosystem,
        name,
        kind,
        versions,
        severity,
        sorted({group for record in same for group in record.groups}),
        stored(provenance),
        ident=" ".join(sorted({ident for record in same for ident in record.ident.split()})),
        date=min((record.date for record in same if record.date), default=""),
        sources=sorted({source for record in same for source in record.sources}),
    )
