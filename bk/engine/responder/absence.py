"""Which incidents a run of the inventory ends: each by proof about its own place, never because a run was complete.

A run that could not read one folder still proves what became of everything else, and a complete run over one project
proves nothing about another.
"""

from __future__ import annotations

from bk.engine.inventory.reach import vanished
from bk.engine.responder.crossref import artifact_path
from bk.engine.responder.incidents import SETTLED, Book, key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.reach import Reach
    from bk.engine.responder.incidents import Incident
    from bk.engine.state import State

GONE = "it is not there any more"
CLEARED = "nothing speaks against it any more"


class Absence:
    """What a run proves of the incidents that are open; it is shown every item of the run as they go by."""

    __slots__ = ("_files", "_reach", "_spoke", "_there")

    def __init__(self, state: State, reach: Reach) -> None:
        with Book(state) as book:
            waiting = [one for one in book.every() if one.state not in SETTLED]
        self._reach = reach
        self._files = {one.observed for one in waiting}
        self._spoke: set[str] = set()
        self._there: set[str] = set()

    def saw(self, item: Item) -> None:
        """An item of the run."""
        if item.observed in self._files:
            self._spoke.add(item.observed)
            self._there.add(key(item.ecosystem, item.name, item.version, artifact_path(item)))

    def why(self, incident: Incident) -> str:
        """Why an incident that no record of this run speaks of is over; "" while that is not proven."""
        if not incident.path.startswith("/"):
            return ""  # another machine's word, of which no look at this one proves anything
        if incident.id in self._there:
            return CLEARED
        if all(vanished(path) for path in _places(incident.path)):
            return GONE
        told = incident.observed
        if self._reach.spoiled(told) or self._reach.spoiled(incident.path):
            return ""
        return GONE if told in self._spoke or self._reach.covers(told) else ""


def _places(path: str) -> Iterator[str]:
    """The files and folders that an incident's path may mean: itself, the file that promises it, or that it is in."""
    yield path
    if path.endswith("?"):
        yield path[:-1]
    at = path.find("#/")
    while at >= 0:
        yield path[:at]
        at = path.find("#/", at + 1)
