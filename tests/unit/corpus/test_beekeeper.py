"""Another installation's corpus: what happened is kept, what was concluded is quoted, and nothing follows from it."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.corpus import beekeeper, schema
from bk.engine.corpus.beekeeper import LABELS_MAX, LINE_MAX, Report, imported
from bk.engine.corpus.beekeeper_line import LABEL_WHY, WHY, Dropped, read
from bk.engine.corpus.shapes import CONFIRMATION, IMPORT, IMPORTED, MALICIOUS
from bk.engine.corpus.store import Corpus
from bk.engine.errors import BkError
from bk.engine.state import State
from tests.fuzz import beekeeper_corpus as target
from tests.unit.corpus.house import House, tables

SAMPLE = Path(__file__).parents[3] / "fixtures/corpus/beekeeper.ndjson"
NOW = 1_790_000_000_000
MATCH = {"catalog_source": "osv", "entry_id": "MAL-1", "ecosystem": "npm", "package": "evil", "version": "1.0.0"}
DISSENT = {"catalog_source": "bumblebee", "dissented": True}
CONFIRMED = {"true_label": "malicious", "adjudication_source": "catalog_confirmation"}


def line(**changes: Any) -> dict[str, Any]:
    """A line about a package that was blocked, but for what is changed."""
    return {
        "corpus_schema_version": "1.0",
        "record_id": "r1",
        "timestamp": "2026-05-01T10:00:00Z",
        "decision": "block",
        "tool_name": "Bash",
        "original_command": "npm install evil@1.0.0",
        "catalog_matches": [DISSENT, MATCH],
        "true_label": "unresolved",
        **changes,
    }


def bring(state: State, *lines: Any, now: int = NOW) -> Report:
    """Import these lines, each JSON or already bytes."""
    path = Path(state.home, "corpus.ndjson")
    path.write_bytes(b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines))
    return imported(state, str(path), now)


def counts(found: dict[str, Any]) -> dict[str, tuple[int, list[int]]]:
    return {why: (each.n, each.lines) for why, each in found.items()}


def everything(state: State) -> list[Any]:
    with Corpus(state) as corpus:
        return corpus.page(None, 1000)


def test_the_sample_with_all_that_is_left_out(state: State) -> None:
    report = imported(state, str(SAMPLE), NOW)
    assert (report.lines, report.events, report.again, report.labels) == (12, 4, 1, 2)
    assert counts(report.dropped) == {
        "not-relevant": (1, [3]),
        "syntax": (1, [6]),
        "no-time": (1, [7]),
        "no-decision": (1, [8]),
        "schema": (1, [9]),
        "duplicate-key": (1, [10]),
    }
    assert counts(report.labels_dropped) == {"confirmed-by-miss": (2, [3, 4]), "unknown-label": (1, [12])}
    found = {event.purls: event for event in everything(state)}
    assert set(found) == {("pkg:npm/invented-evil@1.0.0",), (), ("pkg:npm/%40invented/evil",)}
    evil = found["pkg:npm/invented-evil@1.0.0",]
    assert evil.surface == IMPORT
    assert evil.outcome["source"] == IMPORTED
    assert evil.decision["dissented"] == ["bumblebee"]
    assert evil.decision["agreed"] == []


def test_the_same_file_again_adds_nothing(state: State) -> None:
    imported(state, str(SAMPLE), NOW)
    before = tables(state)
    for _ in range(3):
        report = imported(state, str(SAMPLE), NOW)
        assert (report.events, report.labels) == (0, 0)
    assert tables(state) == before


def test_a_line_that_supersedes_is_the_same_event_with_a_later_word(state: State) -> None:
    for first in (line(), line(cluster_id="c7")):
        later = {**first, "record_id": "r2", "resolved_at": "2026-05-02T00:00:00Z", "was_correct": True, **CONFIRMED}
        last = {**later, "record_id": "r3", "true_label": "benign", "adjudication_source": "benign_explained"}
        report = bring(state, first, later, last)
        assert (report.events, report.again, report.labels) == (1, 2, 2)
        with Corpus(state) as corpus:
            event = corpus.page()[0]
            assert [label.true_label for label in corpus.labels(event.id)] == ["malicious", "benign"]
            assert event.outcome["true_label"] == "benign"
        os.unlink(f"{state.root}/{schema.NAME}")


def test_what_it_said_last_counts_whatever_times_it_claims(state: State) -> None:
    first = line(cluster_id="c", resolved_at="2026-05-09T00:00:00Z", **CONFIRMED)
    last = {**first, "record_id": "r2", "resolved_at": "2026-05-02T00:00:00Z", "true_label": "benign"}
    again = {**first, "record_id": "r3"}
    bring(state, first, last)
    assert everything(state)[0].outcome["true_label"] == "benign"
    bring(state, first, last, again)
    assert everything(state)[0].outcome["true_label"] == "malicious"


@pytest.mark.parametrize(
    "matches",
    [
        None,
        [],
        [DISSENT],
        [DISSENT, {**MATCH, "dissented": True}],
        [{**MATCH, "package": ""}],
        [{**MATCH, "entry_id": ""}],
    ],
    ids=["none", "empty", "sentinel", "all-dissent", "nameless", "no-entry"],
)
def test_a_confirmation_by_a_miss_is_no_label(state: State, matches: Any) -> None:
    report = bring(state, line(catalog_matches=matches, **CONFIRMED))
    assert counts(report.labels_dropped) == {"confirmed-by-miss": (1, [1])}
    (event,) = everything(state)
    assert (event.outcome, event.purls) == ({"true_label": "unresolved"}, ())


@pytest.mark.parametrize(
    ("matches", "purl"),
    [
        ([DISSENT, MATCH], "pkg:npm/evil@1.0.0"),
        ([{**MATCH, "package": "other", "dissented": True}, MATCH], "pkg:npm/evil@1.0.0"),
        ([{**MATCH, "package": "npm:@o/p"}], "pkg:npm/%40o/p@1.0.0"),
        ([{**MATCH, "ecosystem": "", "package": "pypi:Evil_Name"}], "pkg:pypi/evil-name@1.0.0"),
        ([{**MATCH, "ecosystem": "maven", "package": "g:a"}], "pkg:maven/g/a@1.0.0"),
        ([{**MATCH, "version": "*"}], "pkg:npm/evil"),
        ([{**MATCH, "ecosystem": "cobol"}, {**MATCH, "ecosystem": "crates.io"}], "pkg:cargo/evil@1.0.0"),
    ],
)
def test_the_package_is_that_of_the_first_row_that_somebody_stands_behind(
    state: State, matches: Any, purl: str
) -> None:
    bring(state, line(catalog_matches=matches))
    assert everything(state)[0].purls == (purl,)


@pytest.mark.parametrize("source", ["forensic_review", "breach_confirmation", "user_override", "catalog_confirmation"])
def test_an_imported_label_is_the_weakest_and_nobodys_word(state: State, source: str) -> None:
    bring(state, line(true_label="malicious", adjudication_source=source, confidence_tier="enforce"))
    with Corpus(state) as corpus:
        (label,) = corpus.labels(corpus.page()[0].id)
    assert (label.source, label.confidence, label.human, label.tier) == (IMPORTED, "weak", False, "watch")
    assert label.evidence["claimed"] == source


@pytest.mark.parametrize("source", ["", "import", "undo", "catalog_withdrawn", "me", None, 7, ["forensic_review"]])
def test_a_label_of_an_unknown_source_is_left_out(state: State, source: Any) -> None:
    report = bring(state, line(true_label="malicious", adjudication_source=source))
    assert counts(report.labels_dropped) == {"unknown-source": (1, [1])}
    assert report.events == 1


def test_nothing_follows_from_what_is_imported(house: House) -> None:
    state = house.state
    sources = ("forensic_review", "catalog_confirmation")
    said = [{"record_id": source, "cluster_id": source, "adjudication_source": source} for source in sources]
    lines = [line(original_command=each["record_id"], true_label="malicious", **each) for each in said]
    assert bring(state, *lines).labels == 2
    assert house.does("npm install evil@1.0.0") == "allow"
    for _ in range(2):
        house.run(days=1)
        assert house.rows()["overlay_entry"] == []
        assert house.does("npm install evil@1.0.0") == "allow"
    # what is known here may confirm it, as it may anything else
    house.say("evil", "alpha", "beta")
    house.sync()
    house.run()
    with Corpus(state) as corpus:
        found = {event.surface: event.outcome for event in corpus.page(None, 10)}
    assert found[IMPORT]["source"] == CONFIRMATION
    assert found[IMPORT]["true_label"] == MALICIOUS


def test_ids_of_this_machine_cannot_be_taken(house: House) -> None:
    house.does("npm install evil@1.0.0")
    house.run()
    mine = house.only()
    report = bring(house.state, line(record_id=mine.id, cluster_id=mine.cluster, **CONFIRMED))
    assert report.events == 1
    with Corpus(house.state) as corpus:
        assert corpus.labels(mine.id) == []
        assert len({event.cluster for event in corpus.page()}) == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (line(corpus_schema_version="1.1"), "schema"), (line(corpus_schema_version=1.0), "schema"),
        (line(record_id=""), "no-id"), (line(record_id=7), "malformed"), (line(record_id="x" * 500), "malformed"),
        (line(timestamp=""), "no-time"), (line(timestamp="2026-13-01T00:00:00Z"), "no-time"),
        (line(timestamp=1), "no-time"),
        (line(timestamp="1969-01-01T00:00:00Z"), "no-time"), (line(timestamp="2099-01-01T00:00:00Z"), "future"),
        (line(timestamp="9999-12-31T23:59:59-23:59"), "no-time"),
        (line(timestamp="0001-01-01T00:00:00+23:59"), "no-time"),
        (line(decision=None), "no-decision"), (line(decision=["block"]), "no-decision"),
        (line(catalog_matches={}), "malformed"),
        (line(catalog_matches=[1]), "malformed"), (line(tool_name=["x"]), "malformed"),
        (line(rule_ids="x"), "malformed"),
        (line(sentry_network_dests=[1]), "malformed"), (b"[1]", "not-object"), (b"\xff", "not-utf8"), (b"{", "syntax"),
        (b'{"a":NaN}', "number"), (b'{"a":"\\ud800"}', "surrogate"), (b'{"a":"\\u0000"}', "nul"),
        (b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", "depth"), (b"x" * (LINE_MAX + 1), "oversize"),
        (line(decision="allow", catalog_matches=[]), "not-relevant"),
    ],
    ids=lambda value: value if isinstance(value, str) else "line",
)  # fmt: skip
def test_lines_that_are_left_out(state: State, data: Any, why: str) -> None:
    report = bring(state, line(record_id="before", tool_name="a"), data, line(record_id="after", tool_name="b"))
    assert counts(report.dropped) == {why: (1, [2])}
    assert (report.lines, report.events) == (3, 2)


def test_hostile_text_is_kept_within_bounds_and_secrets_are_not_kept(state: State) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3  # an invented token
    long = '\u202e\x1b[2J\U0001f600"\\' * 200
    bring(state, line(original_command=f"curl -H 'Authorization: token {token}'", reason=long, tool_name=long,
                      rule_ids=[long] * 50, catalog_matches=[{**MATCH, "entry_id": long}] * 90))  # fmt: skip
    (event,) = everything(state)
    held = json.dumps(event.told())
    assert token not in held
    assert "REDACTED" in held
    assert len(held) < 200_000
    assert len(event.decision["reason"]) == 400


def test_what_control_characters_would_blow_up_is_left_out(state: State) -> None:
    blown = {**MATCH, "package": "\x01" * 400, "entry_id": "\x01" * 120, "catalog_source": "\x01" * 60}
    report = bring(state, line(rule_ids=["\x01" * 300] * 8, sentry_network_dests=["\x01" * 300] * 8,
                               sentry_files_accessed=["\x01" * 300] * 8, original_command="\x01" * 2000,
                               sentry_parent_chain=["\x01" * 300] * 8, catalog_matches=[blown] * 8))  # fmt: skip
    assert counts(report.dropped) in ({}, {"too-large": (1, [1])})
    assert report.events + len(report.dropped) == 1


def test_a_cluster_is_not_labelled_without_end(state: State) -> None:
    lines = [line(cluster_id="c", record_id=f"r{n}", **CONFIRMED) for n in range(LABELS_MAX + 8)]
    report = bring(state, *lines)
    assert report.labels == LABELS_MAX
    assert report.labels_dropped["too-many"].n == 8


def test_there_is_an_end_to_lines(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beekeeper, "LINES_MAX", 5)
    report = bring(state, *[line(record_id=f"r{n}", tool_name=f"t{n}") for n in range(7)])
    assert (report.lines, report.events, report.rest) == (5, 5, True)
    assert not bring(state, *[line(record_id=f"r{n}", tool_name=f"t{n}") for n in range(5)]).rest


def test_a_long_line_is_passed_over_and_not_held(state: State) -> None:
    path = Path(state.home, "big.ndjson")
    with path.open("wb") as file:
        file.write(json.dumps(line()).encode() + b"\n")
        file.seek(200 << 20, os.SEEK_CUR)  # a hole: one line of NULs
        file.write(b"\n" + json.dumps(line(tool_name="last")).encode())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = imported(state, str(path), NOW)
    assert (report.events, counts(report.dropped)) == (2, {"oversize": (1, [2])})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "fifo"])
def test_a_file_that_cannot_be_read_is_an_error(state: State, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    {
        "missing": lambda: None,
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(SAMPLE),
        "fifo": lambda: os.mkfifo(path),
    }[kind]()
    with pytest.raises(BkError, match="cannot be read"):
        imported(state, str(path), NOW)
    assert not Path(state.root, schema.NAME).exists()


def test_reasons_have_words(state: State) -> None:
    told = imported(state, str(SAMPLE), NOW).told()
    assert json.loads(json.dumps(told)) == told
    assert {each["meaning"] for each in told["dropped"].values()} <= set(WHY.values())
    assert {each["meaning"] for each in told["labels_dropped"].values()} <= set(LABEL_WHY.values())


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
FIELDS = [*line(), "cluster_id", "resolved_at", "adjudication_source", "source_surface", "rule_ids"]


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4))
def test_any_line_is_an_event_or_has_a_reason(changes: dict[str, Any]) -> None:
    data = json.dumps({**line(), **changes}).encode()
    target.one(data)
    try:
        found = read(data, NOW, lambda value: value)
    except Dropped as dropped:
        assert dropped.why in WHY  # noqa: PT017 - a reason that has no words is the failure
    else:
        assert len(found.event.purls) <= 1
