"""Hermes Agent (measured with 0.19): only a decision on standard output stops a call, an exit code does not.

It runs the command without a shell, and only after a person agreed to the hook.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "hermes"
ALIASES = ("hermes-agent",)

EVENTS = {"pre_tool_call": "pre", "post_tool_call": "post"}

FIELDS = {
    "event": ("hook_event_name",),
    "tool": ("tool_name",),
    "input": ("tool_input",),
    "cwd": ("cwd",),
    "session": ("session_id",),
    "tool_use_id": ("tool_call_id",),
    "response": ("result",),
}

TOOLS = {
    "terminal": "shell",
    "process": "shell",
    "execute_code": "other",
    "read_file": "read",
    "write_file": "write",
    "patch": "edit",
    "search_files": "search",
    "web_extract": "fetch",
    "browser_navigate": "fetch",
    "web_search": "other",
    "delegate_task": "agent",
    "todo": "other",
    "memory": "other",
    "clarify": "other",
}

MCP = ("mcp_", "_")

DENY = '{"decision":"block","reason":%s}'
DENY_EXIT = 2

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, ""), "deny": (DENY_EXIT, DENY)},
    "post": {"allow": (0, ""), "warn": (0, ""), "deny": (2, DENY)},
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The payload with what stands in `extra` beside the rest, and a program of its own as the command it is."""
    extra, given = payload.get("extra"), payload.get("tool_input")
    flat = dict(payload)
    if type(extra) is dict:
        flat |= {name: extra[name] for name in ("tool_call_id", "result") if name in extra}
    if payload.get("tool_name") == "execute_code" and type(given) is dict and type(given.get("code")) is str:
        flat |= {"bk.kind": "shell", "tool_input": {**given, "code": None, "command": ["python3", "-c", given["code"]]}}
    return flat
