"""A scan looks and tells; only the pass after an activation, or a person's word, moves anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bk.engine.checks.own import commands
from bk.engine.console import scan as scans
from bk.engine.errors import BkError
from bk.engine.model import Run
from bk.engine.responder import incidents as states
from tests.unit.quarantine.house import photograph
from tests.unit.responder.test_decisions import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Settings that allow moves, and a package that two groups name and that lies there since the last sync."""
    made = Machine(tmp_path)
    made.say("evil", "osv", "datadog")
    made.sync()
    made.install()
    return made


def look(machine: Machine, **over: Any) -> scans.Scanned:
    return scans.scan("project", [str(machine.project)], env=machine.env, **over)


def test_a_scan_moves_nothing_whatever_the_settings_say(machine: Machine) -> None:
    before = photograph(machine.project)
    for _ in range(2):
        scanned = look(machine)
        assert (scanned.outcome.moved, scanned.outcome.would, scanned.code("warn")) == (0, 1, 20)
    assert photograph(machine.project) == before
    assert machine.held() == []
    assert (machine.only().state, "--respond" in machine.only().why) == (states.REPORTED, True)
    assert [each["event"] for each in machine.told()].count("would_quarantine") == 1
    assert machine.sync().moved == 1  # the pass after the next activation is what moves it
    assert machine.held() == ["evil"]


def test_a_scan_does_not_try_again_what_was_refused(machine: Machine) -> None:
    folder = machine.project / "node_modules" / "evil"
    (folder / ".git").mkdir()
    machine.sync()
    assert machine.only().state == states.FAILED
    (folder / ".git").rmdir()
    assert look(machine).outcome.moved == 0
    assert machine.only().state == states.FAILED
    assert machine.sync().moved == 1


def test_responding_needs_a_person(machine: Machine) -> None:
    before = photograph(machine.project)
    for admin in (False, True):
        with pytest.raises(BkError, match="needs a person"):
            look(machine, respond=True, admin=admin)
    assert photograph(machine.project) == before
    assert machine.incidents() == []


def test_a_person_has_it_moved_and_that_is_two_entries(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "require_admin", lambda admin, env=None: None)
    assert look(machine, respond=True, admin=True).outcome.moved == 1
    assert machine.outcomes("scan_respond") == ["asked", "done"]
    assert machine.held() == ["evil"]


@pytest.mark.parametrize(
    ("words", "passes"), [("scan", True), ("scan --respond --admin", False), ("scan --root . --admin --respond", False)]
)
def test_an_agents_call_is_blocked_before_it_asks(words: str, passes: bool) -> None:
    assert (not list(commands([Run(("bk", *words.split()))]))) == passes
