"""Tampering with checkpoints, keys, seals and closed files, and damage that nobody planned."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from bk.engine.ledger import seal, segment
from bk.engine.ledger.chain import evolve
from bk.engine.ledger.checkpoint import seal_of
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.note import public_key, sign
from bk.engine.ledger.schema import reader
from bk.engine.ledger.verify import verify, verify_file
from bk.engine.state import State

from .house import attacker, copy_of, fill, forged, found, good, leaf, opened, refuses


def test_resign_with_another_key(state: State, sealed: str) -> None:
    """All checkpoints signed again; the public key, offline, is the true one."""
    true = public_key(state.keys)
    mine = SigningKey.generate()
    kept = Path(state.root, "mark/checkpoints")
    with attacker(state.audit) as con:
        for seq, old in con.execute("SELECT seq, note FROM checkpoint").fetchall():
            if seq == 2:
                continue
            lines = old.rpartition("\n\n")[0].split("\n")
            words = lines[5].split()
            text = "\n".join(lines[:5]) + "\n"
            new = sign(text, int(words[1]), seal_of(bytes(32), text), mine, true.name)
            con.execute("UPDATE checkpoint SET note = ? WHERE seq = ?", (new, seq))
            kept.write_text(kept.read_text().replace(old, new))
    assert found(state) == (41, "foreign-key")
    assert good(state) == 2
    report = verify_file(state.audit, true)
    assert (report.problems[0].seq, report.problems[0].kind) == (41, "foreign-key")


def test_resign_and_replace_the_public_key(state: State, sealed: str) -> None:
    mine = SigningKey.generate()
    true = public_key(state.keys)
    kept = Path(state.root, "mark/checkpoints")
    with attacker(state.audit) as con:
        for seq, old in con.execute("SELECT seq, note FROM checkpoint").fetchall():
            lines = old.rpartition("\n\n")[0].split("\n")
            words = lines[5].split()
            text = "\n".join(lines[:5]) + "\n"
            new = sign(text, int(words[1]), seal_of(bytes(32), text), mine, true.name)
            con.execute("UPDATE checkpoint SET note = ? WHERE seq = ?", (new, seq))
            kept.write_text(kept.read_text().replace(old, new))
    fake = type(true)(true.name, bytes(mine.verify_key))
    Path(state.keys, "ledger.pub").write_text(f"{fake}\n")
    assert found(state) == (1, "foreign-key")  # entry 1 names the true one
    assert found(state, public_key=str(true))[1] == "foreign-key"
    assert (41, "unsealed") in [(p.seq, p.kind) for p in verify(state, seal_key=sealed).problems]


@pytest.mark.parametrize("part", ["text", "signature"])
def test_a_checkpoint_altered_by_hand(state: State, sealed: str, part: str) -> None:
    with attacker(state.audit) as con:
        note = con.execute("SELECT note FROM checkpoint WHERE seq = 41").fetchone()[0]
        if part == "text":
            note = note.replace("\nseq 41\n", "\nseq 42\n")
        else:
            cut = note.rindex(" ") + 20
            note = note[:cut] + ("A" if note[cut] != "A" else "B") + note[cut + 1 :]
        con.execute("UPDATE checkpoint SET note = ? WHERE seq = 41", (note,))
    assert found(state) == (41, "bad-checkpoint")
    assert good(state) == 2


def test_a_checkpoint_moved_to_another_place(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        con.execute("UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE seq = 2) WHERE seq = 41")
    assert found(state) == (41, "bad-checkpoint")


@pytest.mark.parametrize("seq", [2, 41, 81])
def test_a_checkpoint_taken_out(state: State, sealed: str, seq: int) -> None:
    with attacker(state.audit) as con:
        con.execute("DELETE FROM checkpoint WHERE seq = ?", (seq,))
    assert verify(state).problems[0].kind == "bad-checkpoint"
    assert verify_file(state.audit, public_key(state.keys)).problems[0].kind == "bad-checkpoint"


def test_the_checkpoints_on_file_deleted(state: State, sealed: str) -> None:
    os.unlink(Path(state.root, "mark/checkpoints"))
    assert found(state)[1] == "missing"


def test_a_false_seal_does_not_take_the_seal_keys_reach_away(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        text = forged(con, 57)
        con.execute("UPDATE entry SET body = ?, leaf = ? WHERE seq = 57", (text, leaf(text)))
        con.execute("INSERT INTO seal VALUES(2, 41)")
    assert (41, "edited") in [(p.seq, p.kind) for p in verify(state, seal_key=sealed).problems]


def test_the_seal_key_of_before_verifies_until_the_next_seal(state: State, sealed: str) -> None:
    with opened(state) as ledger:
        later = seal.start(ledger)
        fill(ledger, 10)
        ledger.checkpoint()
        fill(ledger, 3)
    old, new = verify(state, seal_key=sealed), verify(state, seal_key=later)
    assert old.ok
    assert new.ok
    assert old.links == 101 + 3  # everything it reaches, and what the present key links
    assert new.links == 13


def test_what_the_state_keeps_cannot_redo_the_past(state: State, sealed: str) -> None:
    """A thief of the whole directory holds no key that verifies, or could forge, a link of an earlier epoch."""
    held = seal.SealKey.parse(sealed)
    epochs = [evolve(held.key, steps) for steps in range(3)]
    everything = b"".join(path.read_bytes() for path in Path(state.root).rglob("*") if path.is_file())
    assert epochs[2] in everything
    assert epochs[0] not in everything
    assert epochs[1] not in everything
    assert held.key.hex().encode() not in everything


def test_an_unsigned_tail_forged_with_the_present_key_is_the_limit(state: State, sealed: str) -> None:
    """Stated, not hidden: who takes the present key can rewrite what is not signed yet, and nothing before."""
    with attacker(state.audit) as con:
        text = forged(con, 102)
        con.execute("UPDATE entry SET body = ?, leaf = ? WHERE seq = 102", (text, leaf(text)))
    assert found(state) == (102, "edited")
    assert verify_file(state.audit, public_key(state.keys)).unsealed_tail == 21


def test_a_database_of_another_installation(state: State, sealed: str, tmp_path: Path) -> None:
    other = State(str(tmp_path / "other"), str(tmp_path), os.geteuid())
    other.ensure()
    with opened(other) as ledger:
        fill(ledger, 300)
        ledger.checkpoint()
    shutil.copy2(other.audit, state.audit)
    assert refuses(state) == "corrupt"
    assert not verify(state).ok


@pytest.mark.parametrize("where", ["archive gone", "archive edited", "archive of another history"])
def test_closed_segments_are_part_of_the_ledger(state: State, sealed: str, where: str) -> None:
    kept = copy_of(state)
    with opened(state) as ledger:
        for _ in range(3):
            path = segment.rotate(ledger)
            assert path
            fill(ledger, 20)
    first = f"{state.root}/audit-1-102.db"
    assert verify(state, seal_key=sealed).ok
    if where == "archive gone":
        os.unlink(first)
        assert found(state) == (1, "missing")
    elif where == "archive edited":
        with attacker(first) as con:
            con.execute("UPDATE entry SET body = ? WHERE seq = 77", (forged(con, 77),))
        assert found(state) == (77, "edited")
        assert good(state) == 41
    else:
        twin = State(str(kept), state.home, state.owner)
        with opened(twin) as ledger:
            fill(ledger, 1)
            made = segment.rotate(ledger)
        assert made
        shutil.copy2(made, first)
        assert not verify(state).ok


def test_no_flipped_bit_of_the_file_passes_for_the_truth(state: State, sealed: str, tmp_path: Path) -> None:
    """Wherever the damage is, the answer is a report or a plain refusal, and whatever passes is what was written."""

    def contents(path: Path) -> list[tuple[object, ...]]:
        with closing(reader(str(path))) as con:
            return con.execute("SELECT seq, CAST(body AS BLOB), leaf FROM entry ORDER BY seq").fetchall()

    with opened(state) as ledger:
        ledger.checkpoint()
        path = segment.rotate(ledger)
    assert path
    raw, true, public = Path(path).read_bytes(), contents(Path(path)), public_key(state.keys)
    chance = random.Random(3)
    copy = tmp_path / "copy.db"
    caught = 0
    for _ in range(400):
        at = chance.randrange(len(raw))
        copy.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :])
        try:
            report = verify_file(str(copy), public)
        except LedgerError:
            caught += 1
            continue
        if report.ok:
            assert contents(copy) == true
        else:
            caught += 1
    assert caught > 100  # the rest fell on free space, on links and on indexes


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE head",
        "DELETE FROM head",
        "DELETE FROM meta",
        "DROP TABLE checkpoint",
        "DROP TABLE seal",
        "DROP TABLE entry; CREATE TABLE entry(seq, body, leaf, mac); INSERT INTO entry VALUES(1, NULL, 'x', 3)",
        "DROP TABLE head; CREATE TABLE head(seq, mac, epoch, segment); INSERT INTO head VALUES('a','b','c','d')",
        "UPDATE meta SET value = 'x' WHERE key LIKE 'signer%'",
        "DROP TABLE segment; CREATE TABLE segment(number, first, last, before, epoch, state, by); "
        "INSERT INTO segment VALUES('a', NULL, 'b', 7, NULL, 'open', 'c')",
        "UPDATE segment SET first = 9223372036854775807",
        "UPDATE checkpoint SET note = char(10) || char(10)",
        "DELETE FROM segment",
    ],
)
def test_a_database_of_another_form_is_reported_not_stumbled_over(state: State, sealed: str, sql: str) -> None:
    with attacker(state.audit) as con:
        con.executescript(sql)
    assert not verify(state).ok
    assert not verify_file(state.audit, public_key(state.keys)).ok
