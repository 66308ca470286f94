"""What waits for a person, in one list: calls that were stopped, and what the responder found installed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bk.engine.console.describe import strongest
from bk.engine.console.feed import Feed
from bk.engine.console.incidents import RANKS, Case, Incidents
from bk.engine.console.installation import ready
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.responder.gate import TOLD
from bk.engine.responder.incidents import (
    APPROVAL,
    FAILED,
    OPEN,
    PATHLESS,
    QUARANTINED,
    REPORTED,
    STALE_EVIDENCE,
    Book,
    Incident,
)  # fmt: skip
from bk.engine.state import State

__all__ = ["Incident", "Matter", "Open", "Standing", "found", "merged", "open_now", "sources_of"]
Json = Any
INSTALLED = "installed"
WAITING = (OPEN, REPORTED, PATHLESS, APPROVAL, FAILED, STALE_EVIDENCE, TOLD)
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
    matters += [Matter(case=case) for case in _apart(cases, book)]
    return sorted(matters, key=lambda one: (not one.open, RANKS.get(one.level, 5), -one.at))


def found(env: Mapping[str, str] | None = None) -> list[Incident]:
    """Everything in the responder's book. Raises BkError when it cannot be read."""
    from bk.engine.console.cases import rows  # most of the engine: the header's count must not wait for that

    return rows(every=True, env=env)


def _apart(cases: Iterable[Case], book: Collection[str]) -> list[Case]:
    """The cases that the book does not tell of: those of what is installed are in it, and it knows how they stand."""
    known = {ident[:8] for ident in book}
    return [
        case for case in cases
        if case.incident.kind != INSTALLED or case.incident.next_step.rpartition(" ")[2] not in known
    ]  # fmt: skip


class Open(NamedTuple):
    """How much is open: calls that were stopped and notices of the engine, and what was found installed."""

    stopped: int = 0
    installed: int = 0

    @property
    def total(self) -> int:
        """All that waits for a person."""
        return self.stopped + self.installed


class Standing:
    """How each incident of the book stands, read again only when the book has changed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._stamp: tuple[tuple[int, int], ...] | None = None
        self.states: Mapping[str, str] = {}

    def look(self) -> bool:
        """Whether the book says something else than at the last look. A book that cannot be read says nothing."""
        path = f"{self._state.root}/incidents.db"
        stamp = tuple(map(_stamp, (path, f"{path}-wal")))
        if stamp == self._stamp:
            return False
        before, self._stamp = self.states, stamp
        try:
            with Book(self._state) as book:
                self.states = book.states()
        except BkError:
            self.states = {}
        return before != self.states

    def open(self, cases: Iterable[Case]) -> Open:
        """How much is open, as the list of both shows it."""
        stopped = sum(case.incident.state == "open" for case in _apart(cases, self.states))
        return Open(stopped, sum(state in WAITING for state in self.states.values()))


def open_now(env: Mapping[str, str] | None = None) -> Open:
    """How much is open now, looked up from the beginning. Raises BkError when the ledger cannot be read."""
    state = ready(env)
    standing, feed, cases = Standing(state), Feed(state), Incidents()
    standing.look()
    try:
        feed.poll()
        if feed.problem is not None:
            raise feed.problem
        cases.absorb(feed.notable())
    finally:
        feed.close()
    return standing.open(cases)


def _stamp(path: str) -> tuple[int, int]:
    try:
        info = os.stat(path)
    except OSError:
        return 0, 0
    return info.st_mtime_ns, info.st_size


def sources_of(entry: Entry) -> Sequence[str]:
    """The independent groups of sources that the deciding finding names."""
    evidence = strongest(entry).get("evidence")
    groups = evidence.get("groups") if isinstance(evidence, Mapping) else None
    return tuple(str(each) for each in groups) if isinstance(groups, (list, tuple)) else ()
