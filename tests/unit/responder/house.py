"""A machine with things installed and with records that speak of them: real trees, a real index, the real vault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bk.engine.config.schema import BY_NAME
from bk.engine.intel.index import Index, build
from bk.engine.intel.record import Record
from bk.engine.inventory.item import CONFIG_ENTRY, CONFIGURED, DIR, INSTALLED, LOCKED, NOWHERE, Item, Locator
from bk.engine.inventory.reach import Reach
from bk.engine.provenance import PinnedOrigin, Unproven
from bk.engine.responder.absence import Absence
from bk.engine.responder.again import CHANGED, GONE, SAME, Reading
from bk.engine.responder.incidents import Book, Incident
from bk.engine.responder.respond import Outcome, Pass
from bk.engine.state import State
from bk.quarantine.listing import listed
from tests.unit.quarantine.house import package, state_in

DAY_MS = 86_400_000
START = 1_760_000_000_000


class House:
    """One installation, a project, an index; `again` answers as the disk does."""

    def __init__(self, tmp: Path, *, live: bool = True) -> None:
        self.state: State = state_in(tmp / "home")
        self.state.ensure()
        self.project = tmp / "home" / "code" / "shop"
        self.project.mkdir(parents=True)
        self.values: dict[str, Any] = {name: key.default for name, key in BY_NAME.items()}
        if live:
            self.set(enabled=True, dry_run=False)
        self.records: list[Record] = []
        self.now = START
        self.asked: list[str] = []
        self.answers: dict[str, str] = {}

    def set(self, **values: Any) -> None:
        """Change settings of auto_quarantine."""
        self.values.update({f"auto_quarantine.{name}": value for name, value in values.items()})

    def say(self, name: str, *groups: str, version: str = "1.0.0", ecosystem: str = "npm", **over: Any) -> None:
        """Have groups call a version bad: exactly, unless `kind` says otherwise."""
        kind = over.get("kind", "exact")
        vouched = PinnedOrigin() if over.get("real", True) else Unproven()
        versions = (version,) if kind == "exact" else over.get("versions", ())
        severity = over.get("severity", "critical")
        for group in groups:
            self.records.append(
                Record(ecosystem, name, kind, versions, severity, (group,), vouched, ident=f"MAL-{group}-1")
            )

    def install(self, name: str = "evil", version: str = "1.0.0", **over: Any) -> Item:
        """An npm package in the project, and the item that an inventory makes of it."""
        folder = package(self.project, name, version)
        return self.item(name, version, Locator(DIR, str(folder)), observed=f"{folder}/package.json", **over)

    def locked(self, name: str = "evil", version: str = "1.0.0") -> Item:
        """What a lock file alone says."""
        return self.item(name, version, observed=str(self.project / "package-lock.json"), kind=LOCKED)

    def server(self, name: str, version: str, file: Path, pointer: str) -> Item:
        """A server in a client's settings that runs a package."""
        where = Locator(CONFIG_ENTRY, str(file), pointer=pointer)
        return self.item(name, version, where, observed=str(file), kind=CONFIGURED, ecosystem="npm", manager="mcp")

    def item(self, name: str, version: str, locator: Locator | None = None, **over: Any) -> Item:
        """Any item of this project."""
        told: dict[str, Any] = {"manager": "npm", "kind": INSTALLED, "root": str(self.project), "observed": "", **over}
        ecosystem = told.pop("ecosystem", "npm")
        return Item(ecosystem, name, version, locator=locator or NOWHERE, **told)

    def again(self, item: Item) -> Reading:
        """What lies there now."""
        self.asked.append(item.locator.path)
        if item.name in self.answers:
            return Reading(self.answers[item.name], item)
        try:
            told = json.loads(Path(item.locator.path, "package.json").read_text())
        except OSError:
            return Reading(GONE, item)
        return Reading(SAME if (told["name"], told["version"]) == (item.name, item.version) else CHANGED, item)

    def run(self, items: Sequence[Item], *, complete: bool = True, days: float = 0.1, **over: Any) -> Outcome:
        """A pass, some time after the last."""
        self.now += int(days * DAY_MS)
        path = f"{self.state.root}/index"
        build(path, self.records, {"sources": {}, "origin": "test", "built": "2026-01-01"})
        index = Index.open(path)
        try:
            one = Pass(self.state, self.values, index=index, now_ms=self.now, again=self.again, generation=7)
            reach = Reach([(root, 64) for root in over.get("roots", [str(self.project)])], over.get("blind", ()))
            return one.run(items, absence=Absence(self.state, reach) if complete else None)
        finally:
            index.close()

    def incidents(self) -> list[Incident]:
        """The book."""
        with Book(self.state) as book:
            return book.every()

    def only(self) -> Incident:
        """The one incident there is."""
        (incident,) = self.incidents()
        return incident

    def held(self) -> list[str]:
        """Names of what is held."""
        return sorted(item.name for item in listed(self.state))


def events(outcome: Outcome) -> list[str]:
    """What the ledger would be told."""
    return [str(entry.data["event"]) for entry in outcome.entries]
