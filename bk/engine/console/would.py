"""What would be moved into the vault now, if these were the settings: a pass over what is known, in which nothing is.

The very code of a pass rules, on a copy of the book. It is given what the last runs of the inventory saw, and what only
the watch saw: its incidents name the place, and that is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from bk.engine.intel import generations, overlay
from bk.engine.intel.index import Index
from bk.engine.inventory import store
from bk.engine.inventory.item import Item
from bk.engine.responder.again import GONE, SAME, Reading, fresh, located
from bk.engine.responder.clock import now_ms
from bk.engine.responder.crossref import Hit, artifact_path, hits
from bk.engine.responder.gate import ASK, MOVE, PENDING, STALE, WOULD, Evidence, Ruling
from bk.engine.responder.incidents import QUARANTINED, Book, Draft, Incident, key
from bk.engine.responder.looking import RUNS, ended
from bk.engine.responder.respond import Moved, Pass
from bk.engine.state import State
from bk.quarantine.paths import inside
from bk.quarantine.record import Held, Hold
from bk.quarantine.vault import rehearsed

Json = Any
MOVES, ASKS, REPORTS = "move", "ask", "report"
_KINDS = {MOVE: MOVES, WOULD: REPORTS, ASK: ASKS, PENDING: ASKS, STALE: ASKS}
_RANK = {MOVES: 0, ASKS: 1, REPORTS: 2}

Named = tuple[str, str]


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
    """What would become of everything that is known to be installed, as the next pass would rule: what would move
    first, the worst of it before the rest.

    `read` has what would move read again from the disk, as a pass does; without it only its place is looked at.
    """
    index = overlay.in_force(state)
    try:
        seen = _seen(state)
        rehearsal = Rehearsal(state, values, index=index, roots=seen.roots, read=read, wanted=wanted)
        rehearsal.run(_there(state, seen, wanted))
    finally:
        index.close()
    return sorted(rehearsal.found, key=lambda each: _RANK[each.what])


class Rehearsal(Pass):
    """A pass that writes in a copy of the book and takes nothing. `found` is what it would have come to."""

    def __init__(
        self,
        state: State,
        values: Mapping[str, Json],
        *,
        index: Index,
        roots: frozenset[str],
        read: bool,
        wanted: Callable[[], bool],
    ) -> None:
        super().__init__(state, values, index=index, now_ms=now_ms(), again=self._look)
        self._roots = roots
        self._read = read
        self._wanted = wanted
        self._taken: list[str] = []
        self._rulings: list[Ruling] = []
        self.found: list[Would] = []

    def _book(self) -> Book:
        return Draft(self._state)

    def _one(self, book: Book, hit: Hit, found: Incident, along: Moved | None = None) -> Moved | None:
        if not self._wanted():
            return None
        self._rulings.clear()
        known = book.get(found.id) or found
        moved = super()._one(book, hit, found, along)
        now = book.get(found.id)
        ruling = self._rulings[0] if self._rulings else None
        what = _KINDS.get(ruling.kind) if ruling is not None else None
        if ruling is None or now is None or what is None or (ruling.kind == STALE and self._away(hit.item)):
            return moved
        if what == MOVES and now.state != QUARANTINED:
            self.found.append(Would(ASKS, known, now.why))  # the vault would refuse it
        else:
            self.found.append(Would(what, known, ruling.why))
        return moved

    def _ruled(
        self, book: Book, item: Item, found: Incident, evidence: Evidence, along: Moved | None
    ) -> tuple[Ruling, Item]:
        ruling, item = super()._ruled(book, item, found, evidence, along)
        self._rulings.append(ruling)
        return ruling, item

    def _look(self, item: Item) -> Reading:
        if self._away(item):
            return Reading(GONE, item)
        return fresh(item, self._state.home) if self._read else Reading(SAME, item)

    def _away(self, item: Item) -> bool:
        """Whether nothing lies there, or it would have gone with what was taken before it."""
        return not any(
            os.path.lexists(path) and not any(inside(path, taken) for taken in self._taken) for path in _places(item)
        )

    def _take(self, item: Item, wanted: Hold) -> Held:
        self._projects = self._roots  # read from within, a package that holds others would pass for a project
        projects = self._others(item)
        held = rehearsed(self._state, wanted, projects=projects, limits=self._limits, whole=self._read)
        if wanted.kind != "config_entry":
            self._taken += [path for path in (wanted.path, *wanted.files, *wanted.also) if path]
        return held


class Seen(NamedTuple):
    """What the last runs of the inventory saw: the names of it that records speak of, and its projects."""

    runs: tuple[int, ...]
    names: frozenset[Named]
    roots: frozenset[str]


def _seen(state: State) -> Seen:
    force = generations.in_force(state)
    return _spoken(state, tuple(run.id for run in ended(state)[:RUNS]), force.number if force is not None else 0)


@lru_cache(maxsize=2)
def _spoken(state: State, runs: tuple[int, ...], _generation: int) -> Seen:
    """Looked up once for the same runs and the same generation: there may be hundreds of thousands of items."""
    roots: set[str] = set()

    def items() -> Iterator[Item]:
        for run in runs:
            for item in store.items(state, run):
                roots.add(item.root)
                yield item

    index = overlay.in_force(state)
    try:
        names = frozenset((hit.item.ecosystem, hit.item.name) for hit in hits(index, items()))
    finally:
        index.close()
    return Seen(runs, names, frozenset(roots - {""}))


def _there(state: State, seen: Seen, wanted: Callable[[], bool]) -> Iterator[Item]:
    """What records may speak of and still lies where it was seen, each artifact once, as it was seen last."""
    own = {(each.ecosystem, each.name) for each in overlay.entries(state)}
    with Book(state) as book:
        waiting = {one.id: one for one in book.every() if one.path.startswith("/")}
    names = own | seen.names | {(one.ecosystem, one.name) for one in waiting.values()}
    known: set[str] = set()
    for run in seen.runs:
        for item in store.items(state, run):
            if not wanted():
                return
            if (item.ecosystem, item.name) in names and item.key not in known:
                known.add(item.key)
                if any(map(os.path.lexists, _places(item))):
                    waiting.pop(key(item.ecosystem, item.name, item.version, artifact_path(item)), None)
                    yield item
    for one in waiting.values():
        if not wanted():
            return
        yield from located(one, state.home)


def _places(item: Item) -> list[str]:
    """Where an item lies; where it has no place of its own, the file that promises it."""
    return [path for path in (item.locator.path, *item.locator.files) if path] or [item.observed]
