"""A house with a project in it: what follows from an outcome, on a machine where something is installed."""

from __future__ import annotations

import time
from pathlib import Path

from bk.engine.corpus import promote
from bk.engine.corpus.shapes import FORENSIC, MALICIOUS, OverlayEntry
from bk.engine.corpus.store import Corpus
from bk.engine.intel import overlay
from bk.engine.inventory.scan import scan
from bk.engine.responder.incidents import Book, Incident
from bk.engine.state import State
from tests.unit.corpus.house import DAY_MS, House
from tests.unit.quarantine.house import package

EVIL = "npm install evil@1.0.0"


class Machine(House):
    """A house with a project in it, whose clock is the real one: entries end by it."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.now = time.time_ns() // 1_000_000 - 1000
        self.values["notify.channel"] = "none"
        self.project = Path(state.home, "shop")
        self.project.mkdir()

    def install(self, name: str = "evil", version: str = "1.0.0") -> Path:
        """A package in the project, seen by a scan."""
        folder = package(self.project, name, version)
        scan(self.state, profile="project", roots=[str(self.project)], env={"HOME": self.state.home})
        return Path(folder)

    def settle(self, days: float = 0.0) -> list[str]:
        """Bring the machine in line; the events that go on record."""
        self.now += int(days * DAY_MS)
        with Corpus(self.state, write=True) as corpus:
            entries = promote.settle(self.state, corpus, self.values, self.now)
        return [str(entry.data["event"]) for entry in entries]

    def overlay(self, state: str = "") -> list[OverlayEntry]:
        """The table's rows."""
        with Corpus(self.state) as corpus:
            return corpus.overlay(state=state)

    def said(self) -> list[tuple[str, str, str]]:
        """What decisions read: name, version, tier."""
        return [(one.name, "".join(one.versions), one.tier) for one in overlay.entries(self.state)]

    def incidents(self) -> list[Incident]:
        """The book of incidents."""
        with Book(self.state) as book:
            return book.every()

    def targets(self) -> list[str]:
        """What the sensor watches."""
        with Book(self.state) as book:
            return [each["name"] for each in book.targets(self.now)]

    def confirmed(self, *groups: str) -> None:
        """An install is allowed, then these groups list it and a pass confirms it."""
        self.does(EVIL)
        self.say("evil", *groups)
        self.sync()
        self.run()

    def reviewed(self, true_label: str = MALICIOUS, source: str = FORENSIC) -> str:
        """A person labels the one install."""
        if not self.events():
            self.does(EVIL)
            self.run()
        ident = self.label(self.events()[-1], true_label, source, note="seen in the sandbox")
        self.settle()
        return ident
