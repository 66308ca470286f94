"""Codex (measured with 0.169): Claude's shape, and a parser that drops an answer with any key it does not know.

`ask` and `allow` make Codex give the hook up and run the call, so neither is ever sent. What is typed into a running
program (`write_stdin`) is shown to no hook: a policy of its own refuses to start one that waits for it.
"""

from bk.hook.harnesses.claude_code import DENY, DENY_EXIT, EVENTS, FIELDS, MCP

NAME = "codex"
ALIASES = ()

TOOLS = {
    "Bash": "shell",
    "shell": "shell",
    "exec_command": "shell",
    "local_shell": "shell",
    "apply_patch": "edit",
    "view_image": "read",
    "read_file": "read",
    "list_dir": "search",
    "grep_files": "search",
    "update_plan": "other",
    "web_search": "other",
    "spawn_agent": "agent",
}

HIDES = (0, '{"decision":"block","reason":%t}')

REPLIES = {
    "pre": {
        "allow": (0, ""),
        "warn": (
            0,
            '{"systemMessage":%s,"hookSpecificOutput":{"hookEventName":"PreToolUse","additionalContext":%s}}',
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

__all__ = ["ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "HIDES", "MCP", "NAME", "REPLIES", "TOOLS"]
