"""What would move now is what the next pass moves: both are asked, on the same machine, and then something is moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bk.engine.config import snapshot
from bk.engine.console.would import ASKS, MOVES, REPORTS, would
from bk.engine.responder.round import look, respond
from tests.unit.quarantine.house import photograph
from tests.unit.responder.test_landed import Landing

DRY = "[scan]\nroots = ['~/code/shop']\n[notify]\nchannel = 'none'\n[auto_quarantine]\nenabled = true\ndry_run = true\n"
LIVE = DRY.replace("dry_run = true", "dry_run = false")


class Both(Landing):
    """A machine on which some things were seen by a run of the inventory, and others only by the watch."""

    def __init__(self, tmp: Path, **values: Any) -> None:
        super().__init__(tmp)
        told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
        self.settings(DRY + told)
        for name in ("evil", "inner", "late"):
            self.say(name, "osv", "datadog")
        self.install("evil")
        self.known("osv", "datadog")
        self.sync_pass()
        self.watched = [self.extension()]
        self.landed(*self.watched)
        late = Path(self.install("late").locator.path)
        inner = late / "node_modules" / "inner"
        inner.mkdir(parents=True, exist_ok=True)
        (inner / "package.json").write_text('{"name": "inner", "version": "1.0.0"}')
        self.landed(late, kind="npm", root=self.project)
        self.settings(LIVE + told)

    def sync_pass(self) -> None:
        values = snapshot.read(self.state).values
        respond(self.state, values, look(self.state, values))

    def ruled(self, *, read: bool = True) -> dict[str, str]:
        values = snapshot.read(self.state).values
        return {each.incident.name: each.what for each in would(self.state, values, read=read)}


@pytest.mark.parametrize(
    ("values", "moves"),
    [
        ({}, {"evil", "late", "acme.evil"}),
        ({"max_moves": 1}, None),
    ],
)
def test_it_is_what_the_next_pass_moves(tmp_path: Path, values: dict[str, Any], moves: set[str] | None) -> None:
    machine = Both(tmp_path, **values)
    before, book = photograph(machine.project), [one.told() for one in machine.incidents()]
    told, glimpsed = machine.ruled(), machine.ruled(read=False)
    assert photograph(machine.project) == before, "it was only asked"
    assert [one.told() for one in machine.incidents()] == book
    assert machine.held() == []
    moving = {name for name, what in told.items() if what == MOVES}
    assert moving == ({name for name, what in glimpsed.items() if what == MOVES})
    machine.sync_pass()
    assert set(machine.held()) == moving
    assert moves is None or moving == moves
    assert len(moving) == 1 or moves is not None


def test_what_only_the_watch_saw_is_told_as_what_it_is(tmp_path: Path) -> None:
    machine = Both(tmp_path)
    assert {"acme.evil", "late"} <= set(machine.ruled())
    machine.settings(DRY)
    assert set(machine.ruled().values()) == {REPORTS}
    machine.settings(LIVE)
    told = json.loads((machine.watched[0] / "package.json").read_text())
    (machine.watched[0] / "package.json").write_text(json.dumps({**told, "version": "1.0.1"}))
    assert machine.ruled() == {"evil": MOVES, "late": MOVES}, "what lies in it would have gone with it"
    (machine.project / "node_modules" / "evil" / ".git").mkdir()
    assert machine.ruled() == {"evil": ASKS, "late": MOVES}, "the vault would refuse it"
    machine.sync_pass()
    assert machine.held() == ["late"]


def test_what_is_held_is_not_told_and_what_came_back_is(tmp_path: Path) -> None:
    machine = Both(tmp_path)
    machine.sync_pass()
    assert sorted(machine.held()) == ["acme.evil", "evil", "late"]
    assert machine.ruled() == {}
    again = machine.extension()
    machine.landed(again)
    told = machine.ruled()
    assert told == {"acme.evil": ASKS}, "it lies where something is held: a person is asked"
    machine.sync_pass()
    assert again.exists()
