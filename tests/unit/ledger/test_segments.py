"""Rotation and retention: the ledger over a longer life."""

from __future__ import annotations

import os
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from bk.engine.ledger import seal, segment
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.note import opened as note_opened
from bk.engine.ledger.note import public_key
from bk.engine.ledger.schema import reader
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import archives, verify, verify_file
from bk.engine.state import State

from .house import attacker, entry, fill, opened


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
