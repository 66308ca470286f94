"""Qwen Code (measured with 0.24): Claude's shape with Gemini's tool names.

A headless `ask` is taken for a no. The output of a call that has run cannot be replaced, only commented on.
"""

from bk.hook.harnesses import gemini
from bk.hook.harnesses.claude_code import DENY, DENY_EXIT, EVENTS, FIELDS, MCP
from bk.hook.harnesses.claude_code import REPLIES as CLAUDES

NAME = "qwen"
ALIASES = ("qwen-code",)

TOOLS = {
    **gemini.TOOLS,
    "edit": "edit",
    "notebook_edit": "edit",
    "monitor": "shell",
    "task": "agent",
    "agent": "agent",
    "todo_write": "other",
    "skill": "other",
    "tool_search": "other",
}

WARNS_AFTER = True

REPLIES = {
    "pre": CLAUDES["pre"],
    "post": {
        "allow": (0, ""),
        "warn": CLAUDES["post"]["warn"],
        "deny": (
            2,
            '{"decision":"block","reason":%s,"hookSpecificOutput":{"hookEventName":"PostToolUse","additionalContext":%s}}',
        ),
    },
}

__all__ = ["ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "MCP", "NAME", "REPLIES", "TOOLS", "WARNS_AFTER"]
