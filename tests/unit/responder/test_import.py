"""Another scanner's list is a stranger's word: bounded, checked, and never a place to move anything from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bk.engine.console.inventory import LINE_MAX, read, take_in
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


def test_what_is_listed_is_a_finding_and_no_incident(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.say("evil", "osv", "datadog")
    machine.sync()
    path = tmp_path / "list"
    path.write_text(line() + "\n")
    made = take_in(str(path), machine.env)
    assert [finding.level for finding in made.findings] == ["block"]
    assert machine.incidents() == []
    assert machine.told()[-1]["event"] == "inventory_import"
