"""Ask for a verdict by hand: the same decision as the hook's, recorded as one, and told in words."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bk.engine.console.installation import ready
from bk.engine.decide import Judgement, decide
from bk.engine.ledger.store import Ledger
from bk.engine.model import Action, Entry, Install, ToolCall, Verdict
from bk.engine.record import action_data, entry_of, finding_data
from bk.engine.state import State
from bk.engine.world import World

Json = Any


class Checked:
    """A judged call. `entry` is the ledger's row, None when nothing was to be recorded."""

    def __init__(self, call: ToolCall, judgement: Judgement, world: World, took_us: int) -> None:
        self.call = call
        self.actions: Sequence[Action] = judgement.actions
        self.verdict: Verdict = judgement.verdict
        self.policy = judgement.policy.digest
        self.index = world.generation
        self._redact = world.redact
        self.took_us = took_us
        self.entry: Entry | None = None

    def told(self, *, installs: bool = False) -> dict[str, Json]:
        """The answer as JSON."""
        verdict = self.verdict
        said: dict[str, Json] = {
            "verdict": verdict.level.word,
            "reason": verdict.reason,
            "rule_ids": list(dict.fromkeys(finding.rule for finding in verdict.findings)),
            "findings": [finding_data(finding, self._redact) for finding in verdict.findings],
            "actions": [action_data(action, self._redact) for action in self.actions],
            "failure": verdict.failure,
        }
        if self.entry is not None:
            said["seq"] = self.entry.seq
        if installs:
            found = (
                action
                for action in self.actions
                if isinstance(action, Install) and action.source == "registry" and action.certain
            )
            said["installs"] = [{"ecosystem": i.ecosystem, "name": i.name, "version": i.version} for i in found]
        return said


class Bench:
    """One World held for many calls of which nothing is recorded."""

    def __init__(self, state: State) -> None:
        self._world = World.open(state)

    def judge(self, call: ToolCall) -> Checked:
        """What the verdict would be."""
        return _judged(call, self._world)[0]


def bench(env: Mapping[str, str] | None = None) -> Bench:
    """A Bench on this user's installation."""
    return Bench(ready(env))


def check(call: ToolCall, env: Mapping[str, str] | None = None) -> Checked:
    """Judge one call and record that it was asked by hand."""
    state = ready(env)
    world = World.open(state)
    checked, judgement = _judged(call, world)
    entry = entry_of(call, judgement, world, checked.took_us, nonce=secrets.token_hex(16))
    ledger = Ledger.open(state, redact=world.redact)
    try:
        checked.entry = ledger.append([entry], sync=judgement.verdict.level.denies)[0]
    finally:
        ledger.close()
    return checked


def simulate(calls: Iterable[ToolCall], env: Mapping[str, str] | None = None) -> Iterator[Checked]:
    """The verdict of each call; nothing is executed and nothing recorded."""
    judge = bench(env).judge
    return (judge(call) for call in calls)


def _judged(call: ToolCall, world: World) -> tuple[Checked, Judgement]:
    started = time.perf_counter_ns()
    judgement = decide(call, world)
    took = (time.perf_counter_ns() - started) // 1000
    return Checked(call, judgement, world, took), judgement
