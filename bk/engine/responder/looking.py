"""What the inventory knows of the things that incidents are about."""

from __future__ import annotations

import glob
import os

from bk.engine.inventory import store
from bk.engine.inventory.item import CACHED
from bk.engine.inventory.run import COMPLETE, PARTIAL
from bk.engine.responder.clock import DAY_MS
from bk.engine.responder.crossref import artifact_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.run import Run
    from bk.engine.model import Json
    from bk.engine.responder.incidents import Incident
    from bk.engine.state import State
    from bk.quarantine.record import Held

RUNS = 5
ROOTS_MAX = 200


def ended(state: State) -> list[Run]:
    """The runs that came to an end, newest first."""
    return [run for run in store.runs(state) if run.status in (COMPLETE, PARTIAL)]


def named(state: State, ecosystem: str, name: str) -> Iterator[Item]:
    """Everything of this name that the last runs saw, each once, as the newest of them saw it."""
    known: set[str] = set()
    for run in ended(state)[:RUNS]:
        for item in store.items(state, run, name=name):
            if (item.ecosystem, item.name) == (ecosystem, name) and item.key not in known:
                known.add(item.key)
                yield item


def every(state: State, names: Collection[tuple[str, str]]) -> Iterator[Item]:
    """The same for many names (ecosystem, name), in one pass over each run."""
    known: set[str] = set()
    for run in ended(state)[:RUNS]:
        for item in store.items(state, run):
            if (item.ecosystem, item.name) in names and item.key not in known:
                known.add(item.key)
                yield item


def items_of(state: State, incident: Incident) -> list[Item]:
    """The observations of an incident's artifact in the newest run that has any."""
    for run in ended(state):
        found = [
            item
            for item in store.items(state, run, name=incident.name)
            if (item.ecosystem, item.name, item.version) == (incident.ecosystem, incident.name, incident.version)
            and artifact_path(item) == incident.path
        ]
        if found:
            return found
    return []


def copies_of(state: State, incident: Incident) -> list[Item]:
    """The cached copies of an incident's package, which a manager would install it from again."""
    found = named(state, incident.ecosystem, incident.name)
    return [item for item in found if item.kind == CACHED and item.version == incident.version]


def overdue(values: Mapping[str, Json], found: Sequence[Held], at_ms: int) -> frozenset[str]:
    """The items that are held for so long that a person should look at them again; nothing else comes of it."""
    oldest = at_ms - int(values["quarantine.review_days"]) * DAY_MS
    return frozenset(held.ident for held in found if held.state == "held" and held.at_ms <= oldest)


def folders(globs: Sequence[str], home: str) -> list[str]:
    """The folders that the globs of `scan.roots` name now."""
    found: dict[str, None] = {}
    for each in globs:
        whole = home + each[1:] if each.startswith("~/") else each
        for path in sorted(glob.iglob(whole)):
            if os.path.isdir(path) and len(found) < ROOTS_MAX:
                found[path] = None
    return list(found)
