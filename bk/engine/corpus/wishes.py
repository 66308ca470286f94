"""Which overlay entries follow from the labels that count now, and what that changes. Pure but for what it is handed.

A person's word on an entry outlives what labels say: what they added stays until it expires or they revoke it, and
what they revoked comes back only by a later word of theirs.
"""

from __future__ import annotations

from bk.engine.corpus.packages import package, purl
from bk.engine.corpus.shapes import (
    ACTIVE,
    ACTOR,
    BREACH,
    ENFORCE,
    ENFORCE_GROUPS,
    EXPIRED,
    FORENSIC,
    IMPORTED,
    MALICIOUS,
    REVOKED,
    WATCH,
    OverlayEntry,
    ident,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bk.engine.corpus.shapes import Cluster, Label

    Key = tuple[str, str, str]

DAY_MS = 86_400_000
AUTOMATIC_DAYS, HUMAN_DAYS = 90, 365
SEVERITIES = ("critical", "high", "medium", "low")
PERSON = "person"
REVIEWED = (FORENSIC, BREACH)


class Wish:
    """One package version that a label which counts now calls malicious; `grounds` are all labels that say so, each
    with its tier."""

    __slots__ = ("grounds", "key", "label", "purl")

    def __init__(self, key: Key, label: Label) -> None:
        self.key = key
        self.label = label
        self.purl = purl(*key)
        self.grounds: dict[str, str] = {label.id: self.tier}

    @property
    def groups(self) -> list[str]:
        """The independent groups that an automatic label rests on, for this very package."""
        found = self.label.evidence.get("found", {}).get(self.purl, self.label.evidence)
        return sorted({str(group) for group in found.get("groups", ())})

    @property
    def tier(self) -> str:
        """What it is worth: of a label on several packages each has its own groups."""
        if self.label.human:
            return self.label.tier
        return ENFORCE if len(self.groups) >= ENFORCE_GROUPS else WATCH

    @property
    def rank(self) -> tuple[bool, bool, int, str]:
        """Of several labels on one version the one with most weight speaks, a person's first, then the later."""
        return self.tier == ENFORCE, self.label.human, self.label.at_ms, self.label.id

    def entry(self, now_ms: int) -> OverlayEntry:
        """The entry that follows from it."""
        label = self.label
        severity = str(label.evidence.get("severity", ""))
        days = HUMAN_DAYS if label.human else AUTOMATIC_DAYS
        return OverlayEntry(
            entry_id(self.key, label.id, now_ms), self.purl, *self.key,
            severity=severity if severity in SEVERITIES else SEVERITIES[0],
            reason=str(label.evidence.get("note", "")) or f"{label.source}: {', '.join(self.groups) or label.actor}",
            label=label.id, tier=self.tier, created_ms=now_ms, expires_ms=now_ms + days * DAY_MS,
            created_by=label.actor,
        )  # fmt: skip


def entry_id(key: Key, label: str, now_ms: int) -> str:
    """The id of an entry that begins now."""
    return f"ov-{ident('overlay', [*key, label, now_ms])[:16]}"


def wished(confirmed: Iterable[tuple[Cluster, Label]], said: Callable[[str], Iterable[Label]]) -> dict[Key, Wish]:
    """What the labels that count now ask for, once a package version.

    `said` is what people said of a package, in whatever cluster: their word that it is not malicious keeps an
    automatic label from having any effect.
    """
    found: dict[Key, Wish] = {}
    for cluster, label in confirmed:
        if label.source == IMPORTED:
            continue  # what another installation concluded is quoted, and nothing follows from it
        named = label.evidence.get("purls") or cluster.purls
        for text in named:
            key = package(str(text))
            if not key[1] or not (key[2] or label.human):
                continue  # without a version, an automatic label would condemn all of them
            wish = Wish(key, label)
            if not label.human and _cleared(wish.purl, said(wish.purl)):
                continue
            before = found.get(key)
            if before is not None:
                wish.grounds |= before.grounds
                before.grounds = wish.grounds
            if before is None or wish.rank > before.rank:
                found[key] = wish
    return found


def _cleared(purl: str, said: Iterable[Label]) -> bool:
    """Whether a person said of this package that it is not malicious."""
    return any(each.true_label != MALICIOUS and purl in (each.evidence.get("purls") or (purl,)) for each in said)


def changes(rows: Iterable[OverlayEntry], wishes: Mapping[Key, Wish], now_ms: int) -> list[OverlayEntry]:
    """The rows that must be written so that what is active is what is confirmed now, or was added by a person."""
    changed: list[OverlayEntry] = []
    active: dict[Key, OverlayEntry] = {}
    ended: dict[Key, list[OverlayEntry]] = {}
    for row in rows:
        key = (row.ecosystem, row.name, row.version)
        if row.state == ACTIVE:
            active[key] = row
        else:
            ended.setdefault(key, []).append(row)
    for key, row in list(active.items()):
        if row.expires_ms <= now_ms:
            changed.append(_ended(row, EXPIRED, now_ms))
            ended.setdefault(key, []).append(active.pop(key))
        elif row.label and key not in wishes:
            changed.append(_ended(row, REVOKED, now_ms))
            del active[key]
        elif row.label and wishes[key].grounds.get(row.label) != wishes[key].tier:
            changed.append(_renewed(row, wishes[key], now_ms))
    for key, wish in wishes.items():
        if key not in active and not _refused(wish, ended.get(key, ())):
            changed.append(wish.entry(now_ms))
    return changed


def by_person(actor: str) -> bool:
    """Whether somebody is a person, not bk itself."""
    return actor.partition(":")[0] == PERSON


def labelled(row: OverlayEntry, label: Label | None) -> bool:
    """Whether an entry rests on a person's review of this version: what may carry a move without a second source."""
    return bool(label and label.human and label.source in REVIEWED and row.tier == ENFORCE)


def _ended(row: OverlayEntry, state: str, now_ms: int) -> OverlayEntry:
    row.state, row.ended_by, row.ended_ms = state, ACTOR, now_ms
    return row


def _renewed(row: OverlayEntry, wish: Wish, now_ms: int) -> OverlayEntry:
    """Another label says it now: with its own weight, and from now on as long as such a label holds."""
    fresh = wish.entry(now_ms)
    row.label, row.tier, row.reason = fresh.label, fresh.tier, fresh.reason
    row.severity, row.expires_ms = fresh.severity, fresh.expires_ms
    return row


def _refused(wish: Wish, ended: Iterable[OverlayEntry]) -> bool:
    """Whether what was there before stands against a new entry."""
    for row in ended:
        if row.state == EXPIRED and row.label == wish.label.id:
            return True
        if row.state == REVOKED and by_person(row.ended_by):
            later = wish.label.human and wish.label.at_ms > row.ended_ms
            if not later:
                return True
    return False
