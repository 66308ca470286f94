"""The resident engine's part: to see that something is due, start the worker, and see it off. It fetches nothing."""

from __future__ import annotations

import os
import signal
import sys
import time

from bk.engine.catalogs import assembly, backoff, feeds
from bk.engine.catalogs.store import Store
from bk.engine.corpus import due as corpus
from bk.engine.errors import BkError
from bk.engine.intel import generations
from bk.engine.own import standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.state import State

MODULE = "bk.engine.catalogs.worker"
FIRST_S = 90.0
LOOK_S = 60.0
AGAIN_S = 300.0
LONGEST_S = 3600.0
KILL_S = 10.0


class Keeper:
    """At most one worker at a time. `turn` is called every so often, never from the thread that serves calls."""

    __slots__ = ("_began", "_looked", "_pid", "_state", "_told")

    def __init__(self, state: State, now_s: float) -> None:
        self._state = state
        self._pid = 0
        self._began = 0.0
        first = 0.0 if generations.outgrown(state) else FIRST_S  # an engine that was just started has calls to answer
        self._looked = now_s + first - LOOK_S
        self._told = False

    @property
    def running(self) -> int:
        """The worker's pid; 0 when none of ours runs."""
        return self._pid

    def turn(self, values: Mapping[str, Json], now_s: float) -> None:
        """Reap a worker that ended, end one that hangs, start one when something is due.

        Raises BkError for a worker that could not do its work at all; what a single source lacks is in the status.
        """
        if self._pid:
            self._reap(now_s)
            return
        if now_s - self._looked < LOOK_S:
            return
        self._looked = now_s
        verb = "rebuild" if generations.outgrown(self._state) else "sync" if due(self._state, values) else ""
        if not verb and corpus.due(self._state, values, time.time_ns() // 1_000_000):
            verb = "adjudicate"
        if verb:
            self._pid = spawn(self._state, ("--by", "engine", verb))
            self._began, self._told = now_s, False

    def stop(self) -> None:
        """Ask a worker that runs to end; what is in force stays in force."""
        if self._pid:
            self._signal(signal.SIGTERM)
            self._pid = 0

    def _reap(self, now_s: float) -> None:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._pid = 0
            code = os.waitstatus_to_exitcode(status)
            if code:
                self._looked = now_s + AGAIN_S - LOOK_S
            if code < 0 or code > 1:
                raise BkError("the catalog worker broke off", _ended(code), "bk catalogs sync")
            return
        if now_s - self._began > LONGEST_S + (KILL_S if self._told else 0.0):
            self._signal(signal.SIGKILL if self._told else signal.SIGTERM)
            self._told = True

    def _signal(self, number: int) -> None:
        try:
            os.kill(self._pid, number)  # ours and not yet reaped, so the number names nobody else
        except ProcessLookupError:
            return


def due(state: State, values: Mapping[str, Json]) -> bool:
    """Whether a source that is wanted and complete may be asked now, or what is in force is not what it should be."""
    if not values.get("catalog_sync.enabled"):
        return False
    now_ms = time.time_ns() // 1_000_000
    if standing.due(state, values, now_ms):
        return True
    asked = [
        source.name
        for source in feeds.sources()
        if feeds.wanted(source.name, values) and not feeds.missing(source, state, values)
    ]
    if assembly.outdated(state, values):
        return True
    if not asked:
        return False
    store = Store.read(state)
    if store is None:
        return True
    try:
        rows = store.sources()
    finally:
        store.close()
    for name in asked:
        row = rows.get(name)
        if row is None or backoff.due(row.next_ms, row.last_attempt_ms, now_ms):
            return True
    return False


def spawn(state: State, words: Sequence[str], *, module: str = MODULE, answers: int = -1) -> int:
    """Start a module with nothing of its parent's but what it needs, and a descriptor to answer on where one is given;
    its pid, for the parent to reap."""
    env = {"HOME": state.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    if not state.placed:
        env["BK_HOME"] = state.root
    quiet: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1)
    ]
    if answers >= 0:
        quiet[1] = (os.POSIX_SPAWN_DUP2, answers, 1)
    closed = [(os.POSIX_SPAWN_CLOSE, fd) for fd in _leaking()]
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-m", module, *words],
        env,
        file_actions=[*quiet, *closed],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM),
    )


def _leaking() -> list[int]:
    """Descriptors that the worker would inherit."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
        except OSError:
            continue  # the descriptor of the listing itself
    return found


def _ended(code: int) -> str:
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
