"""Telling others, as a person does it: signed, in the ledger, once; and checking what somebody else says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bk.engine.console import envelope as console
from bk.engine.corpus.fingerprint import repo_fingerprint
from bk.engine.corpus.salt import salt
from bk.engine.corpus.store import Corpus
from bk.engine.errors import FAILED, OK, BkError
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from tests.unit.corpus.envelopes import OTHER, SIGNER, claim
from tests.unit.corpus.house import House

PERSON = {"admin": True}


@pytest.fixture
def env(house: House, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A person at a terminal, in front of an installation where one package was confirmed by two groups."""
    monkeypatch.setattr(console, "require_admin", lambda admin, env=None: None)
    house.does("npm install evil@1.0.0")
    house.does("npm install harmless@2.0.0")
    house.say("evil", "alpha", "beta")
    house.sync()
    house.run()
    return {"HOME": house.state.home, "BK_HOME": house.state.root}


def entries(house: House) -> list[Entry]:
    ledger = Ledger.open(house.state)
    try:
        return [entry for entry in ledger.entries(limit=1000) if entry.data.get("event") == "envelope_export"]
    finally:
        ledger.close()


def event_of(house: House, name: str) -> str:
    (found,) = [event for event in house.events() if any(name in purl for purl in event.purls)]
    return found.id


def bk(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bk", "envelope", *words], env={**os.environ, **env},
                          capture_output=True, text=True, timeout=60)  # fmt: skip


def test_a_confirmed_package_is_told_and_its_envelope_is_believed(house: House, env: dict[str, str]) -> None:
    made = console.export(event_of(house, "evil"), **PERSON, env=env)
    assert made.packages == ["npm:evil 1.0.0"]
    (document,) = made.told()["envelopes"]
    assert (document["confidence_tier"], document["source_count"], document["scope"]) == ("enforce", 2, "org_only")
    held = json.dumps(document)
    for word in (house.state.home, socket.gethostname(), "/srv/shop", "claude-code", "npm install"):
        assert word not in held
    with Corpus(house.state) as corpus:
        (kept,) = corpus.envelopes()
    assert kept.body == made.documents[0]
    path = Path(house.state.home, "one")
    path.write_bytes(made.documents[0])
    assert [each.error for each in console.verify(str(path), env=env)] == [None]
    assert [each.error and each.error.kind for each in console.verify(str(path), env=env)] == ["replayed"]
    assert [each.error for each in console.verify(str(path), spend=False, env=env)] == [None]


def test_everything_goes_to_a_new_file_and_into_the_ledger(house: House, env: dict[str, str]) -> None:
    to = Path(house.state.home, "all.ndjson")
    made = console.export(everything=True, to=str(to), **PERSON, env=env)
    assert to.read_bytes() == b"".join(made.documents)
    assert to.stat().st_mode & 0o777 == 0o600
    assert [entry.data["outcome"] for entry in entries(house)] == ["asked", "done"]
    assert entries(house)[0].data["claims"] == ["npm:evil 1.0.0"]
    with pytest.raises(BkError, match="cannot be written"):
        console.export(everything=True, to=str(to), **PERSON, env=env)
    assert [entry.data["outcome"] for entry in entries(house)][2:] == ["asked", "refused"]
    assert to.read_bytes() == b"".join(made.documents)


def test_what_is_not_confirmed_here_is_not_told(house: House, env: dict[str, str]) -> None:
    with pytest.raises(BkError, match="unresolved"):
        console.export(event_of(house, "harmless"), **PERSON, env=env)
    with pytest.raises(BkError, match="no such event"):
        console.export("ffff", **PERSON, env=env)
    for wrong in ({}, {"event": "x", "everything": True}):
        with pytest.raises(BkError, match="what is to be exported"):
            console.export(**wrong, **PERSON, env=env)  # type: ignore[arg-type]
    assert entries(house) == []


def test_a_file_may_hold_one_envelope_over_many_lines_or_one_a_line(house: House, env: dict[str, str]) -> None:
    from bk.engine.corpus.signing import Signer
    from bk.engine.responder.clock import now_ms

    def told(signer: Signer) -> dict[str, Any]:
        return signer.sign(claim(), now_ms())

    path = Path(house.state.home, "held")
    pinned = Path(house.state.home, "key.pub")
    pinned.write_text(f"{SIGNER.public}\n")
    path.write_text(json.dumps(told(SIGNER), indent=2))
    assert [each.error for each in console.verify(str(path), [str(pinned)], env=env)] == [None]
    path.write_text("\n".join(json.dumps(told(each)) for each in (SIGNER, OTHER, SIGNER)) + "\n\nnonsense\n")
    found = console.verify(str(path), [str(SIGNER.public)], env=env)
    assert [(each.line, each.error and each.error.kind) for each in found] == [
        (1, None), (2, "unknown-key"), (3, None), (5, "syntax"),
    ]  # fmt: skip
    assert json.loads(json.dumps([each.told() for each in found]))[1]["kind"] == "unknown-key"
    path.write_bytes(b"")
    assert [each.error and each.error.kind for each in console.verify(str(path), env=env)] == ["syntax"]
    with pytest.raises(BkError, match="no key"):
        console.verify(str(path), ["nonsense"], env=env)
    with pytest.raises(BkError, match="cannot be read"):
        console.verify(house.state.home, env=env)


def test_the_command_line(house: House, env: dict[str, str]) -> None:
    path = Path(house.state.home, "all.ndjson")
    console.export(everything=True, to=str(path), **PERSON, env=env)
    key = json.loads(bk(env, "key", "--json").stdout)
    assert bk(env, "key").stdout.split("\n")[0] == key["key"]
    first = bk(env, "verify", str(path), "--key", key["key"])
    assert (first.returncode, "accepted" in first.stdout, "npm:evil 1.0.0" in first.stdout) == (OK, True, True)
    second = bk(env, "verify", str(path), "--json")
    assert second.returncode == FAILED
    said = json.loads(second.stdout)
    assert (said["accepted"], said["refused"], said["results"][0]["kind"]) == (0, 1, "replayed")
    assert bk(env, "verify", str(path), "--no-replay-cache").returncode == OK
    for words in (("export", "--all"), ("export", "--all", "--admin")):
        refused = bk(env, *words)
        assert (refused.returncode, refused.stdout) == (FAILED, "")
        assert "needs a person" in refused.stderr


def test_an_event_carries_the_marks_of_its_folder(house: House, env: dict[str, str]) -> None:
    context = next(event for event in house.events()).context
    assert context["repo_fingerprint"] == repo_fingerprint(salt(house.state), "/srv/shop")
    assert len(context["fleet_node_id"]) == 64
