"""Another scanner's list is a stranger's word: bounded, checked, and never a place to move anything from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bk.engine.console import cases
from bk.engine.console.inventory import LINE_MAX, read, take_in
from bk.engine.errors import BkError
from bk.engine.responder import incidents as states
from bk.engine.responder.gate import TOLD
from bk.engine.responder.incidents import Book
from tests.unit.quarantine.house import photograph
from tests.unit.responder.test_decisions import Machine


def line(**over: object) -> str:
    told = {
        "record_type": "package", "schema_version": "0.2.0", "ecosystem": "npm", "package_name": "evil",
        "version": "1.0.0", "source_file": "/x/node_modules/evil/package.json", "project_path": "/x",
        "source_type": "node_modules", "confidence": "high", **over,
    }  # fmt: skip
    return json.dumps(told)


@pytest.mark.parametrize("schema", ["0.1.0", "0.2.0"])
def test_packages_of_both_schemas_are_read_and_have_no_place(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "list"
    summary = '{"record_type": "scan_summary", "status": "partial"}'
    path.write_text(f"{line(schema_version=schema)}\n{summary}\n")
    made = read(str(path))
    assert [(item.name, item.version, item.locator.kind) for item in made.items] == [("evil", "1.0.0", "none")]
    assert (made.status, made.problems) == ("partial", [])


@pytest.mark.parametrize(
    "bad",
    [
        "{", "[]", "3", '"x"', "[" * 100_000, line(schema_version="9.0.0"), line(package_name=3),
        line(package_name=""), line(ecosystem="no-such"), line(version="v" * 300), line(package_name="\ud800"),
        "x" * (LINE_MAX + 10),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_record_is_told_and_the_rest_is_read(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "list"
    path.write_text(f"\n{bad}\n{line(package_name='fine')}\n", errors="surrogatepass")
    made = read(str(path))
    assert [item.name for item in made.items] == ["fine"]
    assert len(made.problems) == 1


def test_other_records_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text('{"record_type": "sentry_alert"}\n{"record_type": "diagnostic"}\n')
    assert (read(str(path)).items, read(str(path)).problems) == ([], [])


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Settings that allow moves, and two sources that speak of a package."""
    made = Machine(tmp_path)
    made.say("evil", "osv", "datadog")
    made.sync()
    return made


def wrote(folder: Path, *lines: str, status: str = "") -> str:
    path = folder / "list.ndjson"
    summary = [json.dumps({"record_type": "scan_summary", "status": status})] if status else []
    path.write_text("".join(f"{each}\n" for each in (*lines, *summary)))
    return str(path)


def test_what_is_listed_is_an_incident_that_names_the_list_and_no_place(machine: Machine, tmp_path: Path) -> None:
    package = machine.install()
    before = photograph(machine.project)
    elsewhere = line(source_file="/y/package-lock.json")
    path = wrote(tmp_path, line(source_file=package.observed), elsewhere, line(version="2"))
    made = take_in(path, machine.env)
    assert [finding.level for finding in made.findings] == ["block", "block"]
    one = machine.only()
    assert (one.state, one.path, made.news) == (TOLD, f"import:{path}", [one.id])
    assert {finding.incident for finding in made.findings} == {one.id}
    assert [each["event"] for each in machine.told()] == ["reported", "inventory_import"]
    assert photograph(machine.project) == before
    assert machine.held() == []
    assert take_in(path, machine.env).news == []  # said once
    with Book(machine.state) as book:
        assert book.targets(0) == []


def test_a_list_says_nothing_of_what_this_machine_has_seen(machine: Machine, tmp_path: Path) -> None:
    package = machine.install()
    take_in(wrote(tmp_path, line(source_file=package.observed)), machine.env)
    assert machine.sync().moved == 1  # the list's word neither helped nor hindered
    told, seen = sorted(machine.incidents(), key=lambda one: one.state, reverse=True)
    assert (told.state, seen.state, seen.path) == (TOLD, states.QUARANTINED, package.locator.path)


def test_no_look_at_this_machine_ends_what_a_list_said_but_the_list_does(machine: Machine, tmp_path: Path) -> None:
    take_in(wrote(tmp_path, line()), machine.env)
    machine.sync()
    assert machine.only().state == TOLD
    for status, state in (("", TOLD), ("partial", TOLD), ("complete", states.RESOLVED)):
        take_in(wrote(tmp_path, line(package_name="fine"), status=status), machine.env)
        assert machine.only().state == state


def test_what_a_person_has_seen_or_exempted_stays_so(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "require_admin", lambda admin, env=None: None)
    path = wrote(tmp_path, line())
    take_in(path, machine.env)
    told: dict[str, Any] = {"admin": True, "env": machine.env}
    with pytest.raises(BkError, match="nothing to move"):
        cases.approve(machine.only().id, **told)
    cases.ack(machine.only().id, **told)
    assert take_in(path, machine.env).news == []
    assert machine.only().state == states.ACKNOWLEDGED
    cases.exempt(machine.only().id, reason="a build machine", **told)
    assert take_in(path, machine.env).news == []
    assert machine.only().state == states.EXEMPT
