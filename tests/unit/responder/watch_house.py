"""What a test watches with: the real thread and kernel, and somebody who answers in the checking process's place."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from bk.engine.responder.eyes import Spot
from bk.engine.responder.watch import Watch
from bk.engine.state import State

ON = {"watch.enabled": True}


def until(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of `what`; fails the test when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


class Asked:
    """Stands in for the process that checks: real processes to reap, answers that the test gives."""

    def __init__(self, *spots: Spot) -> None:
        self.spots = list(spots)
        self.plans = 0
        self.checks: list[list[tuple[str, bool]]] = []
        self.at: list[float] = []
        self.answers: list[dict[str, Any]] = []
        self.program = ["/bin/true"]

    def __call__(self, words: Sequence[str], answers: int) -> int:
        said: dict[str, Any] = {"again": [], "problem": ""}
        if words[0] == "places":
            self.plans += 1
            said = {"spots": [spot.row() for spot in self.spots], "left_out": 0}
        else:
            rows = [json.loads(word) for word in words[1:]]
            self.checks.append([(row[2], row[4]) for row in rows])
            self.at.append(time.monotonic())
            said = self.answers.pop(0) if self.answers else said
        keep = self.program[0] != "/bin/true"
        if not keep and said:
            os.write(answers, json.dumps(said).encode())
        actions = [(os.POSIX_SPAWN_DUP2, answers, 1)] if keep else []
        return os.posix_spawn(self.program[0], self.program, {}, file_actions=actions)

    @property
    def paths(self) -> list[str]:
        """Everything that was asked about, in order."""
        return [path for check in self.checks for path, _ in check]


class Kept:
    """A watch that is stopped at the end of the test."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.made: list[Watch] = []

    def __call__(self, asked: Asked, **over: Any) -> Watch:
        watch = Watch(self.state, asked, start_s=0.0, **over)
        self.made.append(watch)
        watch.keep(ON)
        until(lambda: watch.told().get("places") or asked.plans)
        return watch
