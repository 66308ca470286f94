"""Recovery after damage, and what a power cut leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.ledger import recovery, segment
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.mark import Mark, Record
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.state import State

from .house import attacker, copy_of, fill, opened, put_back


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
