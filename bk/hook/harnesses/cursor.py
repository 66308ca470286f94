"""Cursor: an event a kind of tool, and a general one since; documented, and measured by others on its CLI.

Its shell event has no tool name and no input, and its MCP event no server. An explicit allow is a grant, silence may
be read as a broken hook: an empty object says neither. `ask` is not honoured by the CLI.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "cursor"
ALIASES = ("cursor-agent",)

EVENTS = {
    "preToolUse": "pre",
    "beforeShellExecution": "pre",
    "beforeMCPExecution": "pre",
    "beforeReadFile": "pre",
    "beforeTabFileRead": "pre",
    "postToolUse": "post",
    "postToolUseFailure": "post",
    "afterShellExecution": "post",
    "afterMCPExecution": "post",
    "afterFileEdit": "post",
    "afterTabFileEdit": "post",
}

FIELDS = {
    "event": ("hook_event_name",),
    "tool": ("tool_name",),
    "input": ("tool_input",),
    "cwd": ("cwd", "workspace_roots"),
    "session": ("conversation_id",),
    "tool_use_id": ("tool_use_id",),
    "response": ("tool_output",),
}

TOOLS = {
    "Shell": "shell",
    "Read": "read",
    "TabRead": "read",
    "Write": "write",
    "StrReplace": "edit",
    "Edit": "edit",
    "ApplyPatch": "edit",
    "Delete": "other",
    "Grep": "search",
    "Glob": "search",
    "LS": "search",
    "SemanticSearch": "other",
    "WebFetch": "fetch",
    "WebSearch": "other",
    "Task": "agent",
    "TodoWrite": "other",
}

MCP = ("", "")

DENY = '{"permission":"deny","user_message":%s,"agent_message":%s}'
DENY_EXIT = 2

REPLIES = {
    "pre": {
        "allow": (0, "{}"),
        "warn": (0, '{"user_message":%s,"agent_message":%s}'),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {"allow": (0, "{}"), "warn": (0, '{"additional_context":%s}'), "deny": (0, '{"additional_context":%s}')},
}

_SHELL = ("beforeShellExecution", "afterShellExecution")
_MCP = ("beforeMCPExecution", "afterMCPExecution")
_READ = ("beforeReadFile", "beforeTabFileRead")
_EDIT = ("afterFileEdit", "afterTabFileEdit")


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The payload of any event as that of the general one."""
    event = payload.get("hook_event_name")
    flat = dict(payload)
    if not flat.get("cwd"):
        flat.pop("cwd", None)  # the CLI sends an empty one
    if event in _SHELL:
        flat |= {"tool_name": "Shell", "tool_input": _picked(payload, "command"), "tool_output": payload.get("output")}
    elif event in _READ:
        flat |= {"tool_name": "Read", "tool_input": _picked(payload, "file_path")}
    elif event in _EDIT:
        flat |= {"tool_name": "Edit", "tool_input": _picked(payload, "file_path", "edits")}
    elif event in _MCP:
        flat |= {"bk.mcp": ("", payload.get("tool_name")), "tool_output": payload.get("result_json")}
    tool = flat.get("tool_name")
    if type(tool) is str and tool.startswith("MCP:"):
        flat["bk.mcp"] = ("", tool[4:])
    return flat


def _picked(payload: "Mapping[str, Json]", *names: str) -> "Json":
    """The parts that must be there; nothing when one is missing, which is refused further on."""
    return {name: payload[name] for name in names} if all(name in payload for name in names) else None
