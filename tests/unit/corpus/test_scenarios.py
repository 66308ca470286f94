"""Scenarios of the corpus by their ids, where no other test shows the whole of one: the real look-up throughout."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bk.engine.config.layers import parse
from bk.engine.config.schema import BY_NAME
from bk.engine.corpus.beekeeper_line import WHY
from bk.engine.corpus.claim import claims
from bk.engine.corpus.fingerprint import behaviour_v1
from bk.engine.corpus.happened import event_of
from bk.engine.corpus.packages import package
from bk.engine.corpus.salt import salt
from bk.engine.corpus.shapes import (
    BENIGN,
    BREACH,
    CLEAN,
    CONFIRMATION,
    EXPLAINED,
    FORENSIC,
    MALICIOUS,
    ORG_ONLY,
    OVERRIDE,
    UNRESOLVED,
    Label,
)
from bk.engine.corpus.store import Corpus
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.state import State
from tests.unit.corpus.house import DAY_MS, House
from tests.unit.corpus.test_beekeeper import bring, counts, everything, line

HOOK = "import sys; from bk.hook.client import main; main(sys.argv[1:])"


def ran(house: House, days: int) -> None:
    """An engine runs for so many days, without a gap to speak of."""
    entries = []
    for _ in range(days):
        entries += [Entry("engine", "engine", {"event": "start"}, at=house.now),
                    Entry("engine", "engine", {"event": "stop"}, at=house.now + DAY_MS - 60_000)]  # fmt: skip
        house.now += DAY_MS
    house.record(*entries)


def test_c01_and_c02_a_confirmation_resolves_and_nothing_else_does(house: House) -> None:
    house.does("npm install evil@1.0.0")
    house.run()
    assert house.only().outcome == {"true_label": UNRESOLVED}  # neither correct nor wrong, and no time
    house.say("evil", "alpha", "beta")
    house.sync(days=1)
    house.run()
    outcome = house.only().outcome
    assert (outcome["true_label"], outcome["source"]) == (MALICIOUS, CONFIRMATION)
    assert outcome["resolved_ms"] == house.now
    assert outcome["was_correct"] is False


def test_c04_how_sure_each_ground_is() -> None:
    sure = {FORENSIC: "high", BREACH: "high", CONFIRMATION: "medium", EXPLAINED: "medium", CLEAN: "weak",
            OVERRIDE: "weak", "unknown": "", "": ""}  # fmt: skip
    said = {ground: Label("", "e", "c", MALICIOUS, ground, at_ms=1, actor="x").confidence for ground in sure}
    assert said == sure


@pytest.mark.parametrize(("days", "label"), [(5, UNRESOLVED), (40, BENIGN)])
def test_c05_what_was_allowed_once_is_clean_after_a_month(house: House, days: int, label: str) -> None:
    assert house.does("npm install left-pad@1.3.0") == "allow"
    ran(house, days)
    house.run()
    assert house.outcome() == label


def test_c06_what_happened_twice_is_never_clean_by_itself(house: House) -> None:
    for _ in range(2):  # findings about one version are one matter
        said = {"event": "finding", "package": "npm:left-pad@1.3.0", "groups": [], "why": ""}
        house.record(Entry("responder", "responder", said, level="allow"))
    house.does("npm install right-pad@1.0.0")
    ran(house, 40)
    house.run()
    by = {event.purls[0]: event.outcome["true_label"] for event in house.events()}
    assert by == {"pkg:npm/left-pad@1.3.0": UNRESOLVED, "pkg:npm/right-pad@1.0.0": BENIGN}


@pytest.mark.parametrize("at", [1, 10**15], ids=["before there was one", "far ahead"])
def test_c07_a_time_that_cannot_be_is_never_clean(house: House, at: int) -> None:
    entry = house.judge("npm install left-pad@1.3.0")
    entry.at = at
    house.record(entry)
    ran(house, 40)
    house.run()
    assert house.outcome() == UNRESOLVED


def test_c12_lines_that_are_none_are_passed_over(state: State) -> None:
    rest = [b"", b"   ", b"{", b"\xff\xfe", b"[]", b"null"]
    report = bring(state, line(record_id="a"), *rest, line(record_id="b", tool_name="other"))
    assert report.events == 2
    assert counts(report.dropped) == {"syntax": (1, [4]), "not-utf8": (1, [5]), "not-object": (2, [6, 7])}


@given(data=st.binary(max_size=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_c12_no_bytes_break_an_import(state: State, data: bytes) -> None:
    Path(state.root, "corpus.db").unlink(missing_ok=True)
    report = bring(state, data, line())
    assert report.events == 1
    assert set(report.dropped) <= set(WHY)


def test_c13_what_a_deadline_cuts_off_has_done_the_oldest_first(house: House) -> None:
    names = ["third", "first", "second", "fourth"]
    for name, at in zip(names, (3, 1, 2, 3), strict=True):
        entry = house.judge(f"npm install {name}@1.0.0")
        entry.at = house.now + at
        house.record(entry)
        house.say(name, "alpha")
    house.sync(days=1)
    ticks = iter([0.0, 0.0, 1.0, 1.0, *[9.0] * 20])
    report = house.run(clock=lambda: next(ticks))
    done = [event.purls[0].partition("/")[2][:-6] for event in house.events(label=MALICIOUS)]
    assert report.left
    assert done
    order = sorted(house.events(), key=lambda event: (event.at_ms, event.id))
    assert [event.outcome["true_label"] for event in order] == [
        *[MALICIOUS] * len(done), *[UNRESOLVED] * (len(names) - len(done))]  # fmt: skip
    while house.run().left:
        pass
    assert {event.outcome["true_label"] for event in house.events()} == {MALICIOUS}


def test_c14_what_is_too_large_is_left_out_and_counted(house: House) -> None:
    long = "n" * 390
    packages = [
        {"ecosystem": "npm", "name": f"{long}{at}", "version": "1.0.0", "agreed": [long] * 8} for at in range(64)
    ]
    actions = [{"do": "install", "target": "x"}]
    house.record(Entry("decision", "hook:x", {"packages": packages, "actions": actions}, level="block"))
    assert house.does("npm install left-pad@1.0.0") == "allow"
    report = house.run()
    assert (report.events, report.unreadable) == (1, 1)
    assert house.only().purls == ("pkg:npm/left-pad@1.0.0",)


def test_c15_a_corpus_that_cannot_be_written_changes_no_answer(house: House) -> None:
    there = Path(house.state.root, "corpus.db")
    commands = ("cat ~/.ssh/id_rsa", "npm install left-pad@1.0.0")
    before = [asked(house, command) for command in commands]
    assert [code for code, _ in before] == [2, 0]
    there.mkdir()
    with pytest.raises(BkError):
        house.run()
    assert [asked(house, command) for command in commands] == before
    assert list(there.iterdir()) == []


def asked(house: House, command: str) -> tuple[int, bytes]:
    """The exit code and the answer of the hook's own program, without an engine."""
    call = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command},
            "session_id": "s", "cwd": house.state.home}  # fmt: skip
    env = {"HOME": house.state.home, "BK_HOME": house.state.root, "PATH": "/usr/bin:/bin"}
    lock = os.open(f"{house.state.run}/starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as if one were starting: the call starts none that would be left behind
        done = subprocess.run(
            [sys.executable, "-I", "-c", HOOK, "--cold", "--harness", "claude-code"],
            input=json.dumps(call).encode(), env=env, cwd=house.state.home, capture_output=True, timeout=60,
        )  # fmt: skip
    finally:
        os.close(lock)
    return done.returncode, done.stdout


def test_c17_nothing_is_ever_widened_in_scope(house: House) -> None:
    house.say("evil", "alpha", "beta")
    house.does("npm install evil@1.0.0")
    house.sync()
    house.run()
    event, (label,) = house.only(), house.labels()
    assert event.context["scope"] == ORG_ONLY
    event.context["scope"] = "community_shareable"  # whatever a row may say
    assert [made.wire()["scope"] for made in claims(event, label)] == [ORG_ONLY]


def test_c19_version_1_is_the_same_for_the_same_deed() -> None:
    same = [
        [("Bash", "", "h.example:443"), ("bash", "", "h.example"), ("/usr/bin/bash", "", "h.example")],
        [("x", f"{home}/.ssh/id_rsa", "") for home in ("/home/u", "/Users/u", "C:\\Users\\u", "/home/v", "~")],
    ]
    for each in same:
        assert len({behaviour_v1(*parts) for parts in each}) == 1
    apart = [("ab", "c", ""), ("a", "bc", ""), ("", "abc", ""), ("abc", "", ""), ("", "", "abc"), ("a", "b", "c")]
    assert len({behaviour_v1(*parts) for parts in apart}) == len(apart)


def test_c22_there_is_one_place_and_no_setting_for_another(house: House) -> None:
    assert [name for name in BY_NAME if name.startswith("corpus.")] == [
        "corpus.enabled", "corpus.clean_days", "corpus.max_clusters"]  # fmt: skip
    for place in ("", f"{house.state.root}-evil/corpus.db", "/srv/corpus.db"):
        with pytest.raises(BkError, match="there is no such key"):
            parse(f"corpus.path = {json.dumps(place)}\n", "user")
    house.does("npm install left-pad@1.0.0")
    house.run()
    assert Path(house.state.root, "corpus.db").is_file()


@pytest.mark.parametrize("damage", ["", "zz" * 32])
def test_c21_without_a_salt_that_can_be_used_nothing_is_kept(house: House, damage: str) -> None:
    salt(house.state)
    Path(house.state.root, "corpus.salt").write_text(damage)
    house.does("npm install left-pad@1.0.0")
    with pytest.raises(BkError, match="hexadecimal"):
        house.run()
    assert house.events() == []


def test_c28_a_persons_word_stands_and_that_catalogs_disagree_is_noted(house: House) -> None:
    house.does("npm install evil@1.0.0")
    house.run()
    house.label(house.only(), BENIGN, EXPLAINED)
    house.say("evil", "alpha", "beta")
    house.sync(days=1)
    assert house.run().notes == 1
    assert house.outcome() == BENIGN
    with Corpus(house.state) as corpus:
        cluster = corpus.cluster(house.only().cluster)
    assert cluster is not None
    assert cluster.note == "alpha, beta list it, and a person has said otherwise"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("npm:@nrwl/nx-console", ("npm", "@nrwl/nx-console")),
        ("npm:foo:bar", ("npm", "foo:bar")),
        ("bare", ("", "")),
        ("", ("", "")),
    ],
)
def test_t31_a_package_is_split_at_the_first_colon(state: State, text: str, meant: tuple[str, str]) -> None:
    found = event_of(Entry("responder", "responder", {"event": "finding", "package": f"{text}@1.0.0"}), "ab" * 32)
    assert found is not None
    assert [package(purl)[:2] for purl in found.purls] == ([meant] if meant[0] else [])
    match = {"catalog_source": "osv", "entry_id": "MAL-1", "package": text, "version": "1.0.0"}
    bring(state, line(catalog_matches=[match]))
    (event,) = everything(state)
    assert [package(purl)[:2] for purl in event.purls] == ([meant] if meant[0] else [])
    assert [each["package"] for each in event.decision["claimed"]] == ([text] if text else [])  # the name is kept
