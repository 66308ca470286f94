"""GitHub Copilot CLI (measured with 1.0): its own camelCase payload, or Claude's shape when the file names it so.

Its own payload does not name the event, so the installed command does (`--event postToolUse`). Of an exit code 2
alone the model hears no reason; the answer therefore carries it twice, once for either shape of configuration.
"""

from bk.hook.harnesses.claude_code import TOOLS as CLAUDES

NAME = "copilot"
ALIASES = ("copilot-cli",)

EVENTS = {"preToolUse": "pre", "PreToolUse": "pre", "postToolUse": "post", "PostToolUse": "post"}

FIELDS = {
    "event": ("hook_event_name", "hookEventName"),
    "tool": ("toolName", "tool_name"),
    "input": ("toolArgs", "tool_input"),
    "cwd": ("cwd",),
    "session": ("sessionId", "session_id"),
    "tool_use_id": ("toolCallId", "tool_use_id"),
    "response": ("toolResult", "tool_response", "tool_result"),
}

TOOLS = {
    **CLAUDES,
    "bash": "shell",
    "powershell": "shell",
    "write_bash": "shell",
    "write_powershell": "shell",
    "read_bash": "other",
    "stop_bash": "other",
    "list_bash": "other",
    "view": "read",
    "show_file": "read",
    "create": "write",
    "edit": "edit",
    "str_replace": "edit",
    "apply_patch": "edit",
    "glob": "search",
    "grep": "search",
    "rg": "search",
    "web_fetch": "fetch",
    "web_search": "other",
    "task": "agent",
    "skill": "other",
    "report_intent": "other",
    "update_todo": "other",
    "ask_user": "other",
}

MCP = ("", "-")

DENY = (
    '{"permissionDecision":"deny","permissionDecisionReason":%s,"hookSpecificOutput":{"hookEventName":"PreToolUse",'
    '"permissionDecision":"deny","permissionDecisionReason":%s}}'
)
DENY_EXIT = 2

HIDES = (0, '{"modifiedResult":{"resultType":"success","textResultForLlm":%t}}')

REPLIES = {
    "pre": {
        "allow": (0, ""),
        "warn": (0, '{"systemMessage":%s,"additionalContext":%s}'),
        "ask": (
            0,
            '{"permissionDecision":"ask","permissionDecisionReason":%s,"hookSpecificOutput":{"hookEventName":'
            '"PreToolUse","permissionDecision":"ask","permissionDecisionReason":%s}}',
        ),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {
        "allow": (0, ""),
        "warn": (0, '{"additionalContext":%s}'),
        "deny": (0, '{"modifiedResult":{"resultType":"success","textResultForLlm":%s}}'),
    },
}
