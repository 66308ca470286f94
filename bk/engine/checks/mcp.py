"""MCP servers: whether one is still who it was, and shell text in what is passed to its tools."""

from __future__ import annotations

import json

from bk.engine.model import Finding, Level, McpCall, Run
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Json

CHANGED = "mcp/changed"
UNKNOWN = "mcp/unknown-server"
FIRST = "mcp/first-use"
BROKEN = "mcp/unavailable"
INJECTION = "mcp/injection"
INJECTED = "parameter"  # the mark that lowering leaves on what it took out of a parameter
SHOWN = 160


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """What is to be said of the MCP calls of a call."""
    for action in actions:
        if type(action) is McpCall:
            yield from _server(action, facts)
            yield from _injected(action, actions)


def _server(action: McpCall, facts: Facts) -> Iterator[Finding]:
    known = facts.servers.get(action.server)
    if known is None:
        return
    name = _text(action.server)
    if known.get("problem"):
        reason = f"whether {name} is still the server that it was cannot be told ({_text(known['problem'])})"
        yield Finding(
            BROKEN, Level.WARN, reason, action=action, instead="run `bk diag`; `bk mcp list` says what is known"
        )
    elif not known["now"]:
        if not known["pinned"]:
            level = (
                Level.WARN if known.get("others") else Level.ALLOW
            )  # a client whose settings are not known says little
            reason = f"no settings file that bk knows names an MCP server {name}: who answers is not known"
            instead = f"find out where it comes from; a person may accept it with `bk mcp accept {name} --admin`"
            yield Finding(UNKNOWN, level, reason, action=action, evidence={"server": name}, instead=instead)
    elif not known["pinned"] and not known.get("shadows"):
        evidence = {"server": action.server[:200], **{key: known[key] for key in ("now", "place", "where", "told")}}
        yield Finding(FIRST, Level.ALLOW, f"{name} is used for the first time", action=action, evidence=evidence)
    elif known["pinned"] != known["now"]:
        before = known["was"] or known.get("shadows", "")
        what = "is not the server that it was" if known["pinned"] else "takes the place of your own server of that name"
        changes = difference(before, known["told"])
        reason = f"MCP server {name} {what}: {'; '.join(changes)} ({_text(known['where'])})"
        evidence = {"server": name, "where": known["where"], "was": before[:1000], "now": known["told"][:1000]}
        instead = f"have a person compare and accept it: bk mcp show {name}, bk mcp accept {name} --admin"
        yield Finding(CHANGED, Level.ASK, reason, action=action, evidence=evidence, instead=instead)


def difference(before: str, after: str) -> list[str]:
    """What is different between two identities, in words."""
    one, two = _table(before), _table(after)
    told = [
        f"{key} was {_value(one.get(key))}, is {_value(two.get(key))}"
        for key in ("command", "url", "env", "headers", "cwd")
        if one.get(key) != two.get(key)
    ]
    return told or ["it was accepted without an entry, and has one now"]


def _value(value: Json) -> str:
    if not value:
        return "none"
    return _text(" ".join(map(str, value)) if isinstance(value, list) else str(value))


def _table(text: str) -> dict[str, Json]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _injected(action: McpCall, actions: Sequence[Action]) -> Iterator[Finding]:
    """Commands that lowering found in parameters that are not meant to be commands."""
    found = [each for each in actions if type(each) is Run and INJECTED in each.via]
    if found:
        told = _text(found[0].target)
        reason = f"a parameter of {_text(action.target)} holds shell text that would run `{told}`"
        evidence = {"commands": [_text(each.target) for each in found[:8]]}
        instead = "pass plain values; run a command as a command, where it can be judged and seen"
        yield Finding(INJECTION, Level.ASK, reason, action=action, evidence=evidence, instead=instead)


def _text(text: str) -> str:
    return inert(text, SHOWN)
