"""How a client's own protocol becomes a ToolCall and a Verdict becomes the client's own answer.

A client is one module of data in `harnesses/`: its names for events, fields and tools, and its replies. This file is
the only reader of that data and has no branch for any client.
"""

from __future__ import annotations

import json
import sys

from bk.engine.errors import Refusal
from bk.engine.model import Level, ToolCall
from bk.engine.strict import parse_object
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from bk.engine.model import Json, Verdict
    from bk.hook.request import Request

    class HarnessData(Protocol):
        """What a module in `harnesses/` defines. A client whose payload is not flat adds `unpacked(payload)`, which
        returns it under the names of FIELDS, with what it found out beside: `bk.mcp`, a server and its tool, and
        `bk.kind`. One that hands on no warning before a call, but one after it, says WARNS_AFTER; one
        whose output can be replaced says how: HIDES."""

        NAME: str
        ALIASES: tuple[str, ...]
        EVENTS: Mapping[str, str]
        FIELDS: Mapping[str, tuple[str, ...]]
        TOOLS: Mapping[str, str]
        MCP: tuple[str, str]
        DENY: str
        DENY_EXIT: int
        REPLIES: Mapping[str, Mapping[str, tuple[int, str]]]


# name or alias -> module; written out so that a cold call imports one client and scans no folder
HARNESSES = {
    "agy": "antigravity",
    "antigravity": "antigravity",
    "auggie": "augment",
    "augment": "augment",
    "cascade": "windsurf",
    "claude": "claude_code",
    "claude-code": "claude_code",
    "cline": "cline",
    "codebuddy": "codebuddy",
    "codex": "codex",
    "copilot": "copilot",
    "copilot-cli": "copilot",
    "cursor": "cursor",
    "cursor-agent": "cursor",
    "droid": "droid",
    "factory": "droid",
    "gemini": "gemini",
    "gemini-cli": "gemini",
    "generic": "generic",
    "hermes": "hermes",
    "hermes-agent": "hermes",
    "kilo": "kilo",
    "kilocode": "kilo",
    "kimi": "kimi",
    "kimi-code": "kimi",
    "mistral-vibe": "vibe",
    "openclaw": "openclaw",
    "opencode": "opencode",
    "openhands": "openhands",
    "qwen": "qwen",
    "qwen-code": "qwen",
    "shim": "shim",
    "vibe": "vibe",
    "windsurf": "windsurf",
}
REASON_CELLS = 1200


class Reply:
    """What the hook process does: exit with a code after writing these bytes."""

    __slots__ = ("exit_code", "stderr", "stdout")

    def __init__(self, exit_code: int, stdout: bytes = b"", stderr: bytes = b"") -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr


def harness_data(name: str) -> HarnessData:
    """The data of the client with this name; raises Refusal when there is none."""
    module = HARNESSES.get(name)
    if module is None:
        raise Refusal("harness", f"no client is called {name!r}; known: {', '.join(sorted(HARNESSES))}")
    path = f"bk.hook.harnesses.{module}"
    if path not in sys.modules:
        __import__(path)
    return sys.modules[path]


def event_of(data: HarnessData, payload: Mapping[str, Json], request: Request) -> str:
    """`pre` or `post`. The payload's word counts; `--event` only stands in where the client sends none."""
    named = _first(payload, data.FIELDS["event"]) or request.event
    if not named:
        return "pre"
    event = data.EVENTS.get(named) if type(named) is str else None
    if event is None:
        raise Refusal("event", f"{data.NAME} sent an event this guard does not know: {inert(str(named), 60)}")
    return event


def call_of(data: HarnessData, payload: Mapping[str, Json], request: Request, event: str) -> ToolCall:
    """The ToolCall in a client's payload; raises Refusal when a part that decides is missing or of another type."""
    unpacked: Callable[[Mapping[str, Json]], Mapping[str, Json]] | None = getattr(data, "unpacked", None)
    if unpacked is not None:
        if "bk.mcp" in payload or "bk.kind" in payload:
            raise Refusal("reserved-name", "the payload has a name that only this guard gives")
        payload = unpacked(payload)
    fields = data.FIELDS
    tool = _first(payload, fields["tool"])
    if type(tool) is not str or not tool:
        raise Refusal("tool-name", f"{fields['tool'][0]} is missing or not text")
    given = _first(payload, fields["input"])
    if type(given) is str:
        given = object_in(given, fields["input"][0])
    if type(given) is not dict:
        raise Refusal("tool-input", f"{fields['input'][0]} is missing or not an object")
    cwd = _first(payload, fields["cwd"])
    if type(cwd) is list:
        cwd = cwd[0] if cwd else ""
    cwd = cwd or request.cwd
    if type(cwd) is not str or not cwd.startswith("/"):
        raise Refusal("cwd", f"{fields['cwd'][0]} is not an absolute path")
    kind, unknown = data.TOOLS.get(tool), False
    named = None
    if unpacked is not None:
        named = payload.get("bk.mcp")
        kind = payload.get("bk.kind", kind)
    if named is None and kind is None:
        named = server_of(tool, data.MCP)
    if named is not None:
        if not all(type(word) is str for word in named):
            raise Refusal("tool-name", "the MCP tool of the call is not named")
        kind, tool = "mcp", f"mcp__{named[0]}__{named[1]}"
    elif kind is None:
        kind, unknown = "other", True
    return ToolCall(
        tool,
        kind,
        given,
        harness=data.NAME,
        event=event,
        cwd=cwd,
        home=request.home,
        session=_word(_first(payload, fields["session"])),
        call_id=_word(_first(payload, fields["tool_use_id"])),
        claims=request.claims(),
        response=_first(payload, fields["response"]),
        unknown=unknown,
    )


def server_of(tool: str, form: tuple[str, str]) -> tuple[str, str] | None:
    """The MCP server and its tool in a tool's name, where the client's form is a prefix and what stands between."""
    prefix, between = form
    if not between or not tool.startswith(prefix):
        return None
    server, found, name = tool[len(prefix) :].partition(between)
    return (server, name) if found and server and name else None


def object_in(text: str, what: str) -> dict[str, Json]:
    """The object in a text of JSON, which some clients send in place of one."""
    try:
        return parse_object(text.encode(), max_bytes=len(text) * 4, max_depth=64)
    except Refusal as refusal:
        raise Refusal("tool-input", f"{what} is text, and not that of an object: {refusal.detail}") from refusal


def _first(payload: Mapping[str, Json], names: tuple[str, ...]) -> Json:
    """What the first of these names holds that is there at all."""
    for name in names:
        if name in payload:
            return payload[name]
    return None


def _word(value: Json) -> str:
    return value[:200] if type(value) is str else ""


def render(data: HarnessData, event: str, level: Level, verdict: Verdict, *, ask_fallback: str = "block") -> Reply:
    """The client's own answer. A client (or event) that cannot ask gets what `hook.ask_fallback` says."""
    replies = data.REPLIES[event]
    answer = "deny" if level.denies else level.word
    if answer not in replies:
        answer = "warn" if ask_fallback == "warn" and "warn" in replies else "deny"
    exit_code, template = replies[answer]
    if not template and answer != "deny":
        return Reply(exit_code)
    reason = reason_text(level, verdict)
    stdout = template.replace("%s", json.dumps(reason)).encode() + b"\n" if template else b""
    stderr = (reason + "\n").encode() if answer == "deny" else b""
    return Reply(exit_code, stdout, stderr)


def reason_text(level: Level, verdict: Verdict) -> str:
    """One line for the model and the person: what, why, what to do instead. Never empty: some clients let an empty
    reason through."""
    head = {Level.WARN: "bk warns", Level.ASK: "bk asks", Level.ALLOW: "bk"}.get(level, "bk blocked this call")
    reason = verdict.reason or "no reason was recorded"
    instead = f" Instead: {verdict.instead}" if verdict.instead else ""
    return inert(f"{head}: {reason}.{instead}", REASON_CELLS)
