"""What would be moved into the vault now, if these were the settings: the gate, asked about what is known installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bk.engine.intel import overlay
from bk.engine.inventory.item import CACHED, NONE, NOWHERE, Item
from bk.engine.responder import incidents as states
from bk.engine.responder.again import GONE, SAME, reread
from bk.engine.responder.clock import DAY_MS, now_ms
from bk.engine.responder.crossref import SEVERITIES, artifact_path, spoken_of
from bk.engine.responder.gate import ASK, MOVE, PENDING, STALE, WOULD, Artifact, evidence_of, may_move
from bk.engine.responder.incidents import Book, Incident, key
from bk.engine.responder.looking import every
from bk.engine.responder.respond import excluded, private
from bk.engine.responder.wish import size
from bk.engine.state import State
from bk.quarantine.listing import listed
from bk.quarantine.paths import inside

Json = Any
MOVES, ASKS, REPORTS = "move", "ask", "report"
_KINDS = {MOVE: MOVES, WOULD: REPORTS, ASK: ASKS, PENDING: ASKS, STALE: ASKS}
_OVER = (states.QUARANTINED, states.RESOLVED, states.PURGED)


class Would(NamedTuple):
    """What would become of one artifact: moved, left to a person, or only reported; and why."""

    what: str
    incident: Incident
    why: str

    @property
    def name(self) -> str:
        """The package."""
        one = self.incident
        return f"{one.ecosystem}:{one.name}@{one.version}"

    @property
    def same(self) -> tuple[str, str, str]:
        """What must not change while a person decides."""
        return self.what, self.incident.id, self.why


def live(values: Mapping[str, Json]) -> bool:
    """Whether these settings move anything without a question."""
    return values["auto_quarantine.enabled"] is True and values["auto_quarantine.dry_run"] is False


def would(
    state: State,
    values: Mapping[str, Json],
    *,
    read: bool = False,
    wanted: Callable[[], bool] = lambda: True,
) -> list[Would]:
    """Everything that is not settled, ruled on as the next pass would: the worst first, what would move before it.

    `read` has what would move read again from the disk, as a pass does; without it only its place is looked at.
    """
    with Book(state) as book:
        open_ones = [one for one in book.every() if one.state not in _OVER]
        if not open_ones:
            return []
        items = _items(state, open_ones)
        held = [os.fsdecode(part.path) for each in listed(state) for part in each.parts]
        index = overlay.in_force(state)
        try:
            ruling = _Ruling(state, values, book, held, read)
            found = []
            for one in sorted(open_ones, key=lambda each: _first(each, items.get(each.id))):
                if not wanted():
                    break
                item = items.get(one.id) or _nowhere(one)
                found.append(ruling.on(one, item, evidence_of(spoken_of(index, item), approved=bool(one.approved))))
        finally:
            index.close()
    rank = {MOVES: 0, ASKS: 1, REPORTS: 2}
    return sorted((each for each in found if each is not None), key=lambda each: rank[each.what])


class _Ruling:
    """One pass over what is known, in which nothing happens."""

    def __init__(self, state: State, values: Mapping[str, Json], book: Book, held: Sequence[str], read: bool) -> None:
        self._state = state
        self._values = values
        self._book = book
        self._held = held
        self._read = read
        self._now = now_ms()
        self._moved: set[tuple[str, str, str]] = set()
        self._count = 0

    def on(self, one: Incident, item: Item, evidence: Any) -> Would | None:
        """What becomes of one artifact; None when nothing does."""
        named = (item.ecosystem, item.name, item.version)
        along = item.kind == CACHED and named in self._moved
        ruled = may_move(evidence, self._values, self._artifact(one, item, SAME, along))
        if ruled.kind == MOVE:
            identity = self._identity(item)
            ruled = may_move(evidence, self._values, self._artifact(one, item, identity, along))
        what = _KINDS.get(ruled.kind)
        if what is None or (ruled.kind == STALE and not os.path.lexists(item.locator.path or "")):
            return None
        if what == MOVES:
            self._moved.add(named)
            self._count += not along
        return Would(what, one, ruled.why)

    def _identity(self, item: Item) -> str:
        if self._read:
            return reread(item, self._state.home)
        places = [path for path in (item.locator.path, *item.locator.files) if path]
        return SAME if any(map(os.path.lexists, places)) else GONE

    def _artifact(self, one: Incident, item: Item, identity: str, along: bool) -> Artifact:
        paths = [path for path in (item.locator.path, *item.locator.files) if path]
        back = self._book.restored_ms(one.id)
        return Artifact(
            item.ecosystem,
            item.locator.kind,
            identity=identity,
            size=size(item) if identity == SAME and self._read else 0,
            private=private(item, self._values),
            excluded=any(excluded(path, self._values, self._state.home) for path in paths),
            exempt=bool(self._book.exempted(one.id, self._now)),
            nested=any(inside(path, there) for path in paths for there in self._held),
            restored_days=(self._now - back) // DAY_MS if back else None,
            moved=0 if along else self._count,
        )


def _items(state: State, incidents: Sequence[Incident]) -> dict[str, Item]:
    """The artifact of each incident as the last looks saw it, the best located first."""
    found: dict[str, Item] = {}
    for item in every(state, {(one.ecosystem, one.name) for one in incidents}):
        ident = key(item.ecosystem, item.name, item.version, artifact_path(item))
        known = found.get(ident)
        if known is None or (known.locator.kind == NONE and item.locator.kind != NONE):
            found[ident] = item
    return found


def _nowhere(one: Incident) -> Item:
    """What no look has seen: known by name, and nowhere."""
    return Item(one.ecosystem, one.name, one.version, manager="", kind="locked", observed=one.observed, locator=NOWHERE)


def _first(one: Incident, item: Item | None) -> tuple[int, int, bool, str]:
    cached = item is not None and item.kind == CACHED
    rank = SEVERITIES.index(one.severity) if one.severity in SEVERITIES else len(SEVERITIES)
    return rank, -len(one.groups), cached, one.path
