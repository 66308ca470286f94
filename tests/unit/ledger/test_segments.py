"""Rotation, retention, recovery, power cuts and proofs: the ledger over a longer life."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.ledger import prove, recovery, seal, segment
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.mark import Mark, Record
from bk.engine.ledger.note import opened as note_opened
from bk.engine.ledger.note import public_key, split_notes
from bk.engine.ledger.schema import reader
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import archives, verify, verify_file
from bk.engine.state import State

from .house import attacker, copy_of, entry, fill, opened, put_back

# ---- rotation and retention


def test_rotation_chains_the_next_segment_to_the_closed_one(state: State) -> None:
    with opened(state) as ledger:
        assert segment.rotate(ledger) is None
        fill(ledger, 600)
        end = ledger.head()
        path = segment.rotate(ledger)
        assert path
        first = ledger.entries(after=ledger.look().first - 1, limit=1)[0]
        fill(ledger, 5)
    assert os.path.basename(path) == f"audit-{first.data['previous']['first']}-{first.data['previous']['last']}.db"
    assert (first.kind, first.data["verb"]) == ("segment", "begun")
    public = public_key(state.keys)
    assert public is not None
    note = note_opened(first.data["previous"]["note"], public)
    assert note.seq == first.seq - 1 >= end[0]
    report = verify(state)
    assert report.ok
    assert report.entries == first.seq + 5
    alone = verify_file(path, public)
    assert alone.ok
    assert alone.unsealed_tail == 0
    assert alone.last_good_checkpoint is not None
    assert alone.last_good_checkpoint.seq == first.seq - 1
    assert not os.path.exists(f"{path}-wal")


def test_a_closed_file_verifies_on_a_medium_that_cannot_be_written(state: State, tmp_path: Path) -> None:
    with opened(state) as ledger:
        fill(ledger, 20)
        path = segment.rotate(ledger)
        assert path
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    copy = shelf / "audit.db"
    copy.write_bytes(Path(path).read_bytes())
    copy.chmod(0o400)
    shelf.chmod(0o500)
    try:
        assert verify_file(str(copy), str(public_key(state.keys))).ok
        assert os.listdir(shelf) == ["audit.db"]
    finally:
        shelf.chmod(0o700)


def test_readers_and_repeated_calls_still_find_the_closed_segment(state: State) -> None:
    with opened(state) as ledger:
        ledger.append([entry(1, call="kept")])
        fill(ledger, 10)
        look = reader(state.audit)
        assert segment.rotate(ledger)
        assert look.execute("SELECT count(*) FROM entry").fetchone()[0] >= 12
        again = ledger.append([entry(9, call="kept")])[0]
        assert again.seq == ledger.entries(limit=1)[0].seq == 1
        look.close()


def test_old_entries_leave_the_live_file_one_rotation_later(state: State) -> None:
    with opened(state) as ledger:
        for _ in range(3):
            fill(ledger, 450)
            segment.rotate(ledger)
        first = ledger.entries(limit=1)[0].seq
    spans = [(a, b) for a, b, _ in archives(state.root)]
    assert first == spans[2][0]
    assert spans[0][0] == 1
    assert all(before[1] + 1 == after[0] for before, after in pairwise(spans))
    report = verify(state)
    assert report.ok
    assert report.entries == spans[-1][1] + 1
    assert report.segments == 4


def test_an_interrupted_rotation_is_finished(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(state) as ledger:
        fill(ledger, 30)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(segment, "_keep", full)
            with pytest.raises(LedgerError) as raised:
                segment.rotate(ledger)
        assert raised.value.cause == "full"
        fill(ledger, 10)  # the disk that has no room for the copy does not stop the record
        assert verify(state).ok
        assert archives(state.root) == []
        segment.finish(ledger)
        assert len(archives(state.root)) == 1
        fill(ledger, 1)
    assert verify(state).ok


def test_writers_follow_a_rotation_without_noticing(state: State) -> None:
    done: list[int] = []
    with opened(state) as ledger, opened(state) as second:

        def work(mine: Ledger) -> None:
            done.extend(mine.append([entry(number)])[0].seq for number in range(150))

        threads = [threading.Thread(target=work, args=(each,)) for each in (ledger, second)]
        for thread in threads:
            thread.start()
        for _ in range(4):
            time.sleep(0.01)
            segment.rotate(ledger)
        for thread in threads:
            thread.join()
    assert len(set(done)) == 300
    assert verify(state).ok


def test_retention_drops_whole_old_segments_and_says_so(state: State) -> None:
    with opened(state) as ledger:
        for _ in range(4):
            fill(ledger, 10)
            segment.rotate(ledger)
        key = seal.start(ledger)
        assert segment.retention(ledger, 1) == []
        later = time.time_ns() // 1_000_000 + 2 * 86_400_000
        gone = segment.retention(ledger, 1, now_ms=later)
        assert len(gone) == 3  # the newest closed one stays: its entries are still in the live file
        assert not any(os.path.exists(path) for path in gone)
        said = ledger.entries(after=ledger.head()[0] - 1)[0]
        assert (said.kind, said.data["verb"], len(said.data["segments"])) == ("segment", "dropped", 3)
        assert segment.retention(ledger, 1, now_ms=later) == []
    report = verify(state, seal_key=key)
    assert report.ok
    assert sum("dropped by retention" in note for note in report.notes) == 3


def test_a_file_that_retention_did_not_drop_is_missed(state: State) -> None:
    with opened(state) as ledger:
        for _ in range(3):
            fill(ledger, 10)
            segment.rotate(ledger)
    with attacker(state.audit) as con:
        con.execute("UPDATE segment SET state = 'dropped', by = 12 WHERE number = 1")
    os.unlink(archives(state.root)[0][2])
    problem = verify(state).problems[0]
    assert (problem.seq, problem.kind) == (1, "missing")
    with attacker(state.audit) as con:
        con.execute("DELETE FROM segment WHERE number = 1")
    problem = verify(state).problems[0]
    assert (problem.seq, problem.kind) == (1, "missing")


def test_tidying_does_what_is_due(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(state) as ledger:
        fill(ledger, 49)
        ledger.tidy(segment_entries=50, retention_days=1)
        assert archives(state.root) == []
        fill(ledger, 1)
        for _ in range(3):
            ledger.tidy(segment_entries=50, retention_days=1)
        assert len(archives(state.root)) == 1
        fill(ledger, 60)
        ledger.tidy(segment_entries=50, retention_days=1)
        fill(ledger, 60)
        ledger.tidy(segment_entries=50, retention_days=1)
        assert len(archives(state.root)) == 3
        later = time.time_ns() + 3 * 86_400_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda: later)
        ledger.tidy(segment_entries=50, retention_days=1)
        assert len(archives(state.root)) == 1
    assert verify(state).ok


# ---- recovery


def damage(state: State, how: str) -> None:
    for end in ("-wal", "-shm"):
        Path(state.audit + end).unlink(missing_ok=True)
    if how == "missing":
        os.unlink(state.audit)
    elif how == "garbage":
        Path(state.audit).write_bytes(b"not a database, but as long as one " * 400)
    elif how == "mark gone":
        os.unlink(state.mark)
    elif how == "mark garbage":
        Path(state.mark).write_bytes(b"\xff" * 70_000)
    elif how == "key gone":
        os.unlink(f"{state.keys}/seal")
    elif how == "edited":
        with attacker(state.audit) as con:
            con.execute("UPDATE entry SET body = replace(body, 'echo', 'ECHO') WHERE seq = 5")


@pytest.mark.parametrize("how", ["missing", "garbage", "mark gone", "mark garbage", "key gone", "edited"])
def test_recovery_goes_on_after_what_was_lost_and_names_it(state: State, how: str) -> None:
    with opened(state) as ledger:
        fill(ledger, 30)
        ledger.checkpoint()
        fill(ledger, 10)
        head = ledger.head()
    damage(state, how)
    if how != "edited":
        with pytest.raises(LedgerError):
            Ledger.open(state)
    assert not verify(state).ok
    held = Path(state.audit).read_bytes() if os.path.exists(state.audit) else None

    done = recovery.recover(state, actor="person:1")
    assert done is not None
    assert (done.lost, done.seq) == ((1, 41), 42)
    if held is not None:
        assert Path(done.aside[0]).read_bytes() == held
    assert recovery.recover(state) is None

    with opened(state) as ledger:
        said = ledger.entries()[0]
        assert (said.seq, said.kind, said.actor, said.level) == (42, "segment", "person:1", "warn")
        assert said.data["lost"] == {"from": 1, "to": 41}
        assert said.data["mark"]["seq"] == 41
        if how in ("missing", "garbage", "key gone", "edited"):
            assert said.data["mark"]["mac"] == head[1].hex()
        fill(ledger, 5)
        ledger.checkpoint()
        fill(ledger, 5)
        assert segment.rotate(ledger)
        fill(ledger, 1)
    report = verify(state)
    assert report.ok, report.problems
    assert any("1..41 were lost" in note for note in report.notes)


def test_recovery_after_recovery(state: State) -> None:
    for _ in range(3):
        with opened(state) as ledger:
            fill(ledger, 10)
            segment.rotate(ledger)
            fill(ledger, 10)
        damage(state, "garbage")
        assert recovery.recover(state) is not None
        time.sleep(0.002)
    report = verify(state)
    assert report.ok, report.problems
    assert sum("were lost" in note for note in report.notes) == 3
    assert len([name for name in os.listdir(state.root) if ".bad-" in name]) == 3


def test_recovery_keeps_out_while_others_write(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 5)
        with attacker(state.audit) as con:
            con.execute("UPDATE entry SET body = '{}' WHERE seq = 2")
        with pytest.raises(LedgerError) as raised:
            recovery.recover(state)
        assert raised.value.cause == "busy"
    assert recovery.recover(state) is not None


def test_a_crash_during_recovery_is_recovered_from(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(state) as ledger:
        fill(ledger, 10)
    damage(state, "garbage")
    real = os.rename

    class Crash(BaseException):
        pass

    def die(old: str, new: str) -> None:
        if old.endswith(".new"):
            raise Crash
        real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", die)
        with pytest.raises(Crash):
            recovery.recover(state)
    done = recovery.recover(state)
    assert done is not None
    assert done.cause == "missing"
    assert done.lost == (1, 10)
    assert verify(state).ok


def test_nothing_to_recover_where_nothing_was(state: State) -> None:
    with pytest.raises(LedgerError) as raised:
        recovery.recover(state)
    assert raised.value.cause == "missing"


def test_a_damaged_closed_file_is_not_a_reason_to_set_the_live_one_aside(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 10)
        path = segment.rotate(ledger)
        assert path
        fill(ledger, 10)
    with attacker(path) as con:
        con.execute("UPDATE entry SET body = '{}' WHERE seq = 4")
    with pytest.raises(BkError, match="closed segment"):
        recovery.recover(state)
    assert os.path.exists(state.audit)


# ---- power cuts

_WRITER = """
import os, sys
from bk.engine.state import State
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
ledger = Ledger.open(State(sys.argv[1], "/", int(sys.argv[2])))
for n in range(20):
    ledger.append([Entry("engine", "x", {"n": n})], sync=True)
ledger.sync()
size = os.path.getsize(ledger.state.audit + "-wal")
for n in range(10):
    ledger.append([Entry("engine", "x", {"n": n})])
print(size, flush=True)
os._exit(0)
"""


def cut(state: State, *, keep_synced: bool, other_boot: bool) -> None:
    """What a power cut leaves: the end of the -wal that was never synced is not there."""
    done = subprocess.run(
        [sys.executable, "-c", _WRITER, state.root, str(state.owner)], capture_output=True, text=True, check=True
    )
    size = int(done.stdout)
    with open(f"{state.audit}-wal", "r+b") as file:
        file.truncate(size if keep_synced else size // 2)
    os.unlink(f"{state.audit}-shm")
    if other_boot:
        mark = Mark(state.mark)
        held = mark.read()
        mark.put(
            Record(held.ledger, os.urandom(16), epoch=held.epoch, segment=held.segment, seq=held.seq, mac=held.mac)
        )
        mark.close()


def test_a_power_cut_costs_only_what_was_not_synced_and_is_told(state: State) -> None:
    cut(state, keep_synced=True, other_boot=True)
    with opened(state) as ledger:
        *kept, said = ledger.entries()
        assert [each.seq for each in kept] == list(range(1, 21))
        assert (said.seq, said.kind, said.level) == (21, "engine", "warn")
        assert said.data["detail"] == "tail lost in a power cut: seq 21..30"
        fill(ledger, 3)
    with opened(state) as ledger:
        assert ledger.head()[0] == 24
    assert verify(state).ok


@pytest.mark.parametrize(("keep_synced", "other_boot"), [(True, False), (False, True)])
def test_a_shorter_ledger_is_no_power_cut(state: State, keep_synced: bool, other_boot: bool) -> None:
    """Without a new boot, or behind what had been synced, it was put back by somebody."""
    cut(state, keep_synced=keep_synced, other_boot=other_boot)
    with pytest.raises(LedgerError) as raised:
        Ledger.open(state)
    assert raised.value.cause == "rolled-back"
    assert verify(state).problems[0].kind == "truncated"


def test_a_ledger_ahead_of_its_mark_is_a_crash_and_fine(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 5)
        kept = copy_of(state)
        fill(ledger, 5)
    put_back(kept, state, "mark/audit.mark")
    with opened(state) as ledger:
        fill(ledger, 1)
    assert verify(state).ok


# ---- proofs


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
