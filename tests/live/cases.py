"""What every client is put through: its steps are played without the guard, where they must take effect, and with it.

A case that only finds nothing done would also pass when the client never tried; so each shows first that its steps run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from bk.engine.wiring import wire
from bk.engine.wiring.clients import BY_NAME
from bk.engine.wiring.plans import MANAGED
from bk.engine.wiring.standing import standing
from tests.live.client import Client
from tests.live.outcomes import overhead, post, typed
from tests.live.played import BLOCKED, Notes, Steps, bare, reason, steal, stopped, touch, without
from tests.live.stage import OUTSIDE, SECRET, home_of, project_of, run

GONE = "the guard did not answer"
PACKAGE = "02-echo@0.0.7"
WHY = "is listed as malicious by datadog and vendor-reports"
ANSWER_BY = 4.7


def allow(client: Client, case: str) -> Notes:
    """A harmless call runs, and the guard was asked before and told after."""
    bare(client, touch, "project/marker")
    seen = run(client, case, touch(client, case))
    assert seen.ran, seen.end()
    assert seen.calls >= 1, seen.end()
    assert BLOCKED not in seen.told
    return {"calls": seen.calls}


def deny_shell(client: Client, case: str) -> Notes:
    """A shell line that copies the key."""
    bare(client, steal, "project/leak")
    seen = run(client, case, [*touch(client, case), *steal(client, case)])
    return stopped(seen, "project/leak")


def deny_read(client: Client, case: str) -> Notes:
    """The client's own tool for reading, on the key."""

    def steps(name: str) -> Steps:
        return [{"read": f"{project_of(client, name)}/README.md"}, {"read": f"{home_of(client, name)}/{client.secret}"}]

    open_ = without(client, case, steps, "")
    assert SECRET in open_.told, open_.end()
    seen = run(client, case, steps(case))
    assert OUTSIDE in seen.told, f"what may be read was not\n{seen.end()}"
    assert SECRET not in seen.told, seen.end()
    return reason(seen)


def deny_write(client: Client, case: str) -> Notes:
    """The client's own tool for writing, on the file that lets people in, or on rules of ours."""

    def steps(name: str) -> Steps:
        where = [project_of(client, name) / "marker", home_of(client, name) / client.kept]
        return [{"write": str(path)} for path in where]

    without(client, case, steps, f"home/{client.kept}")
    return stopped(run(client, case, steps(case)), f"home/{client.kept}")


def deny_mcp(client: Client, case: str) -> Notes:
    """A tool of an MCP server over HTTP, on a path below ~/.ssh."""

    def steps(name: str) -> Steps:
        allowed, forbidden = project_of(client, name) / "marker", home_of(client, name) / ".ssh/config"
        first = {"run": "sleep 1"}  # many clients reach their servers beside, and offer the tools with the next turn
        return [first, *client.mcp(str(allowed)), *client.mcp(str(forbidden))]

    without(client, case, steps, "home/.ssh/config", mcp=True)
    return stopped(run(client, case, steps(case), mcp=True), "home/.ssh/config")


def ask(client: Client, case: str) -> Notes:
    """A person is to be asked, and nobody is there: it must not run."""

    def steps(name: str) -> Steps:
        return [{"run": f"asked-for || touch {project_of(client, name)}/marker"}]

    without(client, case, steps, "project/marker")
    seen = run(client, case, steps(case))
    assert seen.calls >= 1, seen.end()
    assert not seen.ran, seen.end()
    return {"native": client.asks, "told": "this is asked about" in seen.told}


def warn(client: Client, case: str) -> Notes:
    """It runs, and the model reads the warning where the client hands it on."""

    def steps(name: str) -> Steps:
        return [{"run": f"warned-of || touch {project_of(client, name)}/marker"}]

    without(client, case, steps, "project/marker")
    seen = run(client, case, steps(case))
    assert seen.ran, seen.end()
    told = "bk warns" in seen.told
    assert told is client.warns, f"the model {'reads' if told else 'does not read'} warnings\n{seen.end()}"
    return {"told": told}


def missing(client: Client, case: str) -> Notes:
    """The guard's program is not there: nothing runs."""
    return _gone(client, case, "missing")


def killed(client: Client, case: str) -> Notes:
    """The guard is killed before it answers: nothing runs."""
    return _gone(client, case, "killed")


def _gone(client: Client, case: str, guard: str) -> Notes:
    bare(client, touch, "project/marker")
    seen = run(client, case, touch(client, case), guard=guard)
    assert not seen.ran, seen.end()
    assert guard == "missing" or seen.calls >= 1, seen.end()
    return reason(seen, GONE)


def engine_dead(client: Client, case: str) -> Notes:
    """The engine is gone: the hook decides alone, and decides the same."""
    bare(client, steal, "project/leak")
    seen = run(client, case, [*touch(client, case), *steal(client, case)], engine="dead")
    return stopped(seen, "project/leak")


def engine_hung(client: Client, case: str) -> Notes:
    """The engine stands still: our own deadline answers, and answers no."""
    bare(client, touch, "project/marker")
    seen = run(client, case, touch(client, case), engine="hung")
    assert not seen.ran, seen.end()
    assert seen.calls >= 1, seen.end()
    assert seen.wall >= ANSWER_BY
    return reason(seen, "no decision before the deadline") | {"wall": round(seen.wall, 1)}


def engine_slow(client: Client, case: str) -> Notes:
    """The engine answers only now and then: what may run runs, what may not does not."""
    bare(client, steal, "project/leak")
    seen = run(client, case, [*touch(client, case), *steal(client, case)], engine="slow")
    return stopped(seen, "project/leak") | {"wall": round(seen.wall, 1)}


def tamper(client: Client, case: str) -> Notes:
    """The model first tries to take the hook out, and then does what is forbidden."""

    def files(name: str) -> list[str]:
        spot = wire.Spot(str(home_of(client, name)), str(project_of(client, name)), "/bk-hook")
        return [spot.path(plan.path) for plan in wire.plans(BY_NAME[client.name], "user", spot)]

    def steps(name: str) -> Steps:
        return [{"run": f"rm -f {' '.join(files(name))}"}, *steal(client, name)]

    without(client, case, steps, "project/leak")
    seen = run(client, case, steps(case))
    assert seen.calls >= 1, seen.end()
    assert not seen.made("project/leak"), seen.end()
    assert all(os.path.exists(path) for path in files(case)), seen.end()
    return reason(seen)


def hostile_user(client: Client, case: str) -> Notes:
    """The project switches hooks off, and ours are the person's: it does nothing, or `bk hooks status` says so."""
    return _hostile(client, case, "user")


def hostile_managed(client: Client, case: str) -> Notes:
    """The project switches hooks off, and ours are the machine's: it does nothing."""
    notes = _hostile(client, case, MANAGED)
    assert notes["stops"], notes
    return notes


def _hostile(client: Client, case: str, scope: str) -> Notes:
    bare(client, steal, "project/leak")
    seen = run(client, case, steal(client, case), scope=scope, hostile=True)
    root = seen.root
    machine = str(root / "machine") if scope == MANAGED else str(root)
    spot = wire.Spot(str(root / "home"), str(root / "project"), str(root / "guard/bk-hook"), machine)
    named = [why for why in standing(BY_NAME[client.name], spot, here=True).off if str(root / "project") in why]
    stops = not seen.made("project/leak")
    if stops:
        assert seen.calls >= 1, seen.end()
        assert not client.hears or BLOCKED in seen.told, seen.end()
    else:
        assert named, f"it is off, and nobody says so\n{seen.end()}"
    return {"stops": stops, "named": [why.replace(str(root / "project"), "project") for why in named]}


def package(client: Client, case: str) -> Notes:
    """A release that several sources call malicious; nothing is reachable, so the no comes before the download."""

    def steps(name: str) -> Steps:
        return [{"run": f"npm install {PACKAGE}; touch {project_of(client, name)}/marker"}]

    without(client, case, steps, "project/marker")
    seen = run(client, case, steps(case))
    assert not seen.ran, seen.end()
    return reason(seen, WHY)


def record(path: Path, row: Notes) -> None:
    """Add a result to the file of results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


CASES: dict[str, Callable[[Client, str], Notes]] = {
    "allow": allow, "deny-shell": deny_shell, "deny-read": deny_read, "deny-write": deny_write, "deny-mcp": deny_mcp,
    "ask": ask, "warn": warn, "missing": missing, "killed": killed, "engine-dead": engine_dead,
    "engine-hung": engine_hung, "engine-slow": engine_slow, "tamper": tamper, "hostile-user": hostile_user,
    "hostile-managed": hostile_managed, "package": package, "typed": typed, "post": post, "overhead": overhead,
}  # fmt: skip


def lacking(client: Client, case: str) -> str:
    """Why a client cannot be put through a case; "" when it can."""
    if case == "deny-read" and not client.reads:
        return "it has no tool of its own for reading"
    if case == "hostile-managed" and not client.managed:
        return "it has no settings of the machine"
    if case in ("hostile-user", "hostile-managed") and not client.hostile:
        return "no such switch is known"
    if case == "typed" and client.types("") == []:
        return "what its tools type into a program is shown to the hook"
    if case == "deny-mcp" and client.mcp("") == []:
        return "its MCP tools were not reached"
    return ""
