"""Checkpoints, the notes they are, the keys behind them, and what a crash between two steps leaves."""

from __future__ import annotations

import base64
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey, VerifyKey

from bk.engine.errors import BkError
from bk.engine.ledger import checkpoint as signing
from bk.engine.ledger import seal
from bk.engine.ledger.chain import evolve
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.merkle import root_of
from bk.engine.ledger.note import BadNote, Note, opened, public_key, sign, split_notes, unverified
from bk.engine.ledger.note import body as note_body
from bk.engine.ledger.seal import KeyFile, SealKey
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.notes import PublicKey
from bk.engine.state import State

from . import house
from .house import attacker, fill

KEY = SigningKey(bytes(range(32)))
NAME = "bk/00112233445566778899aabbccddeeff"
PUBLIC = PublicKey(NAME, bytes(KEY.verify_key))
LINES = note_body(f"{NAME}/1", 3, bytes(32), at=1_700_000_000_000, seq=3)
NOTE = sign(LINES, 4, bytes(32), KEY, NAME)


def test_a_note_is_what_c2sp_describes() -> None:
    text, _, signatures = NOTE.rpartition("\n\n")
    assert (text + "\n").splitlines() == [
        f"{NAME}/1",
        "3",
        base64.b64encode(bytes(32)).decode(),
        "time 1700000000000",
        "seq 3",
        f"seal 4 {base64.b64encode(bytes(32)).decode()}",
    ]
    dash, name, packed = signatures.rstrip("\n").split(" ")
    raw = base64.b64decode(packed)
    assert (dash, name) == ("\u2014", NAME)
    assert raw[:4] == sha256(NAME.encode() + b"\n\x01" + bytes(KEY.verify_key)).digest()[:4]
    VerifyKey(bytes(KEY.verify_key)).verify((text + "\n").encode(), raw[4:])


def test_the_published_example_note_verifies() -> None:
    """The example and the verifier key of Go's sumdb/note package."""
    example = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    key = PublicKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    with pytest.raises(BadNote, match="six lines"):  # signed by that key, but no checkpoint
        opened(example, key)
    with pytest.raises(BadNote, match="signature does not fit"):
        opened(example.replace("answer", "Answer"), key)


def test_a_note_opens_with_its_key_only() -> None:
    note = opened(NOTE, PUBLIC)
    assert (note.origin, note.segment, note.size, note.seq, note.epoch) == (f"{NAME}/1", 1, 3, 3, 4)
    assert note.sealed == LINES
    other = PublicKey(NAME, bytes(SigningKey.generate().verify_key))
    with pytest.raises(BadNote) as raised:
        opened(NOTE, other)
    assert raised.value.kind == "foreign-key"
    cosigned = NOTE + f"\u2014 witness.example {base64.b64encode(b'abcd' + bytes(64)).decode()}\n"
    assert opened(cosigned, PUBLIC).text == note.text


@pytest.mark.parametrize("line", ["03", "3 ", "-3", "+3", "3_0"])
def test_a_number_has_one_form(line: str) -> None:
    text = LINES.replace("\n3\n", f"\n{line}\n", 1)
    with pytest.raises(BadNote):
        opened(sign(text, 4, bytes(32), KEY, NAME), PUBLIC)


@pytest.mark.parametrize("bad", ["", "\n\n", "x", NOTE.replace("\n\n", "\n"), NOTE[:-1], "\n" + NOTE, NOTE + "\n"])
def test_what_is_no_note_is_refused(bad: str) -> None:
    with pytest.raises(BadNote):
        opened(bad, PUBLIC)


def test_public_keys_in_text() -> None:
    assert str(PublicKey.parse(f"{PUBLIC}\n")) == str(PUBLIC)
    for bad in ("", "x", f"{PUBLIC}x", str(PUBLIC).replace("+", "+0", 1), "a+b+!!", "a+00000000+AA=="):
        with pytest.raises(ValueError):  # noqa: PT011
            PublicKey.parse(bad)


def test_notes_in_a_row_come_apart_again() -> None:
    assert split_notes(f"{NOTE}\n{NOTE}\n") == [NOTE, NOTE]
    assert split_notes("") == []


def test_seal_keys_in_text() -> None:
    key = SealKey("ab" * 16, 7, 1234, os.urandom(32))
    read = SealKey.parse(f" {key}\n")
    assert (read.ledger, read.epoch, read.seq, read.key) == (key.ledger, 7, 1234, key.key)
    text = str(key)
    for at in range(0, len(text), 7):
        wrong = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
        with pytest.raises(ValueError):  # noqa: PT011
            SealKey.parse(wrong)


def test_a_checkpoint_signs_what_is_there_and_ends_the_epoch(state: State) -> None:
    with house.opened(state) as ledger:
        assert ledger.checkpoint() is None
        fill(ledger, 300)
        made = ledger.checkpoint()
        assert made is not None
        assert (made.size, made.seq, made.segment, made.epoch) == (301, 301, 1, 0)  # one entry names the signer
        assert ledger.checkpoint() is None
        assert ledger.look().epoch == 1
        with attacker(state.audit) as con:
            leaves = [row[0] for row in con.execute("SELECT leaf FROM entry ORDER BY seq")]
        assert root_of(leaves) == made.root
    public = public_key(state.keys)
    assert public is not None
    assert opened(made.note, public).root == made.root
    assert made.origin == f"{public.name}/1"
    assert Path(state.root, "mark/checkpoints").read_text() == made.note + "\n"
    assert stat.S_IMODE(os.stat(f"{state.keys}/ledger").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(f"{state.keys}/seal").st_mode) == 0o600


def test_the_key_on_disk_is_the_present_epochs_and_no_other(state: State) -> None:
    file = KeyFile(f"{state.keys}/seal")
    with house.opened(state) as ledger:
        before = file.slots()
        for _ in range(3):
            fill(ledger, 1)
            ledger.checkpoint()
    after = file.slots()
    assert list(before) == [0]
    assert list(after) == [3]
    assert after[3][0] == evolve(before[0][0], 3)
    assert before[0][0] not in Path(file.path).read_bytes()


class Crash(BaseException):
    """A process that dies here."""


@pytest.mark.parametrize("at", ["flushed", "keyfile.settle"])
def test_a_crash_between_a_checkpoint_and_its_key_heals(state: State, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(state)
    fill(ledger, 10)

    def die(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Ledger if at == "flushed" else KeyFile, at.rpartition(".")[2], die)
        with pytest.raises(Crash):
            ledger.checkpoint()
    assert list(KeyFile(f"{state.keys}/seal").slots()) == [0]
    with house.opened(state) as other:
        assert other.look().epoch == 1
        fill(other, 10)
        assert verify(state).ok
        other.checkpoint()
    fill(ledger, 3)
    ledger.close()
    report = verify(state)
    assert report.ok
    assert (report.checkpoints, report.unsealed_tail) == (2, 3)
    assert len(split_notes(Path(state.root, "mark/checkpoints").read_text())) == 2
    assert list(KeyFile(f"{state.keys}/seal").slots()) == [2]


@pytest.mark.parametrize("at", ["before commit", "after commit"])
def test_a_crash_while_starting_a_seal_keeps_a_key_that_fits(
    state: State, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(state)
    fill(ledger, 5)
    real = Ledger.commit

    def die(self: Ledger, head: object) -> None:
        if at == "after commit":
            real(self, head)  # type: ignore[arg-type]
        raise Crash

    with signing.Signing(ledger):
        pass  # the entry that names the signer
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "commit", die)
        with pytest.raises((Crash, RuntimeError)):
            seal.start(ledger)
    assert sorted(KeyFile(f"{state.keys}/seal").slots()) == [0, 1]
    ledger.close()
    with house.opened(state) as other:
        fill(other, 5)
        assert verify(state).ok
        other.checkpoint()
        fill(other, 5)
    assert verify(state).ok
    assert len(KeyFile(f"{state.keys}/seal").slots()) == 1


def test_a_fresh_seal_does_not_follow_from_the_old_key(state: State) -> None:
    file = KeyFile(f"{state.keys}/seal")
    with house.opened(state) as ledger:
        fill(ledger, 2)
        old = file.slots()[0][0]
        told = SealKey.parse(seal.start(ledger, "person:7"))
        assert file.slots() == {1: (told.key, False)}
        assert told.key != evolve(old)
        entry = ledger.entries(after=told.seq - 1)[0]
        assert (entry.kind, entry.actor, entry.data) == ("admin", "person:7", {"verb": "seal", "epoch": 1})
        fill(ledger, 2)
    assert verify(state, seal_key=told).ok
    wrong = SealKey(told.ledger, told.epoch, told.seq, bytes(32))
    assert not verify(state, seal_key=wrong).ok or verify(state, seal_key=wrong).links == 2


def test_tampering_with_the_tail_is_not_signed(state: State) -> None:
    with house.opened(state) as ledger:
        fill(ledger, 200)
        with attacker(state.audit) as con:
            con.execute("UPDATE entry SET body = replace(body, 'echo 50', 'echo 51') WHERE seq = 50")
        with pytest.raises(LedgerError, match="entry 50") as raised:
            ledger.checkpoint()
        assert raised.value.cause == "corrupt"
        fill(ledger, 1)  # recording goes on: the writer's own links are sound
    assert verify(state).problems[0].seq == 50


def test_an_unreadable_signing_key_is_said_and_not_replaced(state: State) -> None:
    with house.opened(state) as ledger:
        fill(ledger, 2)
        ledger.checkpoint()
        Path(state.keys, "ledger").write_text("broken")
        fill(ledger, 2)
        with pytest.raises(BkError, match="signing key"):
            ledger.checkpoint()
    assert Path(state.keys, "ledger").read_text() == "broken"


def test_another_signing_key_is_named_in_the_ledger_and_by_verify(state: State) -> None:
    with house.opened(state) as ledger:
        fill(ledger, 2)
        ledger.checkpoint()
        old = public_key(state.keys)
        for name in ("ledger", "ledger.pub"):
            os.unlink(f"{state.keys}/{name}")
        fill(ledger, 2)
        ledger.checkpoint()
        said = [each for each in ledger.entries() if each.data.get("verb") == "signing key"]
    assert [each.level for each in said] == ["", "warn"]
    for key in (old, None):
        report = verify(state, key)
        assert "foreign-key" in {each.kind for each in report.problems}


def test_note_contents_without_a_key() -> None:
    assert unverified(NOTE).size == 3
    assert isinstance(unverified(NOTE), Note)
    with pytest.raises(BadNote):
        unverified("no note")
