"""Scenarios of the pass and of what feeds it that no other test shows, each by its id."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bk.engine.config import snapshot
from bk.engine.console import cases
from bk.engine.console.diag import diagnose
from bk.engine.console.inventory import take_in
from bk.engine.console.probes import UNKNOWN
from bk.engine.intel.record import Record
from bk.engine.inventory import store
from bk.engine.provenance import PinnedOrigin, Unproven
from bk.engine.responder import incidents as states
from bk.engine.responder import notify
from bk.engine.responder.incidents import Book
from bk.engine.responder.respond import Outcome
from bk.engine.responder.round import settled
from bk.quarantine.paths import inside
from tests.unit.config.test_layers import policy
from tests.unit.quarantine.house import photograph
from tests.unit.responder.house import House, events
from tests.unit.responder.test_decisions import Machine

ROOT = Path(__file__).parent.parent.parent.parent
LIVE = "[auto_quarantine]\nenabled = true\ndry_run = false\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def notes(house: House, outcome: Outcome, folder: Path) -> list[str]:
    """What a person would be told, by a command of theirs."""
    told = folder / "told"
    write = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + chr(10))"
    house.values["notify.channel"] = "command"
    house.values["notify.command"] = [sys.executable, "-c", write, str(told), "{text}"]
    notify.tell(house.state, house.values, outcome)
    return told.read_text().splitlines() if told.exists() else []


def test_t01_and_t02_a_move_is_told_and_a_dry_run_is_not(house: House, tmp_path: Path) -> None:
    house.say("evil", "osv", "datadog")
    item = house.install()
    house.set(dry_run=True)
    before = photograph(house.project)
    outcome = house.run([item])
    assert (outcome.would, notes(house, outcome, tmp_path)) == (1, [])
    assert photograph(house.project) == before
    house.set(dry_run=False)
    outcome = house.run([item])
    assert (outcome.moved, events(outcome)) == (1, ["catalog_quarantine"])
    assert len(notes(house, outcome, tmp_path)) == 1


def test_t10_a_dry_run_of_ones_own_holds_over_a_live_system() -> None:
    made = policy(LIVE, "[auto_quarantine]\ndry_run = true\n")
    assert (made.values["auto_quarantine.enabled"], made.values["auto_quarantine.dry_run"]) == (True, True)
    made = policy(LIVE, "[auto_quarantine]\nenabled = false\n")
    assert made.values["auto_quarantine.enabled"] is False
    locked = 'locked = ["auto_quarantine.enabled", "auto_quarantine.dry_run"]\n'
    made = policy(locked + "[auto_quarantine]\nenabled = true\ndry_run = true\n", LIVE)
    assert made.values["auto_quarantine.dry_run"] is True


def test_t12_three_reports_of_one_source_are_one_voice(house: House) -> None:
    for number in range(3):
        record = Record("npm", "evil", "exact", ("1.0.0",), "critical", ("osv",), PinnedOrigin(), ident=f"MAL-{number}")
        house.records.append(record)
    outcome = house.run([house.install()])
    assert (outcome.hits, outcome.moved, house.only().state) == (0, 0, states.OPEN)
    assert house.only().groups == ("osv",)
    assert sorted(each["ids"][0] for each in house.only().evidence) == ["MAL-0", "MAL-1", "MAL-2"]


@pytest.mark.parametrize(("groups", "moved"), [(("osv",), 0), (("osv", "osv"), 0), (("osv", "datadog"), 1)])
def test_t13_two_independent_groups_that_are_vouched_for_are_enough(
    house: House, groups: tuple[str, ...], moved: int
) -> None:
    house.say("evil", *groups)
    assert house.run([house.install()]).moved == moved


def test_t15_a_list_without_a_signature_from_its_own_place_and_a_record_of_malice_are_two(house: House) -> None:
    def said(group: str, vouched: Any, ident: str) -> None:
        house.records.append(Record("npm", "evil", "exact", ("1.0.0",), "critical", (group,), vouched, ident=ident))

    item = house.install()
    said("osv", PinnedOrigin(), "MAL-2026-1")
    said("bumblebee", Unproven(), "somebody's copy")
    assert house.run([item]).hits == 0  # where it came from is what vouches for it
    said("bumblebee", PinnedOrigin(), "bumblebee-1")
    house.set(dry_run=True)
    outcome = house.run([item])
    assert (outcome.hits, outcome.would, house.only().groups) == (1, 1, ("bumblebee", "osv"))


def test_t16_before_anything_was_looked_at_nothing_is_found_and_that_is_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.say("evil", "osv", "datadog")
    outcome = settled(machine.state, snapshot.read(machine.state).values, [])
    assert (outcome.hits, outcome.moved, outcome.entries) == (0, 0, [])
    assert cases.part(machine.state)[1] == UNKNOWN
    Path(store.path(machine.state)).write_bytes(b"no inventory" * 100)
    line = next(part for part in diagnose(machine.env) if part.name == "responder")
    assert line.state not in ("ok", "warn")
    assert "inventory" in line.reason


def test_t18_one_record_among_rubbish_is_one_hit(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.say("evil", "osv", "datadog")
    machine.sync()
    good: dict[str, Any] = {
        "record_type": "package", "schema_version": "0.2.0", "ecosystem": "npm", "package_name": "evil",
        "version": "1.0.0", "source_file": "/x/package-lock.json", "source_type": "lockfile",
    }  # fmt: skip
    lines = ["", "{", "[]", '{"record_type": "diagnostic"}', json.dumps({**good, "package_name": ""}), json.dumps(good)]
    path = tmp_path / "list"
    path.write_text("\n".join(lines) + "\n\n")
    made = take_in(str(path), machine.env)
    assert [(finding.item.name, finding.level) for finding in made.findings] == [("evil", "block")]
    assert len(machine.incidents()) == 1


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "ghp_" + "a1B2c3D4e5" * 4,
    ],
    ids=["jwt", "token"],
)
def test_t20_a_secret_in_what_is_said_of_a_package_stays_out_of_the_ledger(tmp_path: Path, secret: str) -> None:
    machine = Machine(tmp_path)
    machine.install("evil")
    for group in ("osv", "datadog"):
        machine.records.append(
            Record("npm", "evil", "exact", ("1.0.0",), "critical", (group,), PinnedOrigin(), ident=f"Bearer {secret}")
        )
    machine.sync()
    (told,) = [each for each in machine.told() if each["event"] == "catalog_quarantine"]
    assert secret not in str(machine.told())
    assert "REDACTED" in str(told["ids"])


def test_t21_when_the_breaker_trips_a_person_is_told_first_what_waits(house: House, tmp_path: Path) -> None:
    items = [house.install(f"evil{number}") for number in range(10)]
    for item in items:
        house.say(item.name, "osv", "datadog")
    house.set(max_moves=3)
    outcome = house.run(items)
    waiting = [one for one in house.incidents() if one.state == states.APPROVAL]
    assert (outcome.moved, len(waiting), outcome.tripped) == (3, 7, True)
    (note,) = notes(house, outcome, tmp_path)
    assert note.startswith("10 incidents: ")
    assert any(f"{one.name} {one.version}" in note for one in waiting)


def test_t24_what_is_corroborated_is_watched_though_nothing_may_be_moved(house: House) -> None:
    house.set(enabled=False)
    house.say("evil", "osv", "datadog")
    house.say("single", "osv")
    outcome = house.run([house.install("evil"), house.install("single")])
    assert outcome.moved == 0
    with Book(house.state) as book:
        assert [each["name"] for each in book.targets(house.now)] == ["evil"]


def test_t25_targets_that_make_no_sense_are_written_anew(house: House) -> None:
    house.set(enabled=False)
    house.say("evil", "osv", "datadog")
    item = house.install()
    house.run([item])
    with sqlite3.connect(f"{house.state.root}/incidents.db") as book:
        book.execute("UPDATE target SET path = '{broken'")
        book.execute("INSERT INTO target VALUES ('npm', 'x', '1', 'no path', 'nobody', 1, 9223372036854775807)")
    with Book(house.state) as read:
        assert read.targets(house.now) == []
    outcome = house.run([item])
    assert events(outcome) == ["target_added"]
    with Book(house.state) as read:
        assert [(each["name"], each["path"]) for each in read.targets(house.now)] == [("evil", item.locator.path)]
    with sqlite3.connect(f"{house.state.root}/incidents.db") as book:
        book.execute("DROP TABLE target")
    assert events(house.run([item])) == ["target_added"]


def test_t26_a_target_is_one_place_and_not_everything_of_a_name(house: House) -> None:
    house.set(enabled=False)
    house.say("evil", "osv", "datadog")
    item = house.install()
    other = house.install("node-runs-bash")
    house.run([item, other])
    with Book(house.state) as book:
        (target,) = book.targets(house.now)
    assert (target["path"], target["incident"]) == (item.locator.path, house.only().id)
    assert target["until_ms"] > house.now
    within = [
        inside(path, target["path"]) for path in (f"{item.locator.path}/install.sh", "/bin/bash", "/usr/bin/node")
    ]
    assert within == [True, False, False]
    assert not inside(other.locator.path, target["path"])


def test_e14_a_scan_that_fails_is_an_error_and_no_empty_success(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.install()
    machine.sync()
    Path(store.path(machine.state)).write_bytes(b"no inventory" * 100)
    env = {"HOME": machine.state.home, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    words = [sys.executable, "-m", "bk", "scan", "--root", str(machine.project), "--format", "json"]
    done = subprocess.run(words, env=env, cwd=machine.project, capture_output=True, text=True, timeout=60)
    assert done.returncode not in (0, 10, 20)
    assert done.stdout == ""
    assert "the inventory cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr
