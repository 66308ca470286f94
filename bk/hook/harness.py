"""How a client's own protocol becomes a ToolCall and a Verdict becomes the client's own answer.

A client is one module of data in `harnesses/`: its names for events, fields and tools, and its replies. This file is
the only reader of that data and has no branch for any client.
"""

from __future__ import annotations

import json
import sys

from bk.engine.errors import Refusal
from bk.engine.model import Level, ToolCall
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from bk.engine.model import Json, Verdict
    from bk.hook.request import Request

    class HarnessData(Protocol):
        """What a module in `harnesses/` defines."""

        NAME: str
        ALIASES: tuple[str, ...]
        EVENTS: Mapping[str, str]
        FIELDS: Mapping[str, str]
        TOOLS: Mapping[str, str]
        MCP: tuple[str, str]
        DENY: str
        DENY_EXIT: int
        REPLIES: Mapping[str, Mapping[str, tuple[int, str]]]


# name or alias -> module; written out so that a cold call imports one client and scans no folder
HARNESSES = {
    "claude-code": "claude_code",
    "claude": "claude_code",
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
    named = payload.get(data.FIELDS["event"], "") or request.event
    if not named:
        return "pre"
    event = data.EVENTS.get(named) if type(named) is str else None
    if event is None:
        raise Refusal("event", f"{data.NAME} sent an event this guard does not know: {inert(str(named), 60)}")
    return event


def call_of(data: HarnessData, payload: Mapping[str, Json], request: Request, event: str) -> ToolCall:
    """The ToolCall in a client's payload; raises Refusal when a part that decides is missing or of another type."""
    fields = data.FIELDS
    tool = payload.get(fields["tool"])
    if type(tool) is not str or not tool:
        raise Refusal("tool-name", f"{fields['tool']} is missing or not text")
    given = payload.get(fields["input"])
    if type(given) is not dict:
        raise Refusal("tool-input", f"{fields['input']} is missing or not an object")
    cwd = payload.get(fields["cwd"]) or request.cwd
    if type(cwd) is not str or not cwd.startswith("/"):
        raise Refusal("cwd", f"{fields['cwd']} is not an absolute path")
    kind = data.TOOLS.get(tool)
    if kind is None:
        kind = "mcp" if tool.startswith(data.MCP[0]) else "other"
    return ToolCall(
        tool,
        kind,
        given,
        harness=data.NAME,
        event=event,
        cwd=cwd,
        home=request.home,
        session=_word(payload.get(fields["session"])),
        call_id=_word(payload.get(fields["tool_use_id"])),
        claims=request.claims(),
        response=payload.get(fields["response"]),
    )


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
