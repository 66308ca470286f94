"""Mistral Vibe (measured with 3.0): a decision with exit code 0; every other exit code counts as a broken hook.

Only with `strict = true` in its file does a broken hook stop the call.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "vibe"
ALIASES = ("mistral-vibe",)

EVENTS = {"pre_tool": "pre", "post_tool": "post"}

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
    "file_system.bash": "shell",
    "bash": "shell",
    "file_system.read_file": "read",
    "read_file": "read",
    "file_system.write_file": "write",
    "write_file": "write",
    "file_system.search_replace": "edit",
    "search_replace": "edit",
    "file_system.grep": "search",
    "grep": "search",
    "web_fetch": "fetch",
    "task": "agent",
    "todo": "other",
    "ask_user_question": "other",
}

MCP = ("", "_")

DENY = '{"decision":"deny","reason":%s}'
DENY_EXIT = 0

HIDES = (0, '{"decision":"deny","reason":%t}')

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, ""), "deny": (DENY_EXIT, DENY)},
    "post": {
        "allow": (0, ""),
        "warn": (0, '{"hook_specific_output":{"additional_context":%s}}'),
        "deny": (0, DENY),
    },
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The payload with a program that calls tools as the command it is."""
    given = payload.get("tool_input")
    if payload.get("tool_name") != "run_typescript" or type(given) is not dict or type(given.get("code")) is not str:
        return payload
    command = ["node", "-e", given["code"]]
    return {**payload, "bk.kind": "shell", "tool_input": {**given, "code": None, "command": command}}
