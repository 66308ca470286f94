"""A client that nobody here knows: its payload by the shapes that clients share, its tools by their arguments.

Either Claude's fields in both spellings, or a JSON-RPC request `tools/call` of a gateway. The answer says no in every
dialect at once, on standard error, and by exit code 2.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "generic"
ALIASES = ()

EVENTS = {
    "PreToolUse": "pre",
    "preToolUse": "pre",
    "pre_tool_use": "pre",
    "pre": "pre",
    "tools/call": "pre",
    "PostToolUse": "post",
    "postToolUse": "post",
    "post_tool_use": "post",
    "post": "post",
}

FIELDS = {
    "event": ("hook_event_name", "hookEventName", "event", "method"),
    "tool": ("tool_name", "toolName", "tool"),
    "input": ("tool_input", "toolInput", "tool_args", "toolArgs", "arguments", "args", "input"),
    "cwd": ("cwd", "working_dir", "workspace_roots", "workspaceRoots"),
    "session": ("session_id", "sessionId", "conversation_id"),
    "tool_use_id": ("tool_use_id", "toolUseId", "tool_call_id", "toolCallId", "id"),
    "response": ("tool_response", "toolResponse", "tool_output", "toolResult", "result"),
}

TOOLS = {"Bash": "shell", "bash": "shell", "shell": "shell", "exec": "shell", "run_shell_command": "shell"}

MCP = ("mcp__", "__")

DENY = (
    '{"decision":"deny","reason":%s,"permissionDecision":"deny","permissionDecisionReason":%s,"permission":"deny",'
    '"cancel":true,"errorMessage":%s,"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny",'
    '"permissionDecisionReason":%s}}'
)
DENY_EXIT = 2

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, '{"systemMessage":%s}'), "deny": (DENY_EXIT, DENY)},
    "post": {"allow": (0, ""), "warn": (0, '{"systemMessage":%s}'), "deny": (2, '{"decision":"block","reason":%s}')},
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """A `tools/call` request as a call of an MCP tool; anything else as it is. One that names a tool in both ways
    names none: nobody can tell which of them the client would run."""
    params = payload.get("params")
    if payload.get("method") != "tools/call":
        return payload
    if type(params) is not dict or any(name in payload for name in FIELDS["tool"]):
        return {}
    name = params.get("name")
    return {**payload, "tool_name": name, "tool_input": params.get("arguments", {}), "bk.mcp": ("", name)}
