"""Antigravity CLI: documented, and measured by others with 1.1. It wants a decision each time; an allow grants nothing.

Silence makes it ask or refuse. `force_ask` asks even where a person once said "always".
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "antigravity"
ALIASES = ("agy",)

EVENTS = {"PreToolUse": "pre", "PostToolUse": "post"}

FIELDS = {
    "event": ("hookEventName", "hook_event_name"),
    "tool": ("name",),
    "input": ("args",),
    "cwd": ("workspacePaths",),
    "session": ("conversationId",),
    "tool_use_id": ("toolCallId",),
    "response": ("toolResult",),
}

TOOLS = {
    "run_command": "shell",
    "send_command_input": "shell",
    "command_status": "other",
    "view_file": "read",
    "view_file_outline": "read",
    "view_code_item": "read",
    "write_to_file": "write",
    "replace_file_content": "edit",
    "multi_replace_file_content": "edit",
    "find_by_name": "search",
    "grep_search": "search",
    "list_dir": "search",
    "codebase_search": "search",
    "read_url_content": "fetch",
    "open_browser_url": "fetch",
    "search_web": "other",
    "browser_subagent": "agent",
    "task_boundary": "other",
    "notify_user": "other",
}

MCP = ("mcp_", "_")

DENY = '{"decision":"deny","reason":%s}'
DENY_EXIT = 2

REPLIES = {
    "pre": {
        "allow": (0, '{"decision":"allow"}'),
        "warn": (0, '{"decision":"allow","reason":%s}'),
        "ask": (0, '{"decision":"force_ask","reason":%s}'),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {"allow": (0, "{}"), "warn": (0, "{}"), "deny": (0, "{}")},
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The call, which stands in `toolCall`, beside the rest."""
    call = payload.get("toolCall")
    return {**payload, "name": call.get("name"), "args": call.get("args")} if type(call) is dict else payload
