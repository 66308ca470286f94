"""The engine's part in keeping the side index: to see that it lags, start the process that works on it, see it off.

A look costs a comparison while nothing was recorded. Nothing waits for the index: a search reads from the ledger what
the index does not know yet.
"""

from __future__ import annotations

import os
import signal

from bk.engine.errors import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.model import Json
    from bk.engine.state import State

MODULE = "bk.engine.service.indexer"
NO_ROOM, BROKEN = 4, 5
FIRST_S = 5.0  # an engine that was just started has calls to answer
AGAIN_S = 30.0
OFF_S = 900.0
WHY = {
    NO_ROOM: ("the disk has too little room for it", "make room there"),
    BROKEN: ("it cannot be written", "remove search.db there: it is made anew"),
}
ENDED = ("the process that keeps it was ended", "look at what ended it: little memory, or somebody")


class SideIndex:
    """At most one process at a time. `turn` is called every so often, never from the thread that serves calls.

    `off` is the code of the last process while it could not work.
    """

    __slots__ = ("_due", "_pid", "_spawn", "_state", "_upto", "off")

    def __init__(self, state: State, spawn: Callable[[], int], now_s: float, *, first_s: float = FIRST_S) -> None:
        self._state = state
        self._spawn = spawn
        self._due = now_s + first_s
        self._pid = 0
        self._upto = -1
        self.off = 0

    def turn(self, seq: int, now_s: float) -> None:
        """See off what ended; start anew when whole blocks of entries up to `seq` are not taken in yet."""
        if self._pid:
            self._reap(now_s)
        if self._pid or now_s < self._due:
            return
        from bk.engine.ledger.search import known, whole_blocks

        goal = whole_blocks(seq)
        if goal and self._upto < goal:
            self._upto = known(self._state)
            if self._upto < goal:
                self._pid = self._spawn()

    def stop(self) -> None:
        """End a process that is at work: what it has committed is kept."""
        if self._pid:
            try:
                os.kill(self._pid, signal.SIGTERM)  # ours and not yet reaped, so the number names nobody else
            except ProcessLookupError:
                return
            finally:
                self._pid = 0

    def told(self) -> dict[str, Json]:
        """For the status."""
        if not self.off:
            return {"on": True}
        why, next_step = WHY.get(self.off, WHY[BROKEN]) if self.off > 0 else ENDED
        return {"on": False, "why": why, "next": next_step}

    def _reap(self, now_s: float) -> None:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._pid = 0
            code = os.waitstatus_to_exitcode(status)
            self.off = 0 if code in (OK, -signal.SIGTERM) else code
            self._due = now_s + (OFF_S if self.off else AGAIN_S)
