"""Exports as other tools would read them."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from urllib.parse import unquote, urlparse

import pytest

from bk.engine.canonical import canonical
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.chain import body_of, body_parts
from bk.engine.ledger.export import FORMATS, cell, export
from bk.engine.model import Entry
from tests.unit.ledger_query.record import DAY, NOW, decision, finding, touch

ENTRIES = [
    Entry(entry.kind, entry.actor, entry.data, level=entry.level, call=entry.call, at=entry.at, seq=seq)
    for seq, entry in enumerate(DAY, 1)
]


def told(form: str, entries: list[Entry] = ENTRIES) -> str:
    out = io.StringIO(newline="")
    assert export(entries, form, out.write) == len(entries)
    return out.getvalue()


def test_ndjson_lines_are_the_bytes_that_were_chained() -> None:
    lines = told("ndjson").splitlines()
    for line, entry in zip(lines, ENTRIES, strict=True):
        assert line.encode() == body_of(body_parts(entry, entry.data), entry.at, entry.seq)
        assert canonical(json.loads(line)) == line.encode()


def test_csv_has_a_row_for_each_entry() -> None:
    rows = list(csv.DictReader(io.StringIO(told("csv"), newline="")))
    assert [row["seq"] for row in rows] == [str(entry.seq) for entry in ENTRIES]
    assert rows[2]["level"] == "block"
    assert rows[2]["rules"] == "pkg.malicious"
    assert rows[2]["target"] == "npm:left-padd"
    assert rows[0]["time"] == "2025-10-07T06:53:20.000Z"


@pytest.mark.parametrize(
    "attack",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "=cmd|' /C calc'!A0",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1",
        '"=1',
        "'=1",
        "|calc",
        "%0A",
    ],
)
def test_no_cell_can_be_a_formula(attack: str) -> None:
    assert cell(attack)[0] == "'"
    entry = decision("block", tool=attack, reason=attack, actions=[touch(attack)], session=attack, harness=attack)
    text = told("csv", [entry])
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert text.count("\r\n") == 2
    for column in ("tool", "session", "harness", "target", "reason"):
        assert row[column][0] == "'", column


def test_csv_cells_hold_no_control_characters() -> None:
    row = told("csv", [decision("block", reason="a\x1b[31m\x00\u202eb")]).encode()
    assert b"\x1b" not in row
    assert b"\x00" not in row
    assert "\u202e".encode() not in row


def test_sarif_says_what_was_found() -> None:
    log = json.loads(told("sarif"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    rules = {rule["id"] for rule in driver["rules"]}
    assert driver["name"] == "bk"
    assert {result["ruleId"] for result in run["results"]} == rules
    assert {"pkg.new", "pkg.malicious", "path.secret", "failure/deadline"} <= rules
    for result in run["results"]:
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        assert result["partialFingerprints"]
        assert result["properties"]["seq"]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    assert by_rule["pkg.malicious"]["level"] == "error"
    assert by_rule["pkg.malicious"]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "npm:left-padd"
    uri = by_rule["path.secret"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///home/dev/.ssh/id_ed25519"


def test_sarif_quotes_paths_and_breaks_links() -> None:
    path = "/tmp/a b%[é]\ud800#?"
    entry = decision(
        "block", findings=[finding("r", "block", target=path), {"rule": "s", "level": "block", "reason": "[go](1)"}]
    )
    log = json.loads(told("sarif", [entry]))
    first, second = log["runs"][0]["results"]
    uri = first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert " " not in uri
    assert unquote(urlparse(uri).path).startswith("/tmp/a b%[é]")
    assert "](" not in second["message"]["text"]


def test_sarif_of_nothing_is_still_a_log() -> None:
    log = json.loads(told("sarif", []))
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["tool"]["driver"]["rules"] == []


REQUIRED = {
    2004: ("activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"),
    6003: ("activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint",
           "time", "type_uid"),
}  # fmt: skip


def test_ocsf_events_have_what_their_class_requires() -> None:
    events = [json.loads(line) for line in told("ocsf").splitlines()]
    assert [event["class_uid"] for event in events] == [6003, 2004, 2004, 2004, 2004, 2004, 6003, 6003, 2004, 6003]
    for event, entry in zip(events, ENTRIES, strict=True):
        for name in REQUIRED[event["class_uid"]]:
            assert event[name] is not None, name
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["category_uid"] == event["class_uid"] // 1000
        assert event["time"] == entry.at
        assert event["metadata"]["version"] == "1.4.0"
        assert event["metadata"]["product"]["vendor_name"]
        assert event["metadata"]["sequence"] == entry.seq
        if event["class_uid"] == 2004:
            assert event["finding_info"]["uid"]
            assert event["finding_info"]["title"]
            assert "security_control" in event["metadata"]["profiles"]
        else:
            assert event["api"]["operation"]
            assert event["src_endpoint"]["svc_name"]
    outcomes = [(event["action_id"], event["disposition_id"], event["severity_id"]) for event in events[1:6]]
    assert outcomes == [(1, 19, 2), (2, 2, 4), (2, 2, 4), (0, 99, 3), (2, 3, 5)]


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_streams(form: str) -> None:
    def many() -> Iterator[Entry]:
        for seq in range(1, 5_001):
            yield Entry("decision", "hook:x", ENTRIES[2].data, level="block", at=NOW, seq=seq)

    size = 0

    def write(text: str) -> None:
        nonlocal size
        size += len(text)

    tracemalloc.start()
    try:
        assert export(many(), form, write) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()
    assert size > 500_000


def test_an_unreadable_entry_can_be_exported() -> None:
    for form in FORMATS:
        assert told(form, [Entry("unreadable", "", {"body": "<x>"}, seq=4)])


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BkError, match="xml") as caught:
        export([], "xml", print)
    assert caught.value.code == USAGE
