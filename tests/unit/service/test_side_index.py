"""The side index is kept by a process of its own: bounded, killable, and off with a reason where there is no room."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from bk.engine.catalogs.due import spawn
from bk.engine.console.engine import unindexed
from bk.engine.ledger.search import Index, known, path_of, whole_blocks
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.service.indexer import index
from bk.engine.service.side_index import AGAIN_S, MODULE, NO_ROOM, OFF_S, SideIndex
from bk.engine.state import State

PATIENCE_S = 60.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Keeping:
    """A side index in an engine's place: a clock of the test's own, real processes."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.now = 100.0
        self.pids: list[int] = []
        self.side = SideIndex(state, self._spawn, self.now, first_s=0.0)

    def _spawn(self) -> int:
        self.pids.append(spawn(self.state, (), module=MODULE))
        return self.pids[-1]

    def turn(self, *, later: float = 0.0) -> None:
        self.now += later
        self.side.turn(head(self.state), self.now)

    def ended(self) -> None:
        """Wait until what was started is seen off."""
        until = time.monotonic() + PATIENCE_S
        os.waitid(os.P_PID, self.pids[-1], os.WEXITED | os.WNOWAIT)
        while self.side._pid and time.monotonic() < until:
            self.turn()
        assert not self.side._pid


def write(state: State, count: int) -> None:
    state.ensure()
    ledger = Ledger.open(state)
    try:
        data = {"harness": "h", "tool": "Bash", "input": {"command": "git log --oneline -n 12 " * 8}}
        ledger.append([Entry("decision", "hook:h", {**data, "n": n}, level="allow") for n in range(count)])
    finally:
        ledger.close()


def head(state: State) -> int:
    ledger = Ledger.open(state)
    try:
        return ledger.head()[0]
    finally:
        ledger.close()


def test_what_is_recorded_is_taken_in_and_nothing_is_started_for_less_than_a_block(state: State) -> None:
    write(state, 1_000)
    keeping = Keeping(state)
    keeping.turn()
    keeping.ended()
    assert known(state) == whole_blocks(head(state)) >= 896
    assert keeping.side.told() == {"on": True}
    keeping.turn(later=AGAIN_S)
    write(state, 20)
    keeping.turn(later=AGAIN_S)
    assert len(keeping.pids) == 1, "there is nothing to take in"
    write(state, 300)
    keeping.turn(later=AGAIN_S)
    keeping.ended()
    assert len(keeping.pids) == 2
    assert known(state) == whole_blocks(head(state))


def test_a_slice_ends_when_its_time_is_over_and_one_that_is_killed_is_gone_on_with(state: State) -> None:
    write(state, 4_500)
    assert index(state, room=0, seconds=0.0) == 0
    assert known(state) == 0, "no time, nothing taken in"
    reader = os.fork()
    if reader == 0:
        from bk.engine.ledger import search

        search.extend(state, tell=lambda _done, _all: os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    _, how = os.waitpid(reader, 0)
    assert os.WTERMSIG(how) == signal.SIGKILL
    there = Index.open(state)
    assert there is not None, "what was committed before it was killed is kept"
    assert 0 < there.upto < head(state)
    there.close()
    keeping = Keeping(state)
    keeping.turn()
    os.kill(keeping.pids[-1], signal.SIGKILL)
    keeping.ended()
    assert keeping.side.told()["on"] is False
    keeping.turn(later=OFF_S)
    keeping.ended()
    assert known(state) == whole_blocks(head(state))
    assert keeping.side.told() == {"on": True}


def test_a_process_that_is_at_it_ends_with_the_engine(state: State) -> None:
    write(state, 300)
    keeping = Keeping(state)
    keeping.turn()
    keeping.side.stop()
    pid, _ = os.waitpid(keeping.pids[-1], 0)
    assert pid == keeping.pids[-1]
    keeping.side.stop()
    assert index(state, room=0) == 0


@needs_root
def test_without_room_it_is_off_and_health_says_so_until_there_is_some(small: Path) -> None:
    state = State(f"{small}/.bk", str(small), os.geteuid())
    write(state, 1_000)
    keeping = Keeping(state)
    keeping.turn()
    keeping.ended()
    assert keeping.side.off == NO_ROOM
    assert not os.path.exists(path_of(state)), "what room there is belongs to the ledger"
    said = {"side_index": keeping.side.told()}
    assert unindexed(said) == ("the disk has too little room for it", "make room there")
    (small / "filler").write_bytes(bytes(os.statvfs(small).f_bavail * 4096 - 40_000))
    assert index(state, room=0) == NO_ROOM, "a disk that fills up while it works"
    (small / "filler").unlink()
    write(state, 10)
    assert index(state, room=0) == 0
    assert known(state) == whole_blocks(head(state))
    keeping.turn(later=AGAIN_S)
    assert len(keeping.pids) == 1, "it is not tried again at once"
