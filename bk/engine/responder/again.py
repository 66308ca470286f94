"""Reading one artifact again, just before it is moved: by the readers that found it, from the disk as it is now."""

from __future__ import annotations

import os

from bk.engine.inventory.item import Locator
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.place import Budget
from bk.engine.inventory.walk import Walk
from bk.engine.responder.crossref import artifact_path
from bk.engine.responder.incidents import key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.place import Found
    from bk.engine.inventory.proof import Proof
    from bk.engine.inventory.walk import Known
    from bk.engine.responder.incidents import Incident

SAME, CHANGED, GONE = "same", "changed", "gone"
LEVELS = 10
SECONDS = 60.0


class Reading:
    """What lies at an artifact's place now: whether it is still that package in that version, and, as far as it is,
    the item as it is read now, whose files, links and rows are what a move takes."""

    __slots__ = ("identity", "item")

    def __init__(self, identity: str, item: Item) -> None:
        self.identity = identity
        self.item = item


class _Seen:
    """Remembers nothing of earlier runs, and of this one only what lies where the artifact lay."""

    def __init__(self, wanted: Callable[[Item], bool]) -> None:
        self._wanted = wanted
        self.there: list[Item] = []

    def recall(self, _path: str) -> Known | None:
        """Nothing is believed unread."""
        return None

    def reuse(self, _known: Known) -> None:
        """Never asked: nothing is known."""

    def keep(self, _path: str, _proof: Proof, _below: list[str], found: Found) -> None:
        """What was found of what is looked for."""
        self.there += filter(self._wanted, found.items)


def fresh(item: Item, home: str = "") -> Reading:
    """Read an artifact again: `same` with the item as it is now, `changed` or `gone`.

    What cannot be found again by its reader is `changed`, even if something lies there: it is not known what.
    """
    place = item.locator.path or min(item.locator.files, default="")
    if not place or not os.path.lexists(place):
        return Reading(GONE, item)
    there = _read(item.observed, item.root, home, lambda one: _place(one.locator) == _place(item.locator))
    same = [one for one in there if _named(one) == _named(item)]
    return Reading(SAME, _joined(same)) if same else Reading(CHANGED, item)


def located(incident: Incident, home: str) -> list[Item]:
    """The items of an incident as the disk has them now: for what only the watch has seen, and no run of the
    inventory."""
    told = incident.observed
    if not told.startswith("/") or not os.path.lexists(told):
        return []
    return _read(told, "", home, lambda one: key(*_named(one), artifact_path(one)) == incident.id)


def _read(observed: str, root: str, home: str, wanted: Callable[[Item], bool]) -> list[Item]:
    """What the readers find of what is looked for, from the file that told of it upwards."""
    home = home or os.path.expanduser("~")
    for folder in _folders(observed, root, home):
        seen = _Seen(wanted)
        walk = Walk(seen, Budget(Limits(seconds=SECONDS)), home=home, env={**os.environ, "HOME": home}, profile="deep")
        walk.run([(folder, 0)])
        if seen.there:
            return seen.there
    return []


def reread(item: Item, home: str = "") -> str:
    """Whether an artifact is still what the inventory saw: `same`, `changed` or `gone`."""
    return fresh(item, home).identity


def _joined(found: list[Item]) -> Item:
    """Several rows of a registry may name one folder: what must move with it is what any of them says."""
    first, at = found[0], found[0].locator
    also = dict.fromkeys(path for one in found for path in one.locator.also)
    first.locator = Locator(at.kind, at.path, at.files, at.pointer, also)
    return first


def _named(item: Item) -> tuple[str, str, str]:
    return item.ecosystem, item.name, item.version


def _place(at: Locator) -> tuple[str, str, str]:
    """What tells one artifact's place from another's; of files the one that describes the others."""
    told = min((path for path in at.files if ".dist-info/" in path), default=min(at.files, default=""))
    return at.kind, at.path or told, at.pointer


def _folders(observed: str, root: str, home: str) -> Iterator[str]:
    """The folders whose reader may have found it: from the file that says so upwards."""
    folder = os.path.dirname(observed)
    for _ in range(LEVELS):
        yield folder
        if folder in ("/", home, os.path.dirname(root)):
            return
        folder = os.path.dirname(folder)
