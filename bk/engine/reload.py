"""Keeping the resident engine's World current: config, rules and index are swapped as one, or not at all."""

from __future__ import annotations

import time

from bk.engine.config.files import racy, stamp
from bk.engine.config.policy import SYSTEM
from bk.engine.config.snapshot import local_of
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.own.standing import CAUSE, NEVER, UNKEYED, watched
from bk.engine.rulebook.places import folders, look
from bk.engine.world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

QUIET_NS = 50_000_000  # sources are stat-ed at most this often: a bound on how stale a decision can be


class Reloader:
    """Hands out the current World. A bad edit keeps the last good one and is reported once, not per call."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._stamp = self._look()
        self._world = World.open(state, resident=True)
        self._looked = time.monotonic_ns()
        self._news: list[Entry] = [_rules(problem) for problem in problems(self._world)]
        self._news += own(state, self._world)

    def current(self) -> World:
        """The World in force, after a look at the sources when the last one is old."""
        now = time.monotonic_ns()
        if now - self._looked > QUIET_NS:
            self._looked = now
            seen = self._look()
            if seen != self._stamp:
                self._swap(seen)
        return self._world

    def refresh(self) -> list[Entry]:
        """Look again, and hand over the entries that tell of changes since the last time."""
        self.current()
        news, self._news = self._news, []
        return news

    def _look(self) -> tuple[object, ...]:
        """What the sources look like, before they are read; files too young to tell apart never look the same."""
        now = time.time_ns()
        stamps = [stamp(path) for path in sources(self._state)]
        rules = [each for _, folder in folders(self._state) for each in look(folder)]
        stamps += [stamped for _, stamped in rules]
        return (
            *(path for path, _ in rules),
            *map(tuple, stamps),
            now if any(racy(each, now) for each in stamps) else 0,
        )

    def _swap(self, seen: tuple[object, ...]) -> None:
        before = self._world
        self._stamp = seen
        try:
            after = World.open(self._state, resident=True)
        except BkError as error:
            self._news.append(_problem("config", f"the configuration cannot be used: {error}", error.next_step))
            return
        after.trail = before.trail
        self._world = after
        if after.policy.digest != before.policy.digest:
            data = {"policy": after.policy.digest, "was": before.policy.digest, "event": "reloaded"}
            self._news.append(Entry("config", "engine", data))
        if after.generation != before.generation:
            data = {"index": after.generation, "was": before.generation, "event": "index"}
            self._news.append(Entry("catalog", "engine", data))
        for problem in after.policy.problems:
            if problem not in before.policy.problems:
                self._news.append(_problem("config", problem, "bk config validate"))
        if after.rules is not None and before.rules is not None and after.rules.digest != before.rules.digest:
            data = {"rules": after.rules.digest, "was": before.rules.digest, "event": "rules"}
            self._news.append(Entry("config", "engine", data))
        known = problems(before)
        self._news += [_rules(problem) for problem in problems(after) if problem not in known]
        self._news += own(self._state, after)
        if (
            after.failure is not None
            and after.failure.cause != CAUSE
            and (before.failure is None or str(before.failure) != str(after.failure))
        ):
            self._news.append(_problem("index", str(after.failure), after.failure.next_step))
        if before.index is not None and before.index is not after.index:
            before.index.close()


def sources(state: State) -> tuple[str, ...]:
    """The files whose change makes another World."""
    intel = (f"{state.intel}/{name}" for name in ("current", "overlay.facts", "overlay.index"))
    return (state.config, local_of(state.config), SYSTEM, *intel, *watched(state))


def own(state: State, world: World) -> list[Entry]:
    """What must be on record of this very release, and is not yet."""
    if world.own is None or world.own.word in (UNKEYED, NEVER):
        return []
    from bk.engine.own.news import news

    return news(state, world.own, world.now_ms())


def problems(world: World) -> tuple[str, ...]:
    """What is wrong with rule files."""
    return world.rules.problems if world.rules is not None else ()


def _rules(problem: str) -> Entry:
    return _problem("rules", problem, "bk rules lint")


def _problem(what: str, detail: str, next_step: str) -> Entry:
    data = {"incident": what, "title": f"{what} problem", "detail": detail, "next_step": next_step}
    return Entry("incident", "engine", data, level="warn")
