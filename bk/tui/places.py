"""The screens there are. A screen exists for tabs, keys, palette and help when it has a line here, and only then."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bk.tui.screens.base import Base


class Place(NamedTuple):
    """A screen by name. Its module is imported when it is first gone to: start-up pays for one screen."""

    name: str
    title: str
    key: str
    module: str
    screen: str

    def load(self) -> type[Base]:
        """The screen's class."""
        found: type[Base] = getattr(import_module(self.module), self.screen)
        return found

    def make(self) -> Base:
        """The screen, on the first visit."""
        return self.load()()


# A place keeps its key when others come or go, so that fingers need not learn again.
_PLACES = (
    Place("overview", "Overview", "1", "bk.tui.screens.overview", "Overview"),
    Place("incidents", "Incidents", "2", "bk.tui.screens.incidents", "IncidentsScreen"),
    Place("activity", "Activity", "3", "bk.tui.screens.activity", "ActivityScreen"),
    Place("quarantine", "Quarantine", "4", "bk.tui.screens.quarantine", "QuarantineScreen"),
    Place("catalogs", "Catalogs", "7", "bk.tui.screens.catalogs", "CatalogsScreen"),
    Place("policy", "Policy", "8", "bk.tui.screens.policy", "PolicyScreen"),
    Place("config", "Config", "9", "bk.tui.screens.config", "ConfigScreen"),
    Place("corpus", "Corpus", "5", "bk.tui.screens.corpus", "CorpusScreen"),
    Place("inventory", "Inventory", "6", "bk.tui.screens.inventory", "InventoryScreen"),
    Place("health", "Health", "0", "bk.tui.screens.health", "HealthScreen"),
)
PLACES = tuple(sorted(_PLACES, key=lambda each: (each.key == "0", each.key)))
FIRST = "overview"


def place(name: str) -> Place | None:
    """The place of this name."""
    return next((each for each in PLACES if each.name == name), None)
