"""OpenClaw (measured with 2026.9): a plugin of ours; MCP tools come wrapped in `tool_call`.

`openclaw agent exec` calls no plugin at all: there nothing is guarded, and the table of clients says so.
"""

from bk.hook.harnesses.opencode import DENY, DENY_EXIT, HIDES, REPLIES, WARNS_AFTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "openclaw"
ALIASES = ()

EVENTS = {"before_tool_call": "pre", "after_tool_call": "post"}

FIELDS = {
    "event": ("hook",),
    "tool": ("toolName",),
    "input": ("params",),
    "cwd": ("cwd",),
    "session": ("sessionKey",),
    "tool_use_id": ("toolCallId",),
    "response": ("result",),
}

TOOLS = {
    "exec": "shell",
    "bash": "shell",
    "process": "shell",
    "read": "read",
    "write": "write",
    "edit": "edit",
    "apply_patch": "edit",
    "web_fetch": "fetch",
    "browser": "fetch",
    "web_search": "other",
    "sessions_spawn": "agent",
    "message": "other",
    "tool_search": "other",
}

MCP = ("", "__")


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The call out of `event` and `ctx`, and an MCP tool out of the tool that wraps it."""
    event, context = payload.get("event"), payload.get("ctx")
    if type(event) is not dict:
        return payload
    flat = {**payload, **event}
    if type(context) is dict and "sessionKey" in context:
        flat["sessionKey"] = context["sessionKey"]
    params = flat.get("params")
    if flat.get("toolName") == "tool_call" and type(params) is dict:
        flat |= {"toolName": params.get("id"), "params": params.get("args")}
    return flat


__all__ = [
    "ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "HIDES", "MCP", "NAME", "REPLIES", "TOOLS", "WARNS_AFTER",
    "unpacked",
]  # fmt: skip
