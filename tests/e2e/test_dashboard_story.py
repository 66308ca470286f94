"""One afternoon at the dashboard, on a real engine in a real terminal: from a blocked call to a purge."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.provenance import PinnedOrigin
from bk.engine.responder import incidents as states
from bk.engine.service.lock import start_ticks
from bk.engine.state import State
from bk.quarantine.listing import listed as held_in
from tests.e2e.engine_house import until
from tests.e2e.test_dashboard_tmux import Pane
from tests.e2e.test_watch import QUIET, Watched
from tests.unit.quarantine.house import photograph

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
SETTLE = 0.4  # a question does not listen at once
FINGER = 0.25
COMMAND = "npm install evil-pkg@1.0.0"


@pytest.fixture
def house(state: State) -> Iterator[Watched]:
    made = Watched(state)
    records = [bad("npm", "evil-pkg", group) for group in ("osv", "datadog")]
    records += [
        bad("editor-extension", f"acme.{name}", group) for name in ("evil", "worse") for group in ("osv", "datadog")
    ]
    generations.activate(state, records, {"sources": {}}, "live")
    Path(state.root, "welcomed").touch()
    yield made
    made.quiet()


@pytest.fixture
def pane(house: Watched, short_dir: Path) -> Iterator[Pane]:
    opened = Pane(short_dir, f"{shlex.quote(sys.executable)} -m bk dashboard --admin", house.state.home, size=(120, 36))
    yield opened
    opened.close()


def bad(ecosystem: str, name: str, group: str) -> Record:
    return Record(ecosystem, name, "exact", ("1.0.0",), "critical", (group,), PinnedOrigin(), ident=f"MAL-{group}")


def asked(pane: Pane, key: str, title: str, text: str = ": cancel") -> str:
    """Press a key that opens a question; what the screen shows once it listens."""
    pane.press(key)
    pane.until(title)
    time.sleep(SETTLE)
    return pane.until(text)


def slowly(pane: Pane, *keys: str) -> None:
    """Keys one after the other, as fingers do; a key goes to what had the focus when it came."""
    for key in keys:
        pane.press(key)
        time.sleep(FINGER)


def confirmed(pane: Pane, word: str) -> None:
    """Type the word that a question wants, go to its button, and press it."""
    pane.press(*word)
    pane.until("Tab, then Space")
    slowly(pane, "Tab", "Tab", "Space")


def told(house: Watched, kind: str, **wanted: Any) -> list[dict[str, Any]]:
    """What the ledger says of one kind of thing, in order."""
    every = [dict(entry.data) for entry in house.entries() if entry.kind == kind]
    return [data for data in every if all(data.get(key) == value for key, value in wanted.items())]


def test_from_a_blocked_call_to_a_purge(house: Watched, pane: Pane) -> None:
    state, config = house.state, Path(house.state.config)
    assert house.bk("engine", "start").returncode == 0
    until(house.watching)
    pane.until("ADMIN")

    # an agent asks for what is known to be bad: it is stopped, and the open dashboard shows it
    pane.press("2")
    pane.until("2 Incidents")
    answer = json.loads(house.call(COMMAND, "call-1").stdout)["hookSpecificOutput"]
    assert answer["permissionDecision"] == "deny"
    pane.until("evil-pkg", 5)
    (decision,) = [entry for entry in house.entries() if entry.kind == "decision"]
    assert (decision.level, decision.data["input"]["command"]) == ("quarantine", COMMAND)

    # something bad lands where nothing asked: an incident, live, and not a byte moved
    landed = house.install("evil")
    whole = photograph(landed)
    pane.until("acme.evil", 15)
    assert photograph(landed) == whole

    # a look at everything moves nothing either, and finds it where it is
    pane.press("6")
    pane.until("Nothing has been scanned yet")
    pane.press("n")
    pane.until("entry #", 40)
    assert photograph(landed) == whole

    # the first decision: enabled, still a dry run; the difference is seen, and saved on its own
    pane.press("9")
    pane.until("live it would move 1", 10)
    pane.press("a")
    pane.until("off → on *")
    asked(pane, "C-s", "review: auto_quarantine.enabled")
    assert "would only be reported" in pane.until("+enabled = true")
    assert config.read_text() == QUIET, "nothing is written before it was confirmed"
    pane.press("y")
    pane.until("saved, entry #")
    assert photograph(landed) == whole

    # the second: no dry run; what would move now is listed, and the word is wanted
    pane.press("d")
    pane.until("1 would move")
    asked(pane, "C-s", "review: auto_quarantine.dry_run")
    shown = pane.until("+dry_run = false")
    assert "◆ move   editor-extension:acme.evil@1.0.0" in shown, shown
    pane.press("y")
    pane.press("Enter")
    pane.until("nothing was saved")
    assert "dry_run" not in config.read_text()
    asked(pane, "C-s", "review: auto_quarantine.dry_run")
    confirmed(pane, "move")
    pane.until("LIVE: what matches is moved")
    saves = told(house, "config", event="changed")
    assert [(one["key"], one["new"]) for save in saves for one in save["changes"]] == [
        ("auto_quarantine.enabled", True),
        ("auto_quarantine.dry_run", False),
    ]
    assert all(save["admin"] for save in saves)

    # what lands from now on is moved by the engine, and its card appears
    pane.press("4")
    pane.until("Nothing is held")
    worse = house.install("worse")
    pane.until("HELD  editor-extension:acme.worse", 15)
    assert not worse.exists()
    assert landed.exists(), "what was there before is not touched by a mere setting"
    (item,) = held_in(state)

    # R: a question that Enter cancels, that wants a reason for what is still bad, and brings every byte back
    asked(pane, "R", "restore editor-extension:acme.worse@1.0.0", "STILL known to be malicious")
    slowly(pane, "Enter")
    pane.until("cancelled")
    assert not worse.exists()
    asked(pane, "R", "restore editor-extension:acme.worse@1.0.0", "say why first")
    slowly(pane, "Tab", "y")
    assert "say why first" in pane.text(), "no reason, no restore"
    assert not worse.exists()
    slowly(pane, "Enter")
    asked(pane, "R", "restore editor-extension:acme.worse@1.0.0")
    pane.press(*"ours")
    pane.until("Tab out of the field, then y")
    slowly(pane, "Tab", "y")
    pane.until("is back where it was")
    assert json.loads((worse / "package.json").read_text())["name"] == "worse"
    assert (worse / "main.js").read_text() == "// code\n"
    assert held_in(state) == []

    # a person's word moves the one that was there before
    pane.press("2")
    pane.until("acme.evil")
    slowly(pane, "/", *"acme.evil", "Enter")
    asked(pane, "A", "move editor-extension:acme.evil@1.0.0")
    slowly(pane, "Tab", "y")
    until(lambda: not landed.exists())
    pane.press("4")
    pane.until("HELD  editor-extension:acme.evil")
    (item,) = held_in(state)
    payload = Path(state.root, "quarantine")
    kept = photograph(payload)

    # P: wants the last six characters of the id; nothing less deletes it
    asked(pane, "P", "purge editor-extension:acme.evil@1.0.0", "cannot be undone")
    pane.press(*"wrong!")
    slowly(pane, "Tab", "Tab", "Space", "y")
    pane.press("Enter")
    pane.until("cancelled")
    assert [each.ident for each in held_in(state)] == [item.ident]
    assert photograph(payload).keys() == kept.keys()
    asked(pane, "P", "purge editor-extension:acme.evil@1.0.0")
    confirmed(pane, item.ident[-6:])
    pane.until("is deleted")
    assert held_in(state) == []
    assert not landed.exists()
    assert len(photograph(payload)) < len(kept)

    # every step is in the ledger, and the ledger is whole
    outcomes = {
        event: [(one["path"].rpartition("/")[2], one["outcome"]) for one in told(house, "responder", event=event)]
        for event in ("quarantine_restore", "quarantine_purge")
    }
    moved = {one["package"] for one in told(house, "responder", event="catalog_quarantine")}
    assert moved == {"editor-extension:acme.evil@1.0.0", "editor-extension:acme.worse@1.0.0"}
    (approved,) = told(house, "responder", event="incident_approve", outcome="done")
    assert approved["incident"] == item.incident
    assert told(house, "responder", event="scan")
    assert outcomes["quarantine_restore"][-1] == ("acme.worse-1.0.0", "done")
    assert outcomes["quarantine_purge"][-1] == ("acme.evil-1.0.0", "done")
    assert [one["package"] for one in told(house, "responder", event="finding")] == ["editor-extension:acme.evil@1.0.0"]
    worse_now = house.incident("worse")
    assert worse_now is not None
    assert worse_now.state == states.EXEMPT
    pane.press("q")
    pane.until("left with 0")
    pid = house.engine()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not start_ticks(pid))
    verified = house.bk("audit", "verify")
    assert verified.returncode == 0, verified.stdout
