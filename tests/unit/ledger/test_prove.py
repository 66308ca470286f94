"""Proofs about entries and about growth, made from real databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.ledger import prove, segment
from bk.engine.ledger.note import public_key, split_notes
from bk.engine.ledger.verify import verify
from bk.engine.state import State

from .house import attacker, fill, opened


@pytest.fixture
def proven(state: State) -> State:
    with opened(state) as ledger:
        for count in (3, 250, 700, 90):
            fill(ledger, count)
            ledger.checkpoint()
        segment.rotate(ledger)
        for count in (300, 513):
            fill(ledger, count)
            ledger.checkpoint()
        fill(ledger, 2)
    return state


def test_every_signed_entry_can_be_proved(proven: State) -> None:
    public = public_key(proven.keys)
    assert public is not None
    last = verify(proven).last_good_checkpoint
    assert last is not None
    for seq in [*range(1, last.seq, 41), 255, 256, 257, 512, 513, 1044, 1045, 1046, last.seq]:
        proof = json.loads(json.dumps(prove.prove(proven, seq)))
        assert prove.check(proof, public).seq == seq
    with pytest.raises(BkError, match="no checkpoint covers"):
        prove.prove(proven, last.seq + 1)
    with pytest.raises(BkError, match="no such entry"):
        prove.prove(proven, 10**6)


def test_an_altered_proof_is_refused(proven: State) -> None:
    public = public_key(proven.keys)
    assert public is not None
    proof = prove.prove(proven, 700)
    other = prove.prove(proven, 701)
    changes = [
        {"body": proof["body"].replace("echo", "ECHO")},
        {"body": other["body"], "seq": 701},
        {"index": proof["index"] + 1},
        {"seq": 701},
        {"path": proof["path"][:-1]},
        {"path": [*proof["path"], "00" * 32]},
        {"checkpoint": proof["checkpoint"].replace("\nseq ", "\nseq 1")},
        {"checkpoint": 7},
        {"path": None},
        {"body": "{}"},
        *({"path": [*proof["path"][:i], "00" * 32, *proof["path"][i + 1 :]]} for i in range(len(proof["path"]))),
    ]
    for change in changes:
        with pytest.raises(BkError, match="proof"):
            prove.check({**proof, **change}, public)
    with pytest.raises(BkError, match="proof"):
        prove.check({}, public)


def test_growth_between_all_checkpoints_of_a_segment(proven: State) -> None:
    public = public_key(proven.keys)
    assert public is not None
    notes = split_notes(Path(proven.root, "mark/checkpoints").read_text())
    pairs = 0
    for at, old in enumerate(notes):
        for new in notes[at:]:
            if old.splitlines()[0] != new.splitlines()[0]:
                with pytest.raises(BkError, match="one segment"):
                    prove.prove_growth(proven, old, new)
                continue
            proof = prove.prove_growth(proven, old, new)
            sizes = prove.check_growth(proof, public)
            assert sizes == (int(old.splitlines()[1]), int(new.splitlines()[1]))
            if proof["path"]:
                with pytest.raises(BkError, match="does not begin"):
                    prove.check_growth({**proof, "path": ["00" * 32, *proof["path"][1:]]}, public)
            pairs += 1
    assert pairs >= 10


def test_a_proof_from_a_database_with_gaps_is_not_made_up(proven: State) -> None:
    with attacker(proven.audit) as con:
        first = con.execute("SELECT first FROM head").fetchone()[0]
        con.execute("DELETE FROM entry WHERE seq = ?", (first + 301,))
    with pytest.raises(BkError, match="gone"):
        prove.prove(proven, first + 300)
