"""Checking things as they land: one thread that sleeps on the kernel's news and has a short process look at them.

Nothing is read and nothing is judged in the engine. What lands is collected until it has been quiet for `QUIET_S`, at
most for `LONGEST_S`; then one process checks all of it. What is not whole yet, or could not be checked, comes again.
"""

from __future__ import annotations

import _thread
import os
import select
import time

from bk.engine.responder.backlog import FAILED_S, Backlog
from bk.engine.responder.checker import Checker
from bk.engine.responder.eyes import PLAN, Eyes, Spot, Target
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bk.engine.model import Json
    from bk.engine.responder.checker import Spawn
    from bk.engine.responder.inotify import Inotify
    from bk.engine.state import State

    Kernel = Callable[[], Inotify]

MODULE = "bk.engine.responder.landed"
QUIET_S = 0.5
LONGEST_S = 5.0
START_S = 2.0  # an engine that was just started has calls to answer
TICK_S = 5.0
POLL_S = 2.0
DEAF_S = 0.25  # news that matter to nobody must not wake anybody more often
PLAN_S = 1800.0
PLAN_GAP_S = 10.0
FOLLOW_S = 20.0  # an environment that is just being made has its folder of packages a little later
STOP_S = 3.0
LOOK_S = 60.0


class Watch:
    """The watch of one engine. `keep` and `stop` are called from the thread that serves; `keep` never waits."""

    __slots__ = (
        "_clock", "_ended", "_kernel", "_replan", "_running", "_spawn", "_start_s", "_state", "_stopping", "_told",
        "_values", "_wake", "trouble",
    )  # fmt: skip

    def __init__(
        self,
        state: State,
        spawn: Spawn,
        *,
        clock: Callable[[], float] = time.monotonic,
        kernel: Kernel | None = None,
        start_s: float = START_S,
    ) -> None:
        self._state = state
        self._spawn = spawn
        self._clock = clock
        self._kernel = kernel
        self._start_s = start_s
        self._values: Mapping[str, Json] | None = None
        self._ended = _thread.allocate_lock()
        self._running = self._stopping = self._replan = False
        self._wake = (-1, -1)
        self._told: dict[str, Json] = {}
        self.trouble = ""

    def keep(self, values: Mapping[str, Json]) -> None:
        """Begin, end or plan anew, as the settings now say; one that broke off begins anew."""
        if self._running and not self._ended.locked():
            self._closed()
        wanted = values.get("watch.enabled") is True
        if wanted and not self._running:
            self._begin()
        elif self._running and not wanted:
            self.stop()
        elif self._running and values is not self._values:
            self._replan = True
            self._nudge()
        self._values = values

    def stop(self) -> None:
        """End the thread and the process that it may have at work, and let go of everything."""
        if not self._running:
            return
        self._stopping = True
        self._nudge()
        if self._ended.acquire(timeout=STOP_S):
            self._ended.release()
            self._closed()
        self.trouble = ""

    def told(self) -> dict[str, Json]:
        """For the status: how many places are watched, and how."""
        return dict(self._told) if self._running else {"on": False, "places": 0}

    def _begin(self) -> None:
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping, self._replan, self._running = False, False, True
        self._told = {"on": True, "places": 0}
        self._ended.acquire()
        _thread.start_new_thread(self._run, ())

    def _nudge(self) -> None:
        try:
            os.write(self._wake[1], b"!")
        except BlockingIOError:
            return  # it will wake up anyway

    def _closed(self) -> None:
        self._running = False
        for fd in self._wake:
            os.close(fd)

    def _run(self) -> None:
        eyes = Eyes(self._kernel) if self._kernel is not None else Eyes()
        checker = Checker(self._spawn)
        try:
            self._rounds(_Rounds(self._state, eyes, checker, self._clock() + self._start_s))
        except Exception as error:  # noqa: BLE001 - told in the status; the next `keep` begins anew
            self.trouble = f"the watch broke off: {inert(f'{type(error).__name__}: {error}', 200)}"
        finally:
            checker.stop()
            eyes.close()
            self._ended.release()

    def _rounds(self, rounds: _Rounds) -> None:
        news = False
        while not self._stopping:
            if self._replan:
                self._replan = False
                rounds.plan_soon(self._clock())
            rounds.turn(self._clock(), news=news)
            self._told, self.trouble = rounds.told(), rounds.trouble
            ready = select.poll()
            for fd in (self._wake[0], *rounds.listens(self._clock())):
                ready.register(fd, select.POLLIN)
            awake = {fd for fd, _ in ready.poll(rounds.wait(self._clock()) * 1000)}
            news = rounds.kernel in awake
            if self._wake[0] in awake:
                os.read(self._wake[0], 4096)


class _Rounds:
    """What the thread does between two sleeps; it owns the eyes, the backlog and the checker."""

    __slots__ = (
        "_backlog", "_checker", "_checks", "_deaf", "_eyes", "_first", "_follow", "_heard", "_left_out", "_plan_at",
        "_planned", "_planning", "_quiet", "_since", "_tick", "trouble",
    )  # fmt: skip

    def __init__(self, state: State, eyes: Eyes, checker: Checker, start: float) -> None:
        self._eyes = eyes
        self._checker = checker
        self._backlog = Backlog()
        self._heard: dict[Target, None] = {}
        self._first = self._quiet = self._deaf = 0.0
        self._plan_at = self._tick = start
        self._planned = start - PLAN_GAP_S
        self._planning = self._follow = False
        self._since = _looked(state)
        self._checks = self._left_out = 0
        self.trouble = ""

    def told(self) -> dict[str, Json]:
        """For the status."""
        eyes = self._eyes
        said: dict[str, Json] = {"on": True, "places": eyes.watched, "checks": self._checks}
        if eyes.polled:
            said |= {"polled": eyes.polled, "why": eyes.why}
        if self._left_out:
            said["left_out"] = self._left_out
        return said

    def plan_soon(self, now: float) -> None:
        """What is to be watched may have changed."""
        self._follow = True
        self._plan_at = min(self._plan_at, max(now, self._planned + PLAN_GAP_S))

    @property
    def kernel(self) -> int:
        """The descriptor of the kernel's news; -1 where there is none."""
        return self._eyes.fd

    def turn(self, now: float, *, news: bool) -> None:
        """Hear, collect, ask: whatever is due. `news` is whether the kernel has some."""
        if self._checker.busy:
            answer = self._checker.hear(now)
            if answer is not None:
                self._answered(answer, now)
        if now >= self._tick:
            self._tick = now + (POLL_S if self._eyes.polled else TICK_S)
            self._collect(self._eyes.turn(), now)
        if news and not self._heard:
            self._collect(self._eyes.read(), now)
            self._deaf = now + DEAF_S
        if self._heard and now >= min(self._quiet, self._first + LONGEST_S):
            more = self._eyes.read()
            self._collect(more, now)
            if not more or now >= self._first + LONGEST_S:
                self._backlog.add(self._heard, now)
                self._heard = {}
        if not self._checker.busy:
            self._ask(now)

    def listens(self, now: float) -> list[int]:
        """The descriptors that may wake it. While something is being collected the kernel's news can wait."""
        fds = [self._checker.fd] if self._checker.busy else []
        return [*fds, self._eyes.fd] if self._eyes.fd >= 0 and not self._heard and now >= self._deaf else fds

    def wait(self, now: float) -> float:
        """Seconds until something is due."""
        waits = [self._tick - now]
        if self._heard:
            waits.append(min(self._quiet, self._first + LONGEST_S) - now)
        elif self._deaf > now:
            waits.append(self._deaf - now)
        if not self._checker.busy:
            backlog = self._backlog.wait(now)
            waits += [self._plan_at - now, *([] if backlog is None else [backlog])]
        return max(0.0, min(waits)) + 0.001  # never just before it is due

    def _collect(self, targets: Iterable[Target], now: float) -> None:
        for target in targets:
            if target.kind == PLAN:
                self.plan_soon(now)
                continue
            if not self._heard:
                self._first = now
            self._heard[target] = None
            self._quiet = now + QUIET_S

    def _ask(self, now: float) -> None:
        if now >= self._plan_at:
            self._plan_at = now + (FOLLOW_S if self._follow else PLAN_S)
            self._planned, self._planning, self._follow = now, True, False
            self._checker.places(now)
            return
        asked = self._backlog.due(now)
        if asked:
            self._planning = False
            self._checks += 1
            self._checker.check(asked, now)

    def _answered(self, answer: Mapping[str, Json], now: float) -> None:
        problem = str(answer.get("problem") or "")
        if self._planning:
            self.trouble = f"it is not known where to look: {inert(problem, 300)}" if problem else ""
            if problem:
                self._plan_at = now + FAILED_S
                return
            self._left_out = int(answer["left_out"])
            spots = [Spot(*row) for row in answer["spots"]]
            landed, self._since = self._eyes.look_at(spots, self._since), time.time()
            self._collect([target for target in landed if target.kind != PLAN], now)
            return
        self.trouble = f"what landed could not be checked: {inert(problem, 300)}" if problem else ""
        asked = self._checker.asked
        if problem:
            for target, waiting in asked.items():
                self._backlog.failed(target, waiting, now)
            return
        tried = {target.path: waiting.tries for target, waiting in asked.items()}
        for row in answer["again"]:
            target = Target(*row)
            self._backlog.again(target, now, tried.get(target.path, tried.get(target.root, 0)) + 1)


def _looked(state: State) -> float:
    """When the inventory last looked: what changed since then, or while it looked, has landed unseen."""
    try:
        return min(time.time(), os.stat(f"{state.root}/inventory.db").st_mtime - LOOK_S)
    except OSError:
        return time.time()
