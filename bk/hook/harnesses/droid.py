"""Factory's Droid (measured with 0.225): Claude's shape, names of its own, three underscores before an MCP tool.

An `ask` runs the call when approvals are skipped, so none is sent.
"""

from bk.hook.harnesses.claude_code import DENY, DENY_EXIT, EVENTS, FIELDS
from bk.hook.harnesses.claude_code import REPLIES as CLAUDES

NAME = "droid"
ALIASES = ("factory",)

TOOLS = {
    "Execute": "shell",
    "Read": "read",
    "Create": "write",
    "Edit": "edit",
    "MultiEdit": "edit",
    "ApplyPatch": "edit",
    "Glob": "search",
    "Grep": "search",
    "LS": "search",
    "FetchUrl": "fetch",
    "WebSearch": "other",
    "Task": "agent",
    "TodoWrite": "other",
    "Skill": "other",
    "ToolSearch": "other",
    "ExitSpecMode": "other",
}

MCP = ("", "___")

REPLIES = {
    "pre": {
        "allow": (0, ""),
        "warn": CLAUDES["pre"]["warn"],
        "deny": (DENY_EXIT, DENY),
    },
    "post": {
        "allow": (0, ""),
        "warn": CLAUDES["post"]["warn"],
        "deny": (
            2,
            '{"decision":"block","reason":%s,"hookSpecificOutput":{"hookEventName":"PostToolUse","additionalContext":%s}}',
        ),
    },
}

__all__ = ["ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "MCP", "NAME", "REPLIES", "TOOLS"]
