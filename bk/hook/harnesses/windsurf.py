"""Windsurf (Cascade): an action a kind of tool with its facts in `tool_info`; documented, not seen running.

Only exit code 2 and its standard error count; nothing is read from standard output.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "windsurf"
ALIASES = ("cascade",)

EVENTS = {
    "pre_run_command": "pre",
    "pre_read_code": "pre",
    "pre_write_code": "pre",
    "pre_mcp_tool_use": "pre",
    "post_run_command": "post",
    "post_read_code": "post",
    "post_write_code": "post",
    "post_mcp_tool_use": "post",
}

FIELDS = {
    "event": ("agent_action_name",),
    "tool": ("tool",),
    "input": ("input",),
    "cwd": ("cwd",),
    "session": ("trajectory_id",),
    "tool_use_id": ("execution_id",),
    "response": ("mcp_result",),
}

TOOLS = {"run_command": "shell", "read_code": "read", "write_code": "edit"}

NEEDED = {"run_command": "command_line", "read_code": "file_path", "write_code": "file_path"}

MCP = ("", "")

DENY = ""
DENY_EXIT = 2

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, ""), "deny": (DENY_EXIT, DENY)},
    "post": {"allow": (0, ""), "warn": (0, ""), "deny": (0, "")},
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The action as a tool, and its facts as the input."""
    action, info = payload.get("agent_action_name"), payload.get("tool_info")
    if type(action) is not str or type(info) is not dict:
        return payload
    tool = action.partition("_")[2]
    flat = {**payload, "tool": tool, "input": info if NEEDED.get(tool, "mcp_tool_name") in info else None}
    if info.get("cwd"):
        flat["cwd"] = info["cwd"]
    if flat["tool"] == "mcp_tool_use":
        flat["bk.mcp"] = (info.get("mcp_server_name") or "", info.get("mcp_tool_name") or "")
        flat |= {"input": info.get("mcp_tool_arguments"), "mcp_result": info.get("mcp_result")}
    return flat
