"""Lowering, checks and rules look at nothing but what they are handed; the same facts give the same bytes."""

from __future__ import annotations

import _socket
import builtins
import io
import json
import os
import pickle
import posix
import random
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bk.engine.checks import CHECKS
from bk.engine.decide import decide
from bk.engine.judge import judge
from bk.engine.lower import Look, lower
from bk.engine.model import ToolCall, Verdict
from bk.engine.record import action_data, finding_data
from tests.unit.checks import KINDS
from tests.unit.decision import House, rows

FORBIDDEN: dict[Any, tuple[str, ...]] = {
    builtins: ("open",),
    io: ("open", "open_code"),
    os: ("stat", "lstat", "open", "readlink", "listdir", "scandir", "getcwd", "access", "getenv", "urandom", "system"),
    posix: ("stat", "lstat", "open", "readlink", "listdir", "scandir", "getcwd", "access", "urandom"),
    os.path: ("exists", "isfile", "isdir", "islink", "realpath", "abspath", "expanduser", "expandvars"),
    time: ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime"),
    random: ("random", "randint", "choice"),
    _socket: ("socket", "getaddrinfo", "gethostbyname"),
    subprocess: ("Popen", "run"),
}


class Closed(dict[str, str]):
    """An environment that nobody may look into."""

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("the environment was looked at")

    __getitem__ = get = __contains__ = __iter__ = keys = items = _refuse


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def calls(house: House) -> list[ToolCall]:
    found: list[ToolCall] = []
    for name in ("decision.jsonl", "paths.jsonl", "selfguard.jsonl"):
        for row in rows(name):
            tool = row["tool"]
            kind = KINDS.get(tool) or ("mcp" if tool.startswith("mcp__") else "other")
            found.append(ToolCall(tool, kind, row["input"], cwd=house.project, home=house.home, session="s"))
    return found


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Call `.undo()` before anything that may look around again."""
    yield monkeypatch
    monkeypatch.undo()


def close(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("the machine was looked at")

    for module, names in FORBIDDEN.items():
        for name in names:
            if hasattr(module, name):
                patch.setattr(module, name, refuse)
    patch.setattr(os, "environ", Closed())


def told(verdict: Verdict, actions: Any) -> bytes:
    same = lambda value: value  # noqa: E731 - nothing to hide in invented data
    return json.dumps(
        {
            "level": verdict.level.word,
            "findings": [finding_data(finding, same) for finding in verdict.findings],
            "actions": [action_data(action, same) for action in actions],
        },
        sort_keys=True,
    ).encode()


def test_a_recorded_day_replays_to_the_same_bytes_with_the_machine_closed(
    house: House, calls: list[ToolCall], sealed: pytest.MonkeyPatch
) -> None:
    day: list[tuple[bytes, bytes]] = []
    world = house.world
    for call in calls:
        judgement = decide(call, world)
        look = world.look(call)
        actions = lower(call, look)
        facts = world.gather(call, actions, world.policy_for(call))
        look = Look(look.env, look.files, look.trail)
        recorded = pickle.dumps(
            (call, look, {name: getattr(facts, name) for name in facts.__slots__ if name != "rules"})
        )
        day.append((recorded, told(judgement.verdict, judgement.actions)))
    assert len(day) > 1000
    rules = facts.rules
    kind = type(facts)
    close(sealed)
    try:
        replayed = []
        for recorded, _ in day:
            call, look, known = pickle.loads(recorded)
            again = kind(**known, rules=rules)
            actions = lower(call, look)
            assert not look.wanted
            replayed.append(told(judge([found for check in CHECKS for found in check(actions, again)]), actions))
    finally:
        sealed.undo()
    for (_, first), second in zip(day, replayed, strict=True):
        assert second == first
