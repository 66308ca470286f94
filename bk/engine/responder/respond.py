"""One pass of the responder: what the inventory holds that records speak of, ruled by the one gate, and done.

A pass never raises for one artifact; it says in the incident what went wrong and goes on. It never deletes anything.
"""

from __future__ import annotations

import fnmatch
import os

from bk.engine.errors import BkError
from bk.engine.inventory.ecosystems.running import busy
from bk.engine.inventory.item import CACHED, NONE
from bk.engine.model import Entry
from bk.engine.responder import incidents as states
from bk.engine.responder.clock import DAY_MS
from bk.engine.responder.crossref import SEVERITIES, Hit, artifact_path, hits
from bk.engine.responder.gate import MOVE, PENDING, WOULD, Artifact, Ruling, evidence_of, may_move, threshold
from bk.engine.responder.incidents import Book, Incident, key
from bk.engine.responder.wish import size, wish
from bk.quarantine.listing import listed
from bk.quarantine.paths import inside
from bk.quarantine.record import Limits
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bk.engine.intel.index import Index
    from bk.engine.inventory.item import Item
    from bk.engine.model import Json
    from bk.engine.responder.absence import Absence
    from bk.engine.responder.again import Reading
    from bk.engine.responder.gate import Evidence
    from bk.engine.state import State
    from bk.quarantine.record import Held, Hold


TARGET_DAYS = 30
ENTRIES_MAX = 1000
UNWATCHED = (states.QUARANTINED, states.EXEMPT)
PLUGINS = ("editor-extension", "agent-skill")
ACTOR = "responder"
LOOKED = "only looking was asked for: the next pass after a sync moves it, or `bk scan --respond --admin`"
EVENTS = {
    states.OPEN: "finding",
    states.REPORTED: "would_quarantine",
    states.PATHLESS: "pending_quarantine",
    states.APPROVAL: "pending_approval",
    states.STALE_EVIDENCE: "stale_evidence",
    states.QUARANTINED: "catalog_quarantine",
    states.FAILED: "quarantine_error",
    states.RESOLVED: "resolved",
    states.EXEMPT: "exempt",
    states.ACKNOWLEDGED: "finding",
}
LEVELS = {states.QUARANTINED: "quarantine", states.FAILED: "block", states.APPROVAL: "block", states.PATHLESS: "block"}


class Outcome:
    """What a pass came to. `entries` are what the ledger is to hold of it: changes only."""

    __slots__ = ("entries", "failed", "hits", "moved", "news", "pending", "tripped", "would")

    def __init__(self) -> None:
        self.hits = self.moved = self.pending = self.would = self.failed = 0
        self.tripped = False
        self.entries: list[Entry] = []
        self.news: list[Incident] = []

    def told(self) -> dict[str, Json]:
        """The counts for a program."""
        return {name: getattr(self, name) for name in ("hits", "moved", "pending", "would", "failed", "tripped")}


class Moved:
    """What was moved just now, and whether that was on a person's word: its cached copies go along with it."""

    __slots__ = ("approved", "incident")

    def __init__(self, incident: Incident, approved: bool) -> None:
        self.incident = incident
        self.approved = approved


class Pass:
    """One pass over one inventory with one index."""

    def __init__(
        self,
        state: State,
        values: Mapping[str, Json],
        *,
        index: Index,
        now_ms: int,
        again: Callable[[Item], Reading],
        generation: int = 0,
        moves: bool = True,
    ) -> None:
        self._state = state
        self._values = values
        self._index = index
        self._now = now_ms
        self._again = again
        self._generation = generation
        self._moves = moves
        self._decided = 0  # moves that count towards max_moves: cached copies go with what was decided
        self._ruled_on: set[str] = set()
        self._projects: frozenset[str] = frozenset()
        self._held = [path for item in listed(state) for path in (os.fsdecode(part.path) for part in item.parts)]
        self.outcome = Outcome()

    def run(self, items: Iterable[Item], *, absence: Absence | None = None) -> Outcome:
        """Rule on everything, the worst first; `absence` knows what the items prove to be over."""
        projects: set[str] = set()

        def seen() -> Iterator[Item]:
            for item in items:  # never all of them at once: there may be hundreds of thousands
                if item.root:
                    projects.add(item.root)
                if absence is not None:
                    absence.saw(item)
                yield item

        found = [(hit, self._incident(hit)) for hit in hits(self._index, seen())]
        self._projects = frozenset(projects)
        found.sort(key=_first)
        with self._book() as book:
            for hit, incident in found:
                along = self._one(book, hit, incident) if incident.id not in self._ruled_on else None
                for copy, its in found if along else ():
                    if _copy_of(copy.item, hit.item) and its.id not in self._ruled_on:
                        self._one(book, copy, its, along)
            if absence is not None:
                for gone in book.gone({incident.id for _, incident in found}, self._now, absence.why):
                    book.lower(gone.id)
                    self._tell(gone)
        left = len(self.outcome.entries) - ENTRIES_MAX
        if left > 0:
            said: dict[str, Json] = {"event": "truncated", "left_out": left, "generation": self._generation}
            self.outcome.entries[ENTRIES_MAX:] = [Entry("responder", ACTOR, said, level="warn")]
        return self.outcome

    def _book(self) -> Book:
        return Book(self._state, write=True)

    def _incident(self, hit: Hit) -> Incident:
        item, path = hit.item, artifact_path(hit.item)
        return Incident(
            key(item.ecosystem, item.name, item.version, path),
            item.ecosystem,
            item.name,
            item.version,
            path,
            item.observed,
            states.OPEN,
            hit.severity,
            hit.groups,
            hit.told(),
            "",
        )

    def _one(self, book: Book, hit: Hit, found: Incident, along: Moved | None = None) -> Moved | None:
        """Rule on one artifact; what is returned is what its cached copies go along with, when it was moved."""
        self._ruled_on.add(found.id)
        if found.path in self._held and not os.path.lexists(found.path):
            return None  # an inventory from before it was taken: there is nothing to rule on
        held = book.get(found.id)
        approved = bool(held and held.approved)
        evidence = evidence_of(hit.matches, approved=approved)
        ruling, item = self._ruled(book, hit.item, found, evidence, along)
        if ruling.kind == MOVE and not self._moves and not (held and held.state in states.TRIED):
            ruling = Ruling(WOULD, LOOKED)
        incident, changed = book.saw(found, ruling, self._now)
        enough = evidence.labelled or evidence.voices >= threshold(self._values)
        self.outcome.hits += enough
        if ruling.kind == MOVE and self._moves:
            moved = self._move(book, item, incident, held, along)
        else:
            moved = False
            self.outcome.would += ruling.kind == WOULD
            self.outcome.pending += ruling.kind == PENDING
            self.outcome.tripped |= "max_moves" in ruling.why
            if changed:
                self._tell(incident)
        if not enough and book.lower(incident.id):
            self._note("target_lowered", incident)
        watched = enough and incident.state not in UNWATCHED
        if watched and book.aim(incident, self._now, self._now + TARGET_DAYS * DAY_MS):
            self._note("target_added", incident)
        return Moved(incident, approved) if moved and item.kind != CACHED else None

    def _ruled(
        self, book: Book, item: Item, found: Incident, evidence: Evidence, along: Moved | None
    ) -> tuple[Ruling, Item]:
        """Ask the gate; only when everything else allows a move is the artifact read again, just before it.

        What is read then, and not what the inventory remembers, is ruled on and moved.
        """
        asked = self._artifact(book, item, found, "same", 0, along)
        if along is not None and along.approved:
            # a person's word on a package is about what would put it back, too, but for what they keep for themselves
            kept = asked.exempt or asked.excluded or asked.private or asked.restored_days is not None
            evidence.approved |= not kept
        first = may_move(evidence, self._values, asked)
        if first.kind != MOVE or not self._moves:
            return first, item
        there = self._again(item)
        asked = self._artifact(book, there.item, found, there.identity, size(there.item), along)
        return may_move(evidence, self._values, asked), there.item

    def _artifact(  # noqa: PLR0917 - what is asked about, and in which light
        self, book: Book, item: Item, found: Incident, identity: str, told_size: int, along: Moved | None
    ) -> Artifact:
        paths = [path for path in (item.locator.path, *item.locator.files) if path]
        back = book.restored_ms(found.id)
        return Artifact(
            item.ecosystem,
            item.locator.kind,
            identity=identity,
            size=told_size,
            private=private(item, self._values),
            excluded=any(excluded(path, self._values, self._state.home) for path in paths),
            exempt=bool(book.exempted(found.id, self._now)),
            nested=any(inside(path, there) for path in paths for there in self._held),
            restored_days=(self._now - back) // DAY_MS if back else None,
            moved=self._decided if along is None else 0,
        )

    def _move(self, book: Book, item: Item, incident: Incident, before: Incident | None, along: Moved | None) -> bool:
        try:
            self._closed(item)
            held = self._take(item, wish(item, incident, incident.by or ACTOR))
        except HoldRefusedError as error:
            stale = error.refusal in ("gone", "identity_mismatch")
            state = states.STALE_EVIDENCE if stale else states.FAILED
            self._failed(book, incident, before, state, f"{error.refusal}: {error}")
        except (BkError, OSError) as error:
            self._failed(book, incident, before, states.FAILED, str(error))
        else:
            self.outcome.moved += 1
            self._decided += along is None
            incident.approved = 0  # the word was for this artifact, not for the next one in its place
            why = f"a cached copy of what incident {along.incident.id} is about" if along else ""
            book.becomes(incident, states.QUARANTINED, self._now, hold=held.ident, why=why)
            book.lower(incident.id)
            said = {"hold": held.ident, "digest": held.digest, "files": held.count, "bytes": held.size}
            self._tell(incident, **said, **({"along": along.incident.id} if along else {}))
            return True
        return False

    def _take(self, item: Item, wanted: Hold) -> Held:
        return hold(self._state, wanted, projects=self._others(item), limits=self._limits)

    @property
    def _limits(self) -> Limits:
        return Limits(self._values["auto_quarantine.max_bytes"])

    def _closed(self, item: Item) -> None:
        """A browser that runs would put its extension back, or call the profile broken."""
        why = busy(item.locator.path) if item.ecosystem == "browser-extension" else ""
        if why:
            raise HoldRefusedError("busy", why, "close the browser")

    def _others(self, item: Item) -> frozenset[str]:
        """The projects that must not be moved: a plugin's own folder is one only because packages lie in it."""
        if item.ecosystem not in PLUGINS:
            return self._projects
        return frozenset(root for root in self._projects if not inside(root, item.locator.path))

    def _failed(self, book: Book, incident: Incident, before: Incident | None, state: str, why: str) -> None:
        self.outcome.failed += 1
        known = before is not None and before.state == state and before.why == why
        book.becomes(incident, state, self._now, why=why)
        if not known:
            self._tell(incident)

    def _tell(self, incident: Incident, **more: Json) -> None:
        """One entry for a change, and news for whoever notifies people."""
        self.outcome.news.append(incident)
        self._note(EVENTS.get(incident.state, incident.state), incident, **more)

    def _note(self, event: str, incident: Incident, **more: Json) -> None:
        data: dict[str, Json] = {
            "event": event,
            "incident": incident.id,
            "package": f"{incident.ecosystem}:{incident.name}@{incident.version}",
            "path": incident.path.encode(errors="replace").decode(),
            "state": incident.state,
            "severity": incident.severity,
            "groups": list(incident.groups),
            "ids": sorted({ident for each in incident.evidence for ident in each["ids"]})[:20],
            "why": incident.why,
            "generation": self._generation,
            **more,
        }
        self.outcome.entries.append(Entry("responder", ACTOR, data, level=LEVELS.get(incident.state, "warn")))


def _first(each: tuple[Hit, Incident]) -> tuple[int, int, bool, str]:
    """The worst first; of one package what can run before what would only bring it back."""
    hit, incident = each
    return SEVERITIES.index(incident.severity), -len(incident.groups), hit.item.kind == CACHED, incident.path


def _copy_of(item: Item, other: Item) -> bool:
    """Whether this is what a manager would install the other from again."""
    same = (item.ecosystem, item.name, item.version) == (other.ecosystem, other.name, other.version)
    return same and item.kind == CACHED and item.locator.kind != NONE


def private(item: Item, values: Mapping[str, Json]) -> bool:
    """Whether the manager wrote down that it came from a registry of one's own."""
    host = item.origin.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()
    return bool(host) and any(
        host == each.lower() or host.endswith("." + each.lower()) for each in values["posture.private_registries"]
    )


def excluded(path: str, values: Mapping[str, Json], home: str) -> bool:
    """Whether a person keeps a place for themselves."""
    globs: Sequence[str] = values["auto_quarantine.exclude_paths"]
    for glob in globs:
        whole = home + glob[1:] if glob.startswith("~/") else glob
        if inside(path, whole.removesuffix("/**")) or fnmatch.fnmatchcase(path, whole):
            return True
    return False
