"""What waits for a person, in one list: calls that were stopped, and what the responder found installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bk.engine.console.cases import WAITING, rows
from bk.engine.console.describe import strongest
from bk.engine.console.incidents import RANKS, Case
from bk.engine.model import Entry
from bk.engine.responder.incidents import QUARANTINED, Incident

__all__ = ["Incident", "Matter", "found", "merged", "sources_of"]
Json = Any
INSTALLED = "installed"
LEVEL_OF = {"critical": "block", "high": "block", "medium": "ask", "low": "warn"}


class Matter:
    """One thing to look at. Behind it is a `case` of the ledger, or an `incident` of the responder's book."""

    __slots__ = ("at", "case", "count", "first_at", "hold", "ident", "incident", "level", "open", "sources", "state",
                 "title", "where", "who")  # fmt: skip

    def __init__(self, *, case: Case | None = None, incident: Incident | None = None, who: str = "") -> None:
        self.case = case
        self.incident = incident
        self.who = who
        self.sources: tuple[str, ...] = ()
        self.hold = self.where = ""
        if incident is not None:
            self._found(incident)
        elif case is not None:
            self._stopped(case)

    def _stopped(self, case: Case) -> None:
        told = case.incident
        self.ident, self.level, self.state, self.title = told.ident, told.level, told.state, told.title
        self.at, self.first_at, self.count = told.at, case.first_at, case.count
        self.open = told.state == "open"

    def _found(self, found: Incident) -> None:
        self.ident, self.state = found.id, found.state
        self.level = "quarantine" if found.state == QUARANTINED else LEVEL_OF.get(found.severity, "block")
        self.title = f"{found.ecosystem}:{found.name}@{found.version}"
        self.at, self.first_at, self.count = found.updated_ms, found.opened_ms, 1
        self.open = found.state in WAITING
        self.sources, self.hold, self.where = found.groups, found.hold, found.path

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do, now or later."""
        return self.incident.ended if self.incident is not None else self.state == "closed"

    @property
    def seq(self) -> int:
        """The ledger entry behind it; 0 for what only the book knows."""
        return self.case.incident.entry if self.case is not None else 0

    def told(self) -> dict[str, Json]:
        """For a program."""
        names = ("ident", "level", "state", "title", "at", "first_at", "count", "where", "who")
        told: dict[str, Json] = {name: getattr(self, name) for name in names}
        told["sources"] = list(self.sources)
        return {**told, **(self.incident.told() if self.incident is not None else {"entry": self.seq})}


def merged(cases: Iterable[Case], found: Iterable[Incident]) -> list[Matter]:
    """Both in one order: the open ones first, the worst first, the latest first. What the book knows, it tells."""
    book = {one.id: one for one in found}
    matters = [Matter(incident=one) for one in book.values()]
    for case in cases:
        if case.incident.kind == INSTALLED and any(case.incident.next_step.endswith(ident[:8]) for ident in book):
            continue
        matters.append(Matter(case=case))
    return sorted(matters, key=lambda one: (not one.open, RANKS.get(one.level, 5), -one.at))


def found(env: Mapping[str, str] | None = None) -> list[Incident]:
    """Everything in the responder's book. Raises BkError when it cannot be read."""
    return rows(every=True, env=env)


def sources_of(entry: Entry) -> Sequence[str]:
    """The independent groups of sources that the deciding finding names."""
    evidence = strongest(entry).get("evidence")
    groups = evidence.get("groups") if isinstance(evidence, Mapping) else None
    return tuple(str(each) for each in groups) if isinstance(groups, (list, tuple)) else ()
