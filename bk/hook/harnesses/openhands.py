"""OpenHands CLI (measured with 1.16): an event under `event_type`, a decision of its own, one tool for all edits."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "openhands"
ALIASES = ()

EVENTS = {"PreToolUse": "pre", "PostToolUse": "post"}

FIELDS = {
    "event": ("event_type",),
    "tool": ("tool_name",),
    "input": ("tool_input",),
    "cwd": ("working_dir",),
    "session": ("session_id",),
    "tool_use_id": ("tool_call_id",),
    "response": ("tool_response",),
}

TOOLS = {
    "terminal": "shell",
    "execute_bash": "shell",
    "file_editor": "edit",
    "str_replace_editor": "edit",
    "apply_patch": "edit",
    "glob": "search",
    "grep": "search",
    "browser_navigate": "fetch",
    "fetch": "fetch",
    "delegate": "agent",
    "task_tracker": "other",
    "think": "other",
    "finish": "other",
}

MCP = ("mcp__", "__")

DENY = '{"decision":"deny","reason":%s}'
DENY_EXIT = 2

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, ""), "deny": (DENY_EXIT, DENY)},
    "post": {"allow": (0, ""), "warn": (0, ""), "deny": (2, DENY)},
}

EDITS = {"view": "read", "create": "write"}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The payload with what the editor is asked to do: in its input `command` is a verb and no command line."""
    given = payload.get("tool_input")
    if payload.get("tool_name") in ("file_editor", "str_replace_editor") and type(given) is dict:
        verb = given.get("command")
        flat = {key: value for key, value in given.items() if key not in ("command", "kind") and value is not None}
        return {**payload, "tool_input": flat, "bk.kind": EDITS.get(verb, "edit") if type(verb) is str else "edit"}
    return payload
