"""What a run proves to be over: each incident by its own place, whatever could not be read elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from bk.engine.config import snapshot
from bk.engine.intel import generations
from bk.engine.inventory import place, walk
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.run import COMPLETE, PARTIAL, Run
from bk.engine.inventory.scan import scan
from bk.engine.responder import incidents as states
from bk.engine.responder.absence import CLEARED, GONE
from bk.engine.responder.round import respond
from tests.unit.quarantine.house import package
from tests.unit.responder.test_decisions import Machine

DRY = "[auto_quarantine]\nenabled = true\n[notify]\nchannel = 'none'\n"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Two projects of which each has a package that two groups name, looked at once."""
    made = Machine(tmp_path)
    made.settings(DRY)
    made.say("evil", "osv", "datadog")
    made.install()
    package(made.project.parent / "other", "evil", "1.0.0")
    look(made)
    assert [one.state for one in made.incidents()] == [states.REPORTED] * 2
    return made


def look(machine: Machine, *roots: Path, **over: Any) -> Run:
    generations.activate(machine.state, machine.records, {"sources": {}}, "live")
    told = {"profile": "project", "roots": [str(root) for root in roots or (machine.project.parent,)], **over}
    run = scan(machine.state, env=machine.env, **told)
    respond(machine.state, snapshot.read(machine.state).values, run)
    return run


def became(machine: Machine) -> dict[str, tuple[str, str]]:
    return {Path(one.path).parts[-3]: (one.state, one.why) for one in machine.incidents()}


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A folder that cannot be listed: root can list every one, so the system is made to say no."""
    real = place.listing

    def listing(path: str, budget: place.Budget) -> dict[str, str]:
        if path == str(folder):
            raise PermissionError(13, "Permission denied", path)
        return real(path, budget)

    monkeypatch.setattr(walk, "listing", listing)
    monkeypatch.setattr(place, "listing", listing)


def upgrade(machine: Machine, project: str) -> None:
    """Another version where the bad one was."""
    path = machine.project.parent / project / "node_modules" / "evil" / "package.json"
    path.write_text(json.dumps({"name": "evil", "version": "2.0.0"}))


def test_what_is_gone_is_over_though_something_else_could_not_be_read(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = machine.project.parent / "locked"
    locked.mkdir()
    refuse(monkeypatch, locked)
    upgrade(machine, "shop")
    run = look(machine)
    assert (run.status, [path for path, _ in run.problems]) == (PARTIAL, [str(locked)])
    assert became(machine) == {"shop": (states.RESOLVED, GONE), "other": (states.REPORTED, became(machine)["other"][1])}


def test_what_lies_where_it_could_not_be_read_stays(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(machine, "shop")
    upgrade(machine, "other")
    refuse(monkeypatch, machine.project / "node_modules")
    look(machine)
    assert {name: state for name, (state, _) in became(machine).items()} == {
        "shop": states.REPORTED, "other": states.RESOLVED,
    }  # fmt: skip


def test_what_is_not_on_the_disk_is_over_wherever_the_run_looked(machine: Machine) -> None:
    shutil.rmtree(machine.project / "node_modules" / "evil")
    look(machine, machine.project.parent / "other")
    assert became(machine)["shop"] == (states.RESOLVED, GONE)
    assert became(machine)["other"][0] == states.REPORTED


def test_a_look_at_one_project_says_nothing_of_another(machine: Machine) -> None:
    upgrade(machine, "shop")
    assert look(machine, machine.project.parent / "other").status == COMPLETE
    assert became(machine)["shop"][0] == states.REPORTED


def test_the_usual_places_are_not_the_whole_home(machine: Machine) -> None:
    """Settings of clients lie in the home itself, which is looked at without what is below it."""
    upgrade(machine, "shop")
    run = look(machine, profile="baseline", roots=[])
    assert machine.state.home in run.roots
    assert became(machine)["shop"][0] == states.REPORTED


def test_a_run_that_met_a_bound_proves_only_what_it_went_through(machine: Machine) -> None:
    upgrade(machine, "shop")
    upgrade(machine, "other")
    first, second = machine.project, machine.project.parent / "other"
    for number in range(30):
        package(second, f"more{number}")
    run = look(machine, first, second, limits=Limits(items=3))
    assert run.why
    assert became(machine)["shop"][0] == states.RESOLVED
    assert became(machine)["other"][0] == states.REPORTED


def test_what_nothing_speaks_against_any_more_is_over_and_says_so(machine: Machine) -> None:
    machine.records.clear()
    machine.say("another", "osv")
    look(machine)
    assert set(became(machine).values()) == {(states.RESOLVED, CLEARED)}


def test_a_folder_with_a_sign_in_its_name_is_no_other_folder(machine: Machine) -> None:
    odd = machine.project.parent / "c#"
    package(odd, "evil", "1.0.0")
    look(machine)
    assert became(machine)["c#"][0] == states.REPORTED
    look(machine, machine.project)
    assert became(machine)["c#"][0] == states.REPORTED


def test_a_lock_file_that_cannot_be_read_any_more_proves_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.say("evil", "osv", "datadog")
    lock = machine.project / "package-lock.json"
    body = {"lockfileVersion": 3, "packages": {"node_modules/evil": {"version": "1.0.0"}}}
    lock.write_text(json.dumps(body))
    look(machine)
    assert (machine.only().state, machine.only().path) == (states.PATHLESS, f"{lock}?")
    lock.write_text("<<<<<<< ours\n")
    look(machine)
    assert machine.only().state == states.PATHLESS
    lock.write_text(json.dumps({"lockfileVersion": 3, "packages": {}}))
    look(machine)
    assert machine.only().state == states.RESOLVED


def test_what_may_not_be_looked_at_may_be_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = str(machine.project)
    real = os.lstat

    def lstat(path: Any, **more: Any) -> os.stat_result:
        if str(path).startswith(hidden):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **more)

    monkeypatch.setattr(os, "lstat", lstat)
    look(machine)
    assert became(machine)["shop"][0] == states.REPORTED
