"""Kimi Code (measured with 2.1): Claude's shape from a TOML file; no effect of a warning or of a post hook.

An `ask` runs the call when approvals are skipped, so none is sent.
"""

from bk.hook.harnesses.claude_code import DENY, DENY_EXIT, EVENTS, MCP
from bk.hook.harnesses.claude_code import TOOLS as CLAUDES

NAME = "kimi"
ALIASES = ("kimi-code",)

FIELDS = {
    "event": ("hook_event_name",),
    "tool": ("tool_name",),
    "input": ("tool_input",),
    "cwd": ("cwd",),
    "session": ("session_id",),
    "tool_use_id": ("tool_call_id",),
    "response": ("tool_output",),
}

TOOLS = {
    **CLAUDES,
    "Shell": "shell",
    "ReadFile": "read",
    "ReadMediaFile": "read",
    "WriteFile": "write",
    "StrReplaceFile": "edit",
    "FetchURL": "fetch",
    "SearchWeb": "other",
    "TodoList": "other",
    "SetTodoList": "other",
}

REPLIES = {
    "pre": {
        "allow": (0, ""),
        "warn": (0, ""),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {"allow": (0, ""), "warn": (0, ""), "deny": (2, '{"decision":"block","reason":%s}')},
}

__all__ = ["ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "MCP", "NAME", "REPLIES", "TOOLS"]
