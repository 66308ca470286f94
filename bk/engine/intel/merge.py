"""Many sources into one set of facts: withdrawals first, then equal claims become one claim with all its groups.

Whoever withdraws takes back its own group's word, and what others repeat under ids that it alone gives out: lists are
copied faster than they are corrected. What another group says under its own id, or under none, is not touched, so no
source can un-block what another one says.
"""

from __future__ import annotations

from bk.engine.intel import order
from bk.engine.intel.names import canonical_name
from bk.engine.intel.record import Record
from bk.engine.intel.versions import canonical_version
from bk.engine.provenance import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from bk.engine.intel.sources import Withdrawn
    from bk.engine.model import Json

    _Claim: TypeAlias = tuple[str, str, str, tuple[str, ...], str, str]


def merge(records: Iterable[Record], withdrawn: Iterable[Withdrawn] = ()) -> list[Record]:
    """Canonical, without what was withdrawn, each distinct claim once, sorted."""
    graves: dict[tuple[str, str], list[Withdrawn]] = {}
    for grave in withdrawn:
        graves.setdefault((grave.ecosystem, canonical_name(grave.ecosystem, grave.name)), []).append(grave)
    claims: dict[_Claim, list[Record]] = {}
    for told in records:
        record = canonical(told)
        for left in remaining([record], graves.get((record.ecosystem, record.name), ())):
            claims.setdefault(_claim(left), []).append(left)
    return sorted((_one(key, same) for key, same in claims.items()), key=Record.fields)


def merged(claims: Iterable[Record], graves: Sequence[Withdrawn]) -> Iterator[Record]:
    """The same for the claims about one package that are canonical already; nothing else of the set is in memory."""
    same: dict[_Claim, list[Record]] = {}
    for record in remaining(claims, graves):
        same.setdefault(_claim(record), []).append(record)
    for key, records in sorted(same.items()):
        yield _one(key, records)


def canonical(record: Record) -> Record:
    """The claim with its name and versions in one spelling."""
    name, versions = canonical_name(record.ecosystem, record.name), _canonical(record)
    if name == record.name and versions == record.versions:
        return record
    return _with(record, name=name, versions=versions)


def remaining(claims: Iterable[Record], graves: Iterable[Withdrawn]) -> Iterable[Record]:
    """What is left of canonical claims about one package after these withdrawals."""
    for grave in graves:
        claims = [left for record in claims for left in _parts(record, grave)]
    return claims


def _parts(record: Record, grave: Withdrawn) -> Iterator[Record]:
    """What is left of a claim; where several groups share it, only the one that withdraws falls silent."""
    ids = record.ident.split()
    issued = bool(ids and grave.issues) and all(ident.startswith(grave.issues) for ident in ids)
    own = grave.group in record.groups
    if (record.provenance.real and not grave.proven) or (not own and not (issued and len(record.groups) == 1)):
        yield record
        return
    left = _left(record, ids, grave, issued=issued)
    others = tuple(group for group in record.groups if group != grave.group) if own else ()
    if left is record or not others:
        if left is not None:
            yield left
        return
    kept = " ".join(ident for ident in ids if ident not in grave.idents)
    yield _with(record, groups=others, ident=kept)
    if left is not None:
        yield _with(left, groups=(grave.group,))


def _left(record: Record, ids: Sequence[str], grave: Withdrawn, *, issued: bool) -> Record | None:
    """What is left of a claim that this withdrawal may touch: by its id, or without one by what was listed."""
    live = [ident for ident in ids if ident not in grave.idents]
    if ids and not live:
        return None
    if issued:  # the issuer's other ids are still in force and say the same
        return record if len(live) == len(ids) else _with(record, ident=" ".join(live))
    if record.kind == "exact":
        gone = {canonical_version(record.ecosystem, version) for version in grave.versions}
        versions = tuple(version for version in record.versions if version not in gone)
        return _with(record, versions=versions) if versions else None
    return None if record.kind == "every" and grave.every else record


def _with(record: Record, **new: Json) -> Record:
    said = {name: new.get(name, getattr(record, name)) for name in Record.__slots__}
    return Record(**said)


def _claim(record: Record) -> _Claim:
    return (record.ecosystem, record.name, record.kind, record.versions, record.severity, record.provenance.word)


def _canonical(record: Record) -> tuple[str, ...]:
    """Versions in one spelling, oldest first where they can all be compared."""
    if record.kind != "exact":
        return tuple(sorted(set(record.versions)))
    versions = sorted({canonical_version(record.ecosystem, version) for version in record.versions})
    keys = {version: order.key(record.ecosystem, version) for version in versions}
    if None not in keys.values():
        versions.sort(key=lambda version: keys[version] or ())
    return tuple(versions)


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
