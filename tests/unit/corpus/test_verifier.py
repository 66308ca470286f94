"""An envelope is believed whatever bytes spell it, and never when one byte of what it says is another."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.corpus import replay
from bk.engine.corpus.envelope import BYTES_MAX, Envelope
from bk.engine.corpus.signing import DAY_MS, LIFE_MS, key_id
from bk.engine.corpus.verifier import KINDS, SKEW_MS, Accepted, EnvelopeError, verify
from bk.engine.notes import PublicKey
from bk.engine.state import State
from tests.fuzz import envelope as target
from tests.unit.corpus.envelopes import NOW, OTHER, SIGNER, claim, claims, rewritten, signed

KEYS = [SIGNER.public]


def believed(document: Any, now: int = NOW + 1000) -> Accepted:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return verify(data, KEYS, now, None)


def refused(document: Any, now: int = NOW + 1000) -> str:
    with pytest.raises(EnvelopeError) as error:
        believed(document, now)
    assert error.value.kind in KINDS
    return error.value.kind


@given(made=claims(), seed=st.integers(0, 2**32), rounds=st.integers(1, 5))
def test_it_is_believed_after_any_number_of_round_trips(made: Envelope, seed: int, rounds: int) -> None:
    rng = random.Random(seed)
    document = SIGNER.sign(made, NOW)
    for _ in range(rounds):
        text = rewritten(document, rng)
        assert believed(text.encode()).envelope == made
        document = json.loads(text)


def leaves(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way] * bool(way) + [leaf for key, item in inner for leaf in leaves(item, (*way, key))]


@given(made=claims(), data=st.data())
def test_no_other_value_in_any_place_is_believed(made: Envelope, data: st.DataObject) -> None:
    document = SIGNER.sign(made, NOW)
    *way, last = data.draw(st.sampled_from(leaves(document)))
    at = document
    for step in way:
        at = at[step]
    old = at[last]
    new = data.draw(
        st.one_of(
            st.text(max_size=70), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.none(),
            st.booleans(), st.sampled_from(["", "enforce", "malicious", "community_shareable", "watch_and_block"]),
            st.just([]), st.just({}), st.text("0123456789abcdef", min_size=64, max_size=64),
        )
    )  # fmt: skip
    same = (old, new) == ("org_only", "") or (type(old) is type(new) and old == new)
    at[last] = new
    if same:
        assert believed(document).envelope == made
    else:
        assert refused(document) in ("malformed", "bad-signature", "unknown-key", "surrogate", "nul")


@given(made=claims(), data=st.data())
def test_no_field_can_be_left_out_or_added(made: Envelope, data: st.DataObject) -> None:
    document = SIGNER.sign(made, NOW)
    places = [document, document["signing"], document["signature"], document["signature"]["iocs"]]
    at = data.draw(st.sampled_from([each for each in places if each]))
    if data.draw(st.booleans()):
        del at[data.draw(st.sampled_from(sorted(at)))]
    else:
        at[data.draw(st.text(max_size=5).filter(lambda key: key not in at))] = data.draw(st.sampled_from(["", 1, {}]))
    assert refused(document) in ("malformed", "bad-signature", "unsigned", "surrogate", "nul")


def test_every_change_of_one_byte_is_refused_or_says_the_same() -> None:
    document = SIGNER.sign(claim(iocs={"domains": ["evil.example"]}), NOW, nonce="5" * 32)
    sample = json.dumps(document).encode()
    same = 0
    for at in range(len(sample)):
        tried = {sample[at] ^ (1 << bit) for bit in range(8)} | {0, 0x20, 0x22, 0x5C, 0x30, 0x7B, 0xFF}
        for byte in tried - {sample[at]}:
            changed = sample[:at] + bytes((byte,)) + sample[at + 1 :]
            try:
                believed(changed)
            except EnvelopeError:
                continue
            assert json.loads(changed) == document
            same += 1
        for cut in (sample[:at] + sample[at + 1 :], sample[:at] + sample[at : at + 1] + sample[at:]):
            try:
                believed(cut)
            except EnvelopeError:
                continue
            assert json.loads(cut) == document
            same += 1
    assert same > 20  # white space can be other white space


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "syntax"), (b"null", "not-object"), (b"[]", "not-object"), (b"{} {}", "syntax"), (b"{", "syntax"),
        (b"\xff{}", "not-utf8"), (b"\xef\xbb\xbf{}", "syntax"), (b'{"a":NaN}', "number"), (b'{"a":1e999}', "number"),
        (b'{"a":' + b"9" * 5000 + b"}", "number"), (b'{"a":-Infinity}', "number"), (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"a":{"b":1,"\\u0062":2}}', "duplicate-key"), (b'{"a":"\\u0000"}', "nul"), (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"), (b'{"a":' + b"[" * 30 + b"]" * 30 + b"}", "depth"), (b"{}", "unsigned"),
        (b'{"a":"' + b"x" * BYTES_MAX + b'"}', "oversize"), (b'{"a":' + b"[" * 9000 + b"]" * 7000 + b"}", "depth"),
        (b'{"signing":1}', "malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:24]),
)  # fmt: skip
def test_what_is_no_envelope_is_named(data: bytes, kind: str) -> None:
    found = refused(data)
    assert found == kind or (kind == "depth" and found == "syntax" and len(data) > 9000)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2}, {"v": 1.0}, {"v": True}, {"v": "1"}, {"issuer": ""}, {"issuer": "x" * 101}, {"issuer": 1},
        {"nonce": "A" * 32}, {"nonce": "a" * 31}, {"key_id": ""}, {"signature": "0" * 127}, {"signature": None},
        {"issued_at": "2026-01-01"}, {"issued_at": "2026-02-30T00:00:00Z"}, {"expires_at": "2026-01-01T00:00:00+00:00"},
        {"expires_at": "２026-01-01T00:00:00Z"}, {"extra": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_signing_block_has_one_form(changes: dict[str, Any]) -> None:
    document = signed()
    document["signing"].update(changes)
    assert refused(document) == "malformed"


def test_a_whole_number_is_written_as_one() -> None:
    data = json.dumps(signed()).encode()
    assert b'"source_count": 1,' in data
    for spelled in (b"1.0", b"1e0", b'"1"', b"true", b"[1]"):
        assert refused(data.replace(b'"source_count": 1,', b'"source_count": ' + spelled + b",")) == "malformed"


def test_another_key_is_not_believed_and_cannot_pose_as_the_pinned_one() -> None:
    document = OTHER.sign(claim(), NOW)
    assert refused(document) == "unknown-key"
    document["signing"]["key_id"] = key_id(SIGNER.public)
    assert refused(document) == "bad-signature"
    with pytest.raises(EnvelopeError, match="unknown-key"):
        verify(json.dumps(signed()).encode(), [], NOW, None)


def test_the_issuer_is_who_the_key_was_pinned_for() -> None:
    renamed = PublicKey("somebody-else", SIGNER.public.key)
    with pytest.raises(EnvelopeError, match="foreign-issuer"):
        verify(json.dumps(signed()).encode(), [renamed], NOW, None)
    assert verify(json.dumps(signed()).encode(), [renamed, SIGNER.public], NOW, None).issuer == "bk-test"


@pytest.mark.parametrize("life", [1000, LIFE_MS, 90 * DAY_MS])
def test_it_is_believed_from_its_time_to_its_end(life: int) -> None:
    document = SIGNER.sign(claim(), NOW, life_ms=life)
    assert refused(document, NOW - SKEW_MS - 1) == "not-yet"
    assert believed(document, NOW - SKEW_MS).issued_ms == NOW
    assert believed(document, NOW + life - 1).expires_ms == NOW + life
    assert refused(document, NOW + life) == "expired"
    assert refused(document, NOW + life + 1) == "expired"


@pytest.mark.parametrize("life", [-1000, 0, 91 * DAY_MS])
def test_a_signed_lifetime_that_none_may_have(life: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bk.engine.corpus.signing.moment", iter_moments(NOW, NOW + life))
    assert refused(SIGNER.sign(claim(), NOW)) == "lifetime"


def iter_moments(*moments: int) -> Any:
    from bk.engine.corpus.signing import moment

    said = iter(moments)
    return lambda _: moment(next(said))


def test_a_replay_is_refused_whatever_its_bytes_and_a_refused_one_spends_nothing(state: State) -> None:
    document = signed()

    def spend(data: bytes, now: int = NOW) -> str:
        try:
            verify(data, KEYS, now, lambda: replay.opened(state))
        except EnvelopeError as error:
            return error.kind
        return ""

    data = json.dumps(document).encode()
    spoiled = json.loads(data)
    spoiled["source_count"] = 7
    assert spend(json.dumps(spoiled).encode()) == "bad-signature"
    assert spend(data, NOW + LIFE_MS) == "expired"
    assert spend(data) == ""
    assert spend(data) == "replayed"
    assert spend(rewritten(document, random.Random(3)).encode()) == "replayed"
    assert spend(json.dumps(signed()).encode()) == ""
    assert verify(data, KEYS, NOW, None).nonce == document["signing"]["nonce"]


def test_without_a_cache_that_works_nothing_is_believed(state: State) -> None:
    with open(f"{state.root}/{replay.NAME}", "wb") as file:
        file.write(b"not a database, but long enough to be looked at as one" * 40)
    import os

    os.chmod(f"{state.root}/{replay.NAME}", 0o600)
    with pytest.raises(EnvelopeError, match="replay-cache"):
        verify(json.dumps(signed()).encode(), KEYS, NOW, lambda: replay.opened(state))


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.sampled_from(target.SEEDS).flatmap(
    lambda seed: st.tuples(st.integers(0, len(seed)), st.binary(max_size=8)).map(
        lambda cut: seed[: cut[0]] + cut[1] + seed[cut[0] :]))))  # fmt: skip
def test_the_fuzz_target_holds(data: bytes) -> None:
    target.one(data)


def test_what_is_accepted_can_be_told() -> None:
    told = believed(signed()).told()
    assert told["envelope"]["action_hint"] == "watch_and_block"
    assert json.loads(json.dumps(told)) == told
