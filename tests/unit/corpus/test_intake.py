"""From the ledger to the corpus: what enters, what does not, once, and without a secret."""

from __future__ import annotations

import json

import pytest

from bk.engine.corpus.happened import event_of
from bk.engine.corpus.intake import intake
from bk.engine.corpus.packages import package, purl
from bk.engine.corpus.shapes import HOOK, ORG_ONLY, SCAN
from bk.engine.corpus.store import Corpus
from bk.engine.intel.versions import canonical_version
from bk.engine.ledger.chain import entry_of, leaf_of
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.schema import reader
from bk.engine.ledger.segment import rotate
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from tests.unit.corpus.house import House


@pytest.mark.parametrize(
    ("command", "level"),
    [
        ("ls -la src", None),
        ("git status", None),
        ("cat README.md", None),
        ("npm install left-pad@1.0.0", "allow"),
        ("curl -O https://example.org/a.tar.gz", "allow"),
        ("curl https://example.org/x.sh | sh", "ask"),
        ("cat ~/.ssh/id_rsa", "block"),
    ],
)
def test_what_enters(house: House, command: str, level: str | None) -> None:
    decided = house.does(command)
    house.run()
    kept = [event.level for event in house.events()]
    assert kept == ([] if level is None else [decided])
    assert level is None or decided == level or level != "allow"


def test_an_allowed_touch_of_a_credential_enters(house: House) -> None:
    said = {"tool": "Read", "harness": "x", "home": "/home/u", "actions": [
        {"do": "touch", "mode": "read", "target": "/home/u/.aws/credentials"}]}  # fmt: skip
    plain = {**said, "actions": [{"do": "touch", "mode": "read", "target": "/home/u/notes.md"}]}
    house.record(Entry("decision", "hook:x", said, level="allow"), Entry("decision", "hook:x", plain, level="allow"))
    house.run()
    assert [event.behaviour["actions"][0]["target"] for event in house.events()] == ["/home/u/.aws/credentials"]


def test_an_event_is_its_entry(house: House) -> None:
    house.does("npm install left-pad@1.0.0")
    house.run()
    event = house.only()
    con = reader(house.state.audit)
    seq, body, leaf = con.execute(
        "SELECT seq, CAST(body AS BLOB), leaf FROM entry ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    con.close()
    entry = entry_of(body)
    assert (event.id, event.at_ms, event.context["seq"]) == (leaf.hex()[:24], entry.at, seq)
    assert leaf_of(body) == leaf
    assert (event.surface, event.cluster, event.context["scope"]) == (HOOK, event.id, ORG_ONLY)
    assert event.behaviour["command"] == "npm install left-pad@1.0.0"
    assert event.decision["index"].startswith("generation-")


def test_following_the_ledger_again_from_the_start_adds_nothing(house: House) -> None:
    for at in range(5):
        house.does(f"npm install pack{at}@1.0.0")
    house.run()
    before = house.rows()
    with Corpus(house.state, write=True) as corpus:
        ledger = corpus.cursor("ledger")[1]
        for _ in range(3):
            corpus.advance("ledger", 0, ledger)
            assert intake(house.state, corpus, redact=redactor()).events == 0
    assert house.rows() == before


def test_closed_segments_are_followed_too(house: House) -> None:
    for at in range(4):
        house.does(f"npm install pack{at}@1.0.0")
        ledger = Ledger.open(house.state)
        try:
            rotate(ledger)
        finally:
            ledger.close()
    house.does("npm install pack4@1.0.0")
    report = house.run()
    assert report.events == 5
    assert sorted(event.purls[0] for event in house.events()) == [f"pkg:npm/pack{at}@1.0.0" for at in range(5)]


def test_findings_about_one_version_are_one_matter(house: House) -> None:
    for event in ("finding", "would_quarantine"):
        said = {"event": event, "package": "npm:@scope/evil@1.0.0", "groups": ["alpha"], "why": "1 of 2", "path": "/p"}
        house.record(Entry("responder", "responder", said, level="warn"))
    house.record(Entry("responder", "responder", {"event": "truncated"}, level="warn"))
    house.record(Entry("responder", "corpus", {"event": "adjudicated", "package": "npm:evil@1.0.0"}, level="warn"))
    house.run()
    events = house.events()
    assert len(events) == 2
    assert {event.surface for event in events} == {SCAN}
    assert len({event.cluster for event in events}) == 1
    assert events[0].purls == ("pkg:npm/%40scope/evil@1.0.0",)
    with Corpus(house.state) as corpus:
        assert corpus.clusters()[0].n == 2


def test_an_entry_that_cannot_be_read_is_counted_and_stops_nothing(house: House) -> None:
    odd = [{"actions": "x"}, {"findings": [{}]}, {"actions": [{"do": 1}]}, {"packages": [{"name": "x"}]}]
    for data in odd:
        house.record(Entry("decision", "hook:x", data, level="block"))
    house.does("npm install left-pad@1.0.0")
    report = house.run()
    assert report.unreadable >= 3
    assert any(event.purls for event in house.events())


def test_a_secret_does_not_enter_even_if_the_ledger_has_it(house: House) -> None:
    token = "ghp_" + "a1B2" * 10
    said = {"tool": "Bash", "harness": "x", "cwd": f"/srv/{token}", "input": {"command": f"push {token}"},
            "actions": [{"do": "run", "target": f"push {token}"}], "reason": token,
            "findings": [{"rule": "x/y", "level": "block", "reason": token, "target": token}]}  # fmt: skip
    ledger = Ledger.open(house.state)  # as one that was written before a pattern was added
    try:
        ledger.append([Entry("decision", "hook:x", said, level="block", at=house.now)], sync=True)
    finally:
        ledger.close()
    house.values["audit.redact_patterns"] = ["INTERNAL-[0-9]+"]
    house.does("npm install left-pad@1.0.0 # INTERNAL-1234")
    house.run()
    text = json.dumps([event.told() for event in house.events()])
    assert token not in text
    assert "INTERNAL-1234" not in text
    assert "[REDACTED:" in text
    with open(f"{house.state.root}/corpus.db", "rb") as file:
        assert token.encode() not in file.read()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"ecosystem": "npm", "name": "a", "version": "1.0.0", "manager": "npm"}, "pkg:npm/a@1.0.0"),
        ({"ecosystem": "npm", "name": "a", "version": "^1.0.0", "manager": "npm"}, "pkg:npm/a"),
        ({"ecosystem": "pypi", "name": "Foo_Bar", "version": "==1.0", "manager": "pip"}, "pkg:pypi/foo-bar@1.0.0"),
        ({"ecosystem": "cargo", "name": "a", "version": "1.0.0", "manager": "cargo"}, "pkg:cargo/a"),
        ({"ecosystem": "npm", "name": "a", "version": "1.0.0", "source": "git"}, ""),
        ({"ecosystem": "npm", "name": "a", "version": "1.0.0", "private": True}, ""),
        ({"ecosystem": "editor-extension", "name": "P.Ext", "version": "1.0.0"},
         "pkg:generic/editor-extension/p.ext@1.0.0"),
    ],
    ids=["exact", "a range", "another spelling", "bare is a range", "a repository", "one's own", "no type"],
)  # fmt: skip
def test_the_identity_of_a_package(said: dict[str, object], expected: str) -> None:
    data = {"packages": [said], "actions": [{"do": "install", "target": "x"}]}
    event = event_of(Entry("decision", "hook:x", data, level="allow"), "ab" * 32)
    assert event is not None
    assert [each["purl"] for each in event.decision["packages"]] == [expected]
    assert event.purls == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("ecosystem", "name", "version"),
    [
        ("npm", "@scope/name", "1.0.0-rc.1"),
        ("maven", "org.example:thing", "1.0"),
        ("go", "example.org/a/b", "v1.2.3"),
        ("pypi", "a-b", ""),
        ("mcp", "some server/tool@x", "-"),
        ("browser-extension", "abc", "2"),
    ],
)
def test_a_package_url_can_be_read_back(ecosystem: str, name: str, version: str) -> None:
    made = purl(ecosystem, name, version)
    assert package(made) == (ecosystem, name, canonical_version(ecosystem, version) if version else "")
    assert purl(*package(made)) == made


@pytest.mark.parametrize("text", ["", "pkg:", "pkg:npm/", "npm:evil", "pkg:unknown/x@1", "pkg:generic/x"])
def test_what_is_no_package_url_is_none(text: str) -> None:
    assert package(text) == ("", "", "")
