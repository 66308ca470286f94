"""Cline (measured with 3.0): an executable per event, a decision that cancels the whole run, lists of commands.

An exit code stops nothing. `tool_call.input` is typed; `preToolUse.parameters` holds the same with lists as text.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "cline"
ALIASES = ()

EVENTS = {"tool_call": "pre", "PreToolUse": "pre", "tool_result": "post", "PostToolUse": "post"}

FIELDS = {
    "event": ("hookName",),
    "tool": ("tool",),
    "input": ("input",),
    "cwd": ("workspaceRoots",),
    "session": ("taskId",),
    "tool_use_id": ("id",),
    "response": ("output",),
}

TOOLS = {
    "run_commands": "shell",
    "execute_command": "shell",
    "read_files": "read",
    "read_file": "read",
    "editor": "edit",
    "write_to_file": "write",
    "replace_in_file": "edit",
    "apply_patch": "edit",
    "search_codebase": "search",
    "search_files": "search",
    "list_files": "search",
    "fetch_web_content": "fetch",
    "web_fetch": "fetch",
    "browser_action": "fetch",
    "spawn_agent": "agent",
    "new_task": "agent",
    "skills": "other",
    "ask_question": "other",
    "submit_and_exit": "other",
    "attempt_completion": "other",
}

MCP = ("", "__")

DENY = '{"cancel":true,"errorMessage":%s}'
DENY_EXIT = 2

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, '{"cancel":false,"contextModification":%s}'), "deny": (DENY_EXIT, DENY)},
    "post": {"allow": (0, ""), "warn": (0, '{"cancel":false,"contextModification":%s}'), "deny": (2, DENY)},
}

_PARTS = ("tool_call", "tool_result")
_OLDER = ("preToolUse", "postToolUse")


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The typed call; that of older releases, whose lists are texts of JSON, where there is no other."""
    for name in _PARTS:
        part = payload.get(name)
        if type(part) is dict:
            flat = {key: part[key] for key in ("id", "input", "output") if key in part}
            return {**payload, **flat, "tool": part.get("name")}
    for name in _OLDER:
        part = payload.get(name)
        if type(part) is dict:
            given = part.get("parameters")
            given = {key: _typed(value) for key, value in given.items()} if type(given) is dict else given
            return {
                **payload,
                "tool": part.get("toolName", part.get("tool")),
                "input": given,
                "output": part.get("result"),
            }
    return payload


def _typed(value: "Json") -> "Json":
    if type(value) is str and value[:1] == "[":
        from bk.engine.errors import Refusal
        from bk.engine.strict import parse_object

        try:
            return parse_object(b'{"list":' + value.encode() + b"}", max_bytes=len(value) * 4 + 16)["list"]
        except Refusal:
            return value
    return value
