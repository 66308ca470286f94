"""An entry in a few words: what it is about and who did it. Raw text; whoever shows it makes it inert."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bk.engine.model import Entry

Json = Any
FIELDS = ("command", "file_path", "notebook_path", "url", "pattern", "query", "path", "prompt", "description")
VERBS = {"read": "read", "write": "write", "edit": "edit", "fetch": "fetch", "search": "search"}


def subject(entry: Entry) -> str:
    """What the entry is about, as one would say it."""
    data = entry.data
    if entry.kind in ("decision", "result"):
        said = _call(data)
        return said if entry.kind == "decision" else f"after: {said}"
    if entry.kind == "incident":
        return _text(data, "title") or _text(data, "incident") or "incident"
    if entry.kind == "admin":
        verb = _text(data, "verb") or _text(data, "event")
        return " ".join(part for part in (verb, _text(data, "incident") or _text(data, "what")) if part) or "admin"
    told = [_text(data, name) for name in ("event", "key", "title", "detail", "reason")]
    return " ".join(part for part in told if part) or _short(data)


def agent(entry: Entry) -> str:
    """Who acted: the client behind a hook call, else the actor itself."""
    return entry.actor.removeprefix("hook:")


def packages(entry: Entry) -> list[str]:
    """The packages that a recorded call would have installed."""
    return [_text(action, "target") for action in listed(entry.data, "actions") if action.get("do") == "install"]


def strongest(entry: Entry) -> Mapping[str, Json]:
    """The finding that decided, or nothing."""
    findings = listed(entry.data, "findings")
    return findings[0] if findings else {}


def claimed(entry: Entry) -> str:
    """The environment's claim of which agent this was; never trusted, only shown."""
    claims = entry.data.get("agent")
    return _text(claims, "BK_AGENT_ID") if isinstance(claims, Mapping) else ""


def _call(data: Mapping[str, Json]) -> str:
    given = data.get("input")
    tool = _text(data, "tool")
    if isinstance(given, Mapping):
        for name in FIELDS:
            value = given.get(name)
            if isinstance(value, Mapping):
                value = value.get("head")
            if isinstance(value, str) and value:
                kind = _text(data, "kind")
                lead = "" if kind == "shell" else VERBS.get(kind) or _tool(tool)
                return f"{lead} {value}" if lead else value
        return f"{_tool(tool)} {_short(given)}" if given else _tool(tool)
    failure = _text(data, "failure")
    return f"request that cannot be read ({failure})" if failure else tool or "call"


def _tool(name: str) -> str:
    """A tool's name; an MCP tool as its server and tool."""
    return name.removeprefix("mcp__").replace("__", ":", 1)


def _short(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:400]


def _text(data: Mapping[str, Json], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def listed(data: Mapping[str, Json], name: str) -> Sequence[Mapping[str, Json]]:
    """The objects in a list of the entry; nothing when it is no list."""
    value = data.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []
