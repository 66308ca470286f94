"""Gemini CLI (measured with 0.61): BeforeTool and AfterTool, a decision of its own shape.

An `ask` hangs a session that has no terminal, so none is sent. Exit code 2 with nothing on standard error is taken
for a yes. The MCP server of a call is told beside the tool's name, which alone does not say where it ends.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "gemini"
ALIASES = ("gemini-cli",)

EVENTS = {"BeforeTool": "pre", "AfterTool": "post"}

FIELDS = {
    "event": ("hook_event_name",),
    "tool": ("tool_name",),
    "input": ("tool_input",),
    "cwd": ("cwd",),
    "session": ("session_id",),
    "tool_use_id": ("tool_use_id",),
    "response": ("tool_response",),
}

TOOLS = {
    "run_shell_command": "shell",
    "read_file": "read",
    "read_many_files": "read",
    "write_file": "write",
    "replace": "edit",
    "glob": "search",
    "grep_search": "search",
    "search_file_content": "search",
    "list_directory": "search",
    "web_fetch": "fetch",
    "google_web_search": "other",
    "save_memory": "other",
    "write_todos": "other",
    "activate_skill": "other",
    "ask_user": "other",
    "enter_plan_mode": "other",
    "exit_plan_mode": "other",
}

MCP = ("mcp_", "_")

WARNS_AFTER = True

DENY = '{"decision":"deny","reason":%s}'
DENY_EXIT = 2

HIDES = (0, '{"decision":"deny","reason":%t}')

REPLIES = {
    "pre": {
        "allow": (0, ""),
        "warn": (0, '{"systemMessage":%s}'),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {
        "allow": (0, ""),
        "warn": (0, '{"systemMessage":%s,"hookSpecificOutput":{"hookEventName":"AfterTool","additionalContext":%s}}'),
        "deny": (2, DENY),
    },
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The payload with the MCP server where `harness.py` looks for it."""
    context = payload.get("mcp_context")
    if type(context) is not dict:
        return payload
    server, tool = context.get("server_name"), context.get("tool_name")
    if type(server) is not str or type(tool) is not str:
        return payload
    return {**payload, "bk.mcp": (server, tool)}
