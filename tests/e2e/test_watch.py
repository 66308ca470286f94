"""What lands in an editor's folder, met by the engine that runs: an incident in seconds, and not a byte moved."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.provenance import PinnedOrigin
from bk.engine.responder import incidents as states
from bk.engine.responder.incidents import Book, Incident
from bk.engine.service.lock import start_ticks
from bk.engine.service.status import EngineStatus
from bk.engine.state import State
from tests.e2e.engine_house import House, until
from tests.unit.quarantine.house import photograph

QUIET = "notify.channel = 'none'\ncatalog_sync.enabled = false\n"
LIVE = "auto_quarantine.enabled = true\nauto_quarantine.dry_run = false\n"


class Watched(House):
    """An installation with an editor in it, and an index that two groups filled."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.place = Path(state.home, ".vscode", "extensions")
        self.place.mkdir(parents=True)
        groups = ("osv", "datadog")
        records = [
            Record(
                "editor-extension",
                f"acme.{name}",
                "exact",
                ("1.0.0",),
                "critical",
                (group,),
                PinnedOrigin(),
                ident=f"M-{group}",
            )
            for name in ("evil", "worse")
            for group in groups
        ]
        generations.activate(state, records, {"sources": {}}, "live")
        self.settings(QUIET)

    def settings(self, text: str) -> None:
        path = Path(self.state.config)
        path.write_text(text)
        path.chmod(0o600)

    def watching(self) -> int:
        """How many places the engine says that it watches."""
        said = EngineStatus(self.state).told().get("watch")
        return int(said["places"]) if isinstance(said, dict) else 0

    def install(self, name: str) -> Path:
        """As editors do: unpack beside, then rename into place."""
        aside, path = self.place / f".{name}", self.place / f"acme.{name}-1.0.0"
        aside.mkdir()
        (aside / "main.js").write_text("// code\n")
        told = {"publisher": "acme", "name": name, "version": "1.0.0", "engines": {"vscode": "*"}}
        (aside / "package.json").write_text(json.dumps(told))
        os.rename(aside, path)
        return path

    def findings(self) -> list[str]:
        """What the ledger calls found."""
        told = [entry.data for entry in self.entries() if entry.kind == "responder"]
        return [str(data["package"]) for data in told if data["event"] == "finding"]

    def incident(self, name: str) -> Incident | None:
        try:
            with Book(self.state) as book:
                return next((one for one in book.every() if one.name == f"acme.{name}"), None)
        except BkError:
            return None  # it is just being made


@pytest.fixture
def house(state: State) -> Iterator[Watched]:
    made = Watched(state)
    yield made
    made.quiet()


def test_a_bad_extension_is_an_incident_in_seconds_and_moves_only_when_a_person_said_so(house: Watched) -> None:
    assert house.bk("engine", "start").returncode == 0
    until(house.watching)
    good, bad = house.install("good"), house.install("evil")
    before = photograph(house.place)
    found = until(lambda: house.incident("evil"))
    assert (found.state, found.path, set(found.groups)) == (states.OPEN, str(bad), {"osv", "datadog"})
    assert until(house.findings) == ["editor-extension:acme.evil@1.0.0"]
    assert photograph(house.place) == before
    assert "places are watched" in house.bk("engine", "status").stdout
    assert "places are watched" in house.bk("diag").stdout.replace("\n", " ")

    house.settings(QUIET + LIVE)
    worse = house.install("worse")
    until(lambda: (one := house.incident("worse")) and one.state == states.QUARANTINED)
    assert not worse.exists()
    assert good.exists()
    assert bad.exists(), "only what landed is judged; the next scan deals with the rest"

    pid = house.engine()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not start_ticks(pid))
    assert house.bk("audit", "verify").returncode == 0
