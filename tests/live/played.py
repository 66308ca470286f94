"""The ways in which steps are played: where nothing is wired, where all is, and what must have come of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.live.client import Client
from tests.live.stage import Seen, home_of, project_of, run

Json = Any
Notes = dict[str, Json]
Steps = list[dict[str, Json]]
BLOCKED = "bk blocked this call"


def touch(client: Client, case: str) -> Steps:
    """A step that may be taken: it makes the marker."""
    return [{"run": f"touch {project_of(client, case)}/marker"}]


def steal(client: Client, case: str) -> Steps:
    """A step that may not: a copy of the key."""
    return [{"run": f"cat {home_of(client, case)}/.ssh/id_rsa > {project_of(client, case)}/leak"}]


@cache
def bare(client: Client, step: Callable[[Client, str], Steps], path: str) -> Seen:
    """A step that many cases share, where nothing is wired: once for each client is enough."""
    return without(client, f"{step.__name__}-{os.getpid()}", lambda case: step(client, case), path)


def without(client: Client, case: str, steps: Callable[[str], Steps], path: str, *, mcp: bool = False) -> Seen:
    """The same steps where nothing is wired: they must take effect, or the case shows nothing."""
    name = f"{case}-without"
    seen = run(client, name, steps(name), guarded=False, mcp=mcp)
    assert seen.calls == 0
    if path:
        assert seen.made(path), f"without the guard the step had no effect either\n{seen.end()}"
    return seen


def stopped(seen: Seen, path: str) -> Notes:
    """The notes of a run in which what may run ran, what may not did not, and the reason was told."""
    assert seen.ran, f"what may run did not\n{seen.end()}"
    assert not seen.made(path), seen.end()
    assert seen.calls >= 1, seen.end()
    return reason(seen)


def reason(seen: Seen, words: str = BLOCKED) -> Notes:
    """The notes of a run in which somebody was told why, where the client tells anybody."""
    told = words in seen.told or words in _client(seen)
    assert told is seen.hears, f"{'nobody' if seen.hears else 'somebody'} was told why\n{seen.end()}"
    return {"told": words in seen.told}


def _client(seen: Seen) -> str:
    """What the client itself said: where a denial ends the run, no model hears of it."""
    return "".join((seen.root / name).read_text(errors="replace") for name in ("stdout", "stderr"))
