"""Sample activity: real decisions on made-up calls, in a state directory that is thrown away.

It never touches this user's ledger, so nothing that is looked at for fun can be taken for something that happened.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from bk.engine.console.gate import why_not
from bk.engine.console.installed import install
from bk.engine.console.session import Session
from bk.engine.console.shelter import Shelter
from bk.engine.decide import decide
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry, ToolCall
from bk.engine.record import entry_of
from bk.engine.state import State
from bk.engine.world import World

Json = Any
HOME = "/home/ada"
BATCH = 64


class Sample(Session):
    """A session on a state that was made for it; closing it removes the state, and so does being killed."""

    def __init__(self, state: State, shelter: Shelter, *, why_not_admin: str) -> None:
        super().__init__(state, why_not_admin=why_not_admin, sample=True, shown_root="sample state")
        self._shelter = shelter

    def health(self) -> dict[str, tuple[str, str]]:
        """The chain alone: neither a hook nor an engine belongs to a state that is thrown away."""
        return {name: told for name, told in super().health().items() if name == "chain"}

    def close(self) -> None:
        """Let go of the files and remove them."""
        super().close()
        self._shelter.close()


def open_sample(*, admin: bool = True) -> Sample:
    """A session on a fresh sample: a ledger of real decisions, installed things held and to be held, a corpus."""
    shelter = Shelter()
    try:
        state = State(f"{shelter.top}/home/.bk", f"{shelter.top}/home", os.geteuid())
        os.mkdir(state.home, 0o700)
        state.ensure()
        fill(state, time.time_ns() // 1_000_000)
        install(state)
        return Sample(state, shelter, why_not_admin=why_not(admin))
    except BaseException:
        shelter.close()
        raise


def fill(state: State, now_ms: int) -> None:
    """Decide the sample calls and record them at the times that the sample says."""
    world = World.open(state)
    ledger = Ledger.open(state, redact=world.redact)
    try:
        entries: list[Entry] = []
        for number, line in enumerate(lines()):
            at = now_ms - int(line["ago"]) * 1000
            entries.append(_entry(line, world, at, f"{number + 1:032x}"))
        for start in range(0, len(entries), BATCH):
            ledger.append(entries[start : start + BATCH])
    finally:
        ledger.close()


def lines() -> Iterator[dict[str, Json]]:
    """The calls of the sample, oldest first."""
    text = files("bk.engine.console").joinpath("sample.jsonl").read_text(encoding="utf-8")
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _entry(line: dict[str, Json], world: World, at: int, nonce: str) -> Entry:
    if "entry" in line:
        kind, data = line["entry"], line["data"]
        return Entry(kind, line.get("actor", "engine"), data, level=line.get("level", ""), at=at)
    call = ToolCall(
        line["tool"],
        line["kind"],
        line["input"],
        harness=line.get("harness", "claude-code"),
        event=line.get("event", "pre"),
        cwd=line.get("cwd", f"{HOME}/src/shop"),
        home=HOME,
        session=line.get("session", "7c1f3f0a"),
        claims=line.get("claims"),
        response=line.get("response"),
    )
    started = time.perf_counter_ns()
    judgement = decide(call, world)
    took = (time.perf_counter_ns() - started) // 1000
    entry = entry_of(call, judgement, world, took, nonce=nonce)
    entry.at = at
    return entry
