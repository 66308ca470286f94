"""What the inventory knows of the things that incidents are about."""

from __future__ import annotations

import glob
import os

from bk.engine.inventory import store
from bk.engine.inventory.run import COMPLETE, PARTIAL
from bk.engine.responder.crossref import artifact_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.run import Run
    from bk.engine.responder.incidents import Incident
    from bk.engine.state import State

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


def folders(globs: Sequence[str], home: str) -> list[str]:
    """The folders that the globs of `scan.roots` name now."""
    found: dict[str, None] = {}
    for each in globs:
        whole = home + each[1:] if each.startswith("~/") else each
        for path in sorted(glob.iglob(whole)):
            if os.path.isdir(path) and len(found) < ROOTS_MAX:
                found[path] = None
    return list(found)
