"""Claude Code (contract as documented and as measured with 2.1): PreToolUse and PostToolUse command hooks.

An explicit allow is never sent: Claude takes it as a grant and would skip its own question to the user. A warning
goes out twice because `systemMessage` reaches only the user and `additionalContext` only the model.
"""

NAME = "claude-code"
ALIASES = ("claude",)

EVENTS = {"PreToolUse": "pre", "PostToolUse": "post", "PostToolUseFailure": "post"}

FIELDS = {
    "event": ("hook_event_name", "hookEventName"),
    "tool": ("tool_name", "toolName"),
    "input": ("tool_input", "toolInput"),
    "cwd": ("cwd",),
    "session": ("session_id", "sessionId"),
    "tool_use_id": ("tool_use_id", "toolUseId"),
    "response": ("tool_response", "toolResponse"),
}

TOOLS = {
    "Bash": "shell",
    "BashOutput": "other",
    "KillShell": "other",
    "PowerShell": "shell",
    "Monitor": "shell",
    "Read": "read",
    "NotebookRead": "read",
    "Write": "write",
    "Edit": "edit",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Glob": "search",
    "Grep": "search",
    "LS": "search",
    "WebFetch": "fetch",
    "WebSearch": "other",
    "Task": "agent",
    "Agent": "agent",
    "TodoWrite": "other",
    "AskUserQuestion": "other",
    "EnterPlanMode": "other",
    "ExitPlanMode": "other",
    "Skill": "other",
    "TaskOutput": "other",
    "TaskStop": "other",
    "ToolSearch": "other",
}

# (what the name starts with, what stands between server and tool)
MCP = ("mcp__", "__")

# Replies by event and answer: (exit code, stdout with %s for the reason as a JSON string). "" prints nothing.
DENY = '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":%s}}'
DENY_EXIT = 2

# How a secret in an output is kept from the model: the output in its own shape, without it.
HIDES = (
    0,
    '{"hookSpecificOutput":{"hookEventName":"PostToolUse","updatedToolOutput":%o,"additionalContext":%s}}',
)

REPLIES = {
    "pre": {
        "allow": (0, ""),
        "warn": (
            0,
            '{"systemMessage":%s,"hookSpecificOutput":{"hookEventName":"PreToolUse","additionalContext":%s}}',
        ),
        "ask": (
            0,
            '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"ask",'
            '"permissionDecisionReason":%s}}',
        ),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {
        "allow": (0, ""),
        "warn": (
            0,
            '{"systemMessage":%s,"hookSpecificOutput":{"hookEventName":"PostToolUse","additionalContext":%s}}',
        ),
        "deny": (2, '{"decision":"block","reason":%s}'),
    },
}
