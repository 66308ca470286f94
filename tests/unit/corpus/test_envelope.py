"""What an envelope can say, and above all what it cannot."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.canonical import canonical
from bk.engine.corpus import envelope as module
from bk.engine.corpus.claim import claims as made_of
from bk.engine.corpus.envelope import Action, Envelope, Scope, Tier, action, scope, signed_bytes
from bk.engine.corpus.shapes import BENIGN, CONFIRMATION, HOOK, IMPORTED, MALICIOUS, Event, Label
from bk.engine.corpus.signing import DAY_MS, LIFE_MAX_MS, Signer, instant, key_id, moment, signer
from bk.engine.errors import BkError
from bk.engine.notes import PublicKey
from bk.engine.state import State
from tests.unit.corpus.envelopes import NOW, SIGNER, claim, claims

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "fixtures/corpus/envelopes.json").read_text())
PURGES = ("purge", "delete", "remove", "wipe", "erase", "destroy")


def test_there_is_one_action_and_no_way_to_name_another() -> None:
    assert [each.value for each in Action] == ["watch_and_block"]
    assert "action" not in inspect.signature(Envelope).parameters
    assert claim().wire()["action_hint"] == "watch_and_block"
    with pytest.raises(AttributeError):
        claim().action = "purge"  # type: ignore[misc, assignment]
    with pytest.raises(ValueError, match="purge"):
        Action("purge")


@pytest.mark.parametrize("word", [*PURGES, *(f"auto_{each}" for each in PURGES), "Watch_And_Block", " watch_and_block"])
def test_an_envelope_that_asks_for_more_cannot_be_read(word: str) -> None:
    with pytest.raises(ValueError, match="action_hint"):
        Envelope.read({**claim().wire(), "action_hint": word})


@given(word=st.one_of(st.text(), st.sampled_from(PURGES), st.none(), st.booleans(), st.integers()))
def test_no_input_makes_another_action(word: Any) -> None:
    try:
        found = action(word)
    except ValueError:
        assert word != "watch_and_block"
    else:
        assert (word, found) == ("watch_and_block", Action.WATCH_AND_BLOCK)


@given(field=st.sampled_from(sorted(claim().wire())), value=st.one_of(st.text(), st.integers(), st.none()))
def test_whatever_is_read_asks_for_the_same(field: str, value: Any) -> None:
    try:
        found = Envelope.read({**claim().wire(), field: value})
    except ValueError:
        return
    assert found.wire()["action_hint"] == "watch_and_block"


@given(claims())
def test_what_is_written_can_be_read(made: Envelope) -> None:
    assert Envelope.read(json.loads(json.dumps(made.wire()))) == made


def test_an_unnamed_scope_is_the_narrowest_before_anything_is_signed() -> None:
    assert scope("") is Scope.ORG_ONLY
    assert Envelope.read({**claim().wire(), "scope": ""}).wire()["scope"] == "org_only"
    with pytest.raises(ValueError, match="scope"):
        scope("everybody")


@pytest.mark.parametrize(
    "changes",
    [
        {"tier": Tier.ENFORCE, "sources": 1}, {"sources": -1}, {"sources": 1001}, {"sources": True}, {"sources": 1.0},
        {"package": ""}, {"package": "/home/ann/evil"}, {"package": "npm:/home/ann/evil"}, {"package": "npm:../x"},
        {"package": "git+https://ann:secret@git.example/x"}, {"package": "C:\\Users\\ann"}, {"package": "npm:x y"},
        {"package": "npm:~/x"}, {"package": "npm:x\n"}, {"package": "npm:é"}, {"package": "npm:" + "x" * 300},
        {"version": "1 0"}, {"version": "/x"}, {"version": "1" * 200}, {"behaviour_v1": ""}, {"behaviour_v1": "A" * 64},
        {"behaviour_v2": "b" * 63}, {"iocs": {"more": 1}}, {"iocs": {"domains": "x"}}, {"iocs": {"domains": ["/x"]}},
        {"iocs": {"domains": ["x"] * 65}}, {"iocs": {"dns_tunnel_pattern": "a\nb"}}, {"iocs": {"dead_drop_pattern": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_claim_cannot_say(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        claim(**changes)


@pytest.mark.parametrize("name", ["npm:@scope/name", "go:github.com/a/b", "maven:g:a", "bare", "publisher.extension"])
def test_names_of_packages(name: str) -> None:
    assert claim(package=name).package == name


@pytest.mark.parametrize("case", VECTORS["envelopes"], ids=lambda case: case["document"]["scope"])
def test_vectors(case: dict[str, Any]) -> None:
    from nacl.signing import SigningKey, VerifyKey

    document = case["document"]
    signing = document["signing"]
    # as the page tells it, with nothing of ours but the canonical form
    rest = {key: value for key, value in signing.items() if key != "signature"}
    bare = canonical({**rest, "env": {key: value for key, value in document.items() if key != "signing"}})
    assert bare.decode() == case["signed"]
    VerifyKey(bytes.fromhex(VECTORS["public_key"])).verify(bare, bytes.fromhex(signing["signature"]))
    # and as we make it
    key = Signer(SigningKey(bytes.fromhex(VECTORS["secret_seed"])), "bk-example")
    assert str(key.public) == VECTORS["verifier_key"]
    assert key_id(key.public) == VECTORS["key_id"]
    claimed = Envelope.read({name: value for name, value in document.items() if name != "signing"})
    assert key.sign(claimed, instant(signing["issued_at"]), nonce=signing["nonce"]) == document


def test_every_field_is_signed() -> None:
    said = {"issuer": "i", "issued_at": "a", "expires_at": "e", "nonce": "n", "key_id": "k"}
    usual = signed_bytes(claim(), **said)
    changes: list[dict[str, Any]] = [
        {"package": "npm:other"}, {"version": "2"}, {"behaviour_v1": "c" * 64}, {"behaviour_v2": ""}, {"sources": 2},
        {"truth": module.Truth.BENIGN}, {"tier": Tier.ENFORCE, "sources": 2}, {"scope": Scope.COMMUNITY_SHAREABLE},
        {"iocs": {"domains": []}},
    ]  # fmt: skip
    made = {signed_bytes(claim(**each), **said) for each in changes}
    made |= {signed_bytes(claim(), **{**said, name: "x"}) for name in said}
    assert len(made - {usual}) == len(changes) + len(said)


def test_a_lifetime_has_bounds_and_a_nonce_is_new() -> None:
    for life in (0, LIFE_MAX_MS + 1000):
        with pytest.raises(ValueError, match="lives"):
            SIGNER.sign(claim(), NOW, life_ms=life)
    made = [SIGNER.sign(claim(), NOW)["signing"] for _ in range(50)]
    assert len({each["nonce"] for each in made}) == 50
    assert instant(made[0]["expires_at"]) - instant(made[0]["issued_at"]) == 30 * DAY_MS
    assert moment(instant(made[0]["issued_at"])) == made[0]["issued_at"]


def test_the_key_is_made_once_for_its_owner_alone_and_names_nobody(state: State) -> None:
    first = signer(state).public
    assert str(signer(state).public) == str(first)
    path = Path(state.keys, "envelope")
    assert path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"bk-[0-9a-f]{12}", first.name)
    assert PublicKey.parse(str(first)).key == first.key
    path.write_text("PRIVATE+KEY+nonsense")
    with pytest.raises(BkError, match="no signing key"):
        signer(state)


def event(**changes: Any) -> Event:
    behaviour = {
        "tool": "Bash",
        "harness": "claude-code",
        "command": "cat /home/ann/secret-project/.env",
        "actions": [
            {"do": "run", "target": "cat /home/ann/secret-project/.env 'un"},
            {"do": "touch", "target": "/home/ann/secret-project/.env", "mode": "read"},
            {"do": "connect", "target": "https://ann:pw@laptop-7.corp.example/x"},
        ],
    }
    purls = changes.get("purls", ["pkg:npm/invented-evil@1.0.0"])
    context = {"cwd": "/home/ann/secret-project"}
    return Event("e1", NOW, HOOK, behaviour, {"level": "block", "reason": "ann"}, context, purls)


def label(**changes: Any) -> Label:
    said = {"source": CONFIRMATION, "true_label": MALICIOUS, "evidence": {"groups": ["osv"]}, **changes}
    evidence = said["evidence"]
    return Label("", "e1", "e1", said["true_label"], said["source"], at_ms=NOW, actor="corpus", evidence=evidence)


def test_nothing_of_this_machine_is_in_what_leaves() -> None:
    (made,) = made_of(event(), label())
    document = json.dumps(SIGNER.sign(made, NOW)).lower()
    for word in ("ann", "secret-project", ".env", "laptop-7", "corp.example", "claude", "/home", "cat"):
        assert word not in document
    assert made.package == "npm:invented-evil"
    assert made.wire()["signature"]["iocs"] == {}
    assert made.scope is Scope.ORG_ONLY


def test_two_groups_make_it_worth_enforcing_and_a_package_is_named_by_its_label() -> None:
    (made,) = made_of(event(), label(evidence={"groups": ["osv", "aikido"], "purls": ["pkg:pypi/other@2"]}))
    assert (made.tier, made.sources, made.package, made.version) == (Tier.ENFORCE, 2, "pypi:other", "2")
    assert made_of(event(), label())[0].tier is Tier.WATCH


@pytest.mark.parametrize(
    ("happened", "said", "why"),
    [
        (event(), label(true_label=BENIGN), "benign"),
        (event(), label(source=IMPORTED), "another installation"),
        (event(purls=[]), label(), "no package"),
        (event(purls=["pkg:unknown/x@1"]), label(), "no package"),
    ],
    ids=["benign", "imported", "nameless", "unknown"],
)
def test_what_is_not_told(happened: Event, said: Label, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made_of(happened, said)
