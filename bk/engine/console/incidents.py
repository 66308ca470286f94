"""What a person must look at, derived from the ledger: nothing here is stored anywhere else.

Blocked calls that hit the same rule on the same target are one incident. Acknowledging is an admin entry that names
the last entry seen, so a new occurrence opens the incident again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blake3 import blake3

from bk.engine.console.describe import packages, strongest, subject
from bk.engine.model import Entry, Incident

NOTABLE_KINDS = ("incident", "admin")
NOTABLE_LEVELS = ("block", "quarantine")
RANKS = {"quarantine": 0, "block": 1, "ask": 2, "warn": 3, "allow": 4, "": 5}
ACKNOWLEDGE, REOPEN = "acknowledge", "reopen"


class Case:
    """An incident with what it grew from."""

    __slots__ = ("count", "first_at", "incident", "last_seq")

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.count = 1
        self.first_at = incident.at
        self.last_seq = incident.entry


class Incidents:
    """Fed with entries in order of their sequence; holds every case they make."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._last = 0

    def absorb(self, entries: Iterable[Entry]) -> bool:
        """Take in entries; True when a case is new or changed."""
        changed = False
        for entry in entries:
            if entry.seq <= self._last:
                continue
            self._last = entry.seq
            if entry.kind == "admin":
                changed |= self._admin(entry)
            elif is_notable(entry):
                self._occurred(entry)
                changed = True
        return changed

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases.values())

    def cases(self) -> list[Case]:
        """Open ones first, then by level, then the latest."""
        return sorted(
            self._cases.values(),
            key=lambda case: (case.incident.state != "open", RANKS.get(case.incident.level, 5), -case.last_seq),
        )

    def case(self, ident: str) -> Case | None:
        """The case with this id."""
        return self._cases.get(ident)

    def _occurred(self, entry: Entry) -> None:
        fresh = incident_of(entry)
        case = self._cases.get(fresh.ident)
        if case is None:
            self._cases[fresh.ident] = Case(fresh)
            return
        case.incident = fresh
        case.count += 1
        case.last_seq = entry.seq

    def _admin(self, entry: Entry) -> bool:
        verb = entry.data.get("verb")
        case = self._cases.get(str(entry.data.get("incident"))) if verb in (ACKNOWLEDGE, REOPEN) else None
        if case is None:
            return False
        seen = entry.data.get("seen")
        if verb == ACKNOWLEDGE and (not isinstance(seen, int) or seen < case.last_seq):
            return False
        case.incident.state = "acknowledged" if verb == ACKNOWLEDGE else "open"
        return True


def is_notable(entry: Entry) -> bool:
    """Whether an entry makes an incident."""
    return entry.kind == "incident" or (entry.kind in ("decision", "responder") and entry.level in NOTABLE_LEVELS)


def incident_of(entry: Entry) -> Incident:
    """The incident that an entry tells of; the same matter gives the same id."""
    finding = strongest(entry)
    rule = str(finding.get("rule", ""))
    if entry.kind == "incident":
        matter = [str(entry.data.get(name, "")) for name in ("incident", "title", "detail")]
        title, kind = subject(entry), matter[0] or "incident"
        detail, next_step = str(entry.data.get("detail", "")), str(entry.data.get("next_step", ""))
    elif entry.kind == "responder":
        found = str(entry.data.get("incident", ""))
        kind, matter = "installed", ["responder", found]
        title = f"{entry.data.get('package', '')}: {str(entry.data.get('state', '')).replace('_', ' ')}"
        detail, next_step = str(entry.data.get("why", "")), f"bk incidents show {found[:8]}"
    else:
        kind = rule.partition("/")[0] or "blocked"
        title = ", ".join(packages(entry)) if kind in ("package", "packages", "pkg") else ""
        title = title or subject(entry)
        detail, next_step = str(entry.data.get("reason", "")), str(finding.get("instead", ""))
        matter = [rule, str(finding.get("target", "")) or title]
    ident = "inc-" + blake3("\x1f".join(matter).encode(errors="replace")).hexdigest()[:8]
    return Incident(
        ident,
        kind,
        entry.level or "warn",
        title,
        detail=detail,
        next_step=next_step,
        at=entry.at,
        entry=entry.seq,
    )
