"""Every way to tamper with the ledger, as real edits of real files: where it is noticed, and what it is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3
from nacl.signing import SigningKey

from bk.engine.ledger.checkpoint import seal_of
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.merkle import root_of
from bk.engine.ledger.note import body as note_body
from bk.engine.ledger.note import public_key, sign
from bk.engine.ledger.verify import verify, verify_file
from bk.engine.state import State

from .house import attacker, body_at, copy_of, fill, forged, found, good, leaf, opened, put_back, refuses


@pytest.mark.parametrize(("seq", "holds"), [(1, 0), (30, 2), (41, 2), (42, 41), (81, 41), (82, 81), (101, 81)])
def test_edit(state: State, sealed: str, seq: int, holds: int) -> None:
    with attacker(state.audit) as con:
        con.execute("UPDATE entry SET body = ? WHERE seq = ?", (forged(con, seq), seq))
    assert found(state) == (seq, "edited")
    assert good(state) == holds
    assert verify_file(state.audit, public_key(state.keys)).problems[0].seq == seq


def test_edit_by_one_bit_of_one_byte_of_the_file(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        needle = body_at(con, 57).encode()[-60:]
    raw = Path(state.audit).read_bytes()
    at = raw.index(needle) + 12
    Path(state.audit).write_bytes(raw[:at] + bytes([raw[at] ^ 2]) + raw[at + 1 :])
    assert found(state) == (57, "edited")
    assert good(state) == 41


def test_edit_with_the_leaf_redone_is_caught_by_the_signed_root(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        text = forged(con, 57)
        con.execute("UPDATE entry SET body = ?, leaf = ? WHERE seq = 57", (text, leaf(text)))
    report = verify(state)
    assert (report.problems[0].seq, report.problems[0].kind) == (42, "edited")
    assert "42..81" in report.problems[0].detail
    assert good(state) == 41
    assert found(state, seal_key=sealed) == (57, "edited")  # the seal key names the very entry
    assert not verify_file(state.audit, public_key(state.keys)).ok


def test_edit_with_everything_redone_under_another_key(state: State, sealed: str) -> None:
    """Leaves, links, tree, roots and seals recomputed, and every checkpoint from there signed with a stolen key."""
    stolen = SigningKey(Path(state.keys, "ledger").read_bytes(), encoder=_Base64)
    name = public_key(state.keys).name
    fake = bytes(32)
    with attacker(state.audit) as con:
        text = forged(con, 57)
        con.execute("UPDATE entry SET body = ?, leaf = ? WHERE seq = 57", (text, leaf(text)))
        mac = con.execute("SELECT mac FROM entry WHERE seq = 56").fetchone()[0]
        for seq, hashed in con.execute("SELECT seq, leaf FROM entry WHERE seq BETWEEN 57 AND 81").fetchall():
            mac = blake3(mac + hashed, key=fake).digest()
            con.execute("UPDATE entry SET mac = ? WHERE seq = ?", (mac, seq))
        leaves = [row[0] for row in con.execute("SELECT leaf FROM entry WHERE seq <= 81 ORDER BY seq")]
        epoch, old = con.execute("SELECT epoch, note FROM checkpoint WHERE seq = 81").fetchone()
        at = int(old.splitlines()[3].split()[1])
        lines = note_body(f"{name}/1", 81, root_of(leaves), at=at, seq=81)
        new = sign(lines, epoch, seal_of(fake, lines), stolen, name)
        con.execute("UPDATE checkpoint SET note = ? WHERE seq = 81", (new,))
    kept = Path(state.root, "mark/checkpoints")
    kept.write_text(kept.read_text().replace(old, new))
    report = verify(state, seal_key=sealed)
    assert (report.problems[0].seq, report.problems[0].kind) == (57, "edited")
    assert (81, "unsealed") in [(each.seq, each.kind) for each in report.problems]
    assert report.last_good_checkpoint is not None
    assert report.last_good_checkpoint.seq == 41
    assert found(state) == (57, "edited")  # without it, the mark's memory of the links still tells


class _Base64:
    @staticmethod
    def decode(data: bytes) -> bytes:
        import base64

        return base64.b64decode(data)


def test_delete(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        con.execute("DELETE FROM entry WHERE seq BETWEEN 50 AND 52")
    report = verify(state)
    assert (report.problems[0].seq, report.problems[0].last, report.problems[0].kind) == (50, 52, "deleted")
    assert good(state) == 41


@pytest.mark.parametrize("last", [41, 60])
def test_delete_up_to_a_checkpoint(state: State, sealed: str, last: int) -> None:
    with attacker(state.audit) as con:
        con.execute("DELETE FROM entry WHERE seq BETWEEN 35 AND ?", (last,))
    assert found(state) == (35, "deleted")
    assert good(state) == 2


def test_delete_and_renumber(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        con.execute("DELETE FROM entry WHERE seq = 50")
        for seq in range(51, 103):
            con.execute("UPDATE entry SET seq = ? WHERE seq = ?", (seq - 1, seq))
        con.execute("UPDATE head SET seq = 101")
    assert found(state) == (50, "deleted")
    assert good(state) == 41


def test_insert_behind_the_end(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        text = forged(con, 102, seq=103, call="forged")
        con.execute("INSERT INTO entry(seq, body, leaf, mac) VALUES(103, ?, ?, ?)", (text, leaf(text), bytes(32)))
    assert found(state) == (103, "inserted")
    assert good(state) == 81
    assert refuses(state) == "corrupt"


def test_insert_behind_the_end_and_move_the_head(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        text = forged(con, 102, seq=103, call="forged")
        con.execute("INSERT INTO entry(seq, body, leaf, mac) VALUES(103, ?, ?, ?)", (text, leaf(text), bytes(32)))
        con.execute("UPDATE head SET seq = 103, mac = ?", (bytes(32),))
    assert found(state) == (103, "inserted")
    with opened(state) as ledger, pytest.raises(LedgerError) as raised:
        ledger.checkpoint()  # what is not linked is never signed
    assert raised.value.cause == "corrupt"


@pytest.mark.parametrize("says", ["its own number", "the number it pushes away", "nonsense"])
def test_insert_in_the_middle(state: State, sealed: str, says: str) -> None:
    number = {"its own number": 50, "the number it pushes away": 50, "nonsense": 7_000_000}[says]
    with attacker(state.audit) as con:
        text = forged(con, 50, seq=number, call="forged")
        mac = con.execute("SELECT mac FROM entry WHERE seq = 50").fetchone()[0]
        for seq in range(102, 49, -1):
            con.execute("UPDATE entry SET seq = ? WHERE seq = ?", (seq + 1, seq))
        con.execute("INSERT INTO entry(seq, body, leaf, mac) VALUES(50, ?, ?, ?)", (text, leaf(text), mac))
        con.execute("UPDATE head SET seq = 103")
    for keys in ({}, {"seal_key": sealed}):
        assert found(state, **keys) == (50, "inserted")
        assert good(state, **keys) == 41


def test_insert_before_the_beginning(state: State, sealed: str) -> None:
    with attacker(state.audit) as con:
        text = forged(con, 50, seq=0, call="forged")
        con.execute("INSERT INTO entry(seq, body, leaf, mac) VALUES(0, ?, ?, ?)", (text, leaf(text), bytes(32)))
    assert found(state) == (0, "inserted")


@pytest.mark.parametrize(("one", "two"), [(44, 45), (44, 70), (30, 60), (83, 90)])
def test_reorder(state: State, sealed: str, one: int, two: int) -> None:
    with attacker(state.audit) as con:
        con.execute("UPDATE entry SET seq = -1 WHERE seq = ?", (one,))
        con.execute("UPDATE entry SET seq = ? WHERE seq = ?", (one, two))
        con.execute("UPDATE entry SET seq = ? WHERE seq = -1", (two,))
    assert found(state) == (one, "reordered")
    assert found(state, seal_key=sealed) == (one, "reordered")
    assert good(state) == max(seq for seq in (0, 2, 41, 81) if seq < one)


@pytest.mark.parametrize("last", [101, 90, 81, 60, 41, 1])
def test_truncate_the_tail(state: State, sealed: str, last: int) -> None:
    with attacker(state.audit) as con:
        con.execute("DELETE FROM entry WHERE seq > ?", (last,))
    assert found(state) == (last + 1, "truncated")
    assert good(state) == max(seq for seq in (0, 2, 41, 81) if seq <= last)
    assert refuses(state) == "rolled-back"
    assert verify_file(state.audit, public_key(state.keys)).problems[0].kind == "truncated"


@pytest.mark.parametrize(("last", "kind"), [(101, "truncated"), (82, "truncated"), (60, "truncated")])
def test_truncate_the_tail_and_set_the_head_back(state: State, sealed: str, last: int, kind: str) -> None:
    with attacker(state.audit) as con:
        con.execute("DELETE FROM entry WHERE seq > ?", (last,))
        con.execute("UPDATE head SET seq = ?, mac = (SELECT mac FROM entry WHERE seq = ?)", (last, last))
    assert found(state) == (last + 1, kind)
    assert refuses(state) == "rolled-back"


def test_truncate_with_the_checkpoints_too(state: State, sealed: str) -> None:
    """What is left is exactly the ledger of an earlier moment, and so it is called."""
    with attacker(state.audit) as con:
        con.execute("DELETE FROM entry WHERE seq > 60")
        con.execute("DELETE FROM checkpoint WHERE seq > 60")
        con.execute("UPDATE head SET seq = 60, epoch = 2, mac = (SELECT mac FROM entry WHERE seq = 60)")
    assert found(state) == (61, "rolled-back")
    assert good(state) == 41
    assert refuses(state) == "rolled-back"


def test_delete_the_file(state: State, sealed: str) -> None:
    for end in ("", "-wal", "-shm"):
        Path(state.audit + end).unlink(missing_ok=True)
    assert found(state) == (1, "missing")
    assert refuses(state) == "missing"


def test_delete_the_file_and_the_mark(state: State, sealed: str) -> None:
    for path in (state.audit, state.mark):
        for end in ("", "-wal", "-shm"):
            Path(path + end).unlink(missing_ok=True)
    assert found(state)[1] == "missing"
    assert refuses(state) == "missing"
    assert refuses(state) == "missing"  # trying did not begin a new one


def test_delete_the_mark_alone(state: State, sealed: str) -> None:
    os.unlink(state.mark)
    assert found(state) == (103, "missing")  # how far the ledger had come cannot be known
    assert refuses(state) == "missing"


def test_empty_the_file(state: State, sealed: str) -> None:
    for end in ("-wal", "-shm"):
        Path(state.audit + end).unlink(missing_ok=True)
    Path(state.audit).write_bytes(b"")
    assert found(state)[1] == "corrupt"
    assert refuses(state) == "corrupt"


@pytest.mark.parametrize("signed_since", [False, True])
def test_restore_yesterdays_copy(state: State, sealed: str, signed_since: bool) -> None:
    kept = copy_of(state)
    with opened(state) as ledger:
        fill(ledger, 30)
        if signed_since:
            ledger.checkpoint()
        fill(ledger, 5)
    put_back(kept, state, "audit.db")
    assert found(state) == (103, "rolled-back" if signed_since else "truncated")
    assert good(state) == 81
    assert refuses(state) == "rolled-back"


def test_restore_yesterdays_copy_and_mark(state: State, sealed: str) -> None:
    """The key has evolved since and cannot go back."""
    kept = copy_of(state)
    with opened(state) as ledger:
        fill(ledger, 30)
        ledger.checkpoint()
    put_back(kept, state, "audit.db", "mark/audit.mark")
    assert found(state) == (103, "rolled-back")
    assert refuses(state) == "rolled-back"


def test_restore_all_but_the_checkpoints_on_file(state: State, sealed: str) -> None:
    kept = copy_of(state)
    with opened(state) as ledger:
        fill(ledger, 30)
        ledger.checkpoint()
    put_back(kept, state, "audit.db", "mark/audit.mark", "keys/seal")
    assert found(state) == (103, "rolled-back")
    assert good(state) == 81


@pytest.mark.parametrize("longer", [0, 4, 40])
def test_fork_by_two_writers(state: State, sealed: str, longer: int) -> None:
    """Two copies of the installation go on separately; then one's database takes the other's place."""
    kept = copy_of(state)
    with opened(state) as ledger:
        fill(ledger, 10)
    twin = State(str(kept), state.home, state.owner)
    with opened(twin) as ledger:
        fill(ledger, 10 + longer)
    put_back(kept, state, "audit.db")
    assert found(state) == (103, "forked")
    assert good(state) == 81
    assert refuses(state) == "rolled-back"


def test_fork_that_both_sides_signed(state: State, sealed: str) -> None:
    kept = copy_of(state)
    for where in (state, State(str(kept), state.home, state.owner)):
        with opened(where) as ledger:
            fill(ledger, 10)
            ledger.checkpoint()
    put_back(kept, state, "audit.db", "mark/audit.mark", "keys/seal")
    seq, kind = found(state)
    assert (seq, kind) == (112, "forked")
    assert good(state) == 81
