"""Kilo Code (measured with 7.7): OpenCode's plugin interface and names."""

from bk.hook.harnesses.opencode import (
    DENY,
    DENY_EXIT,
    EVENTS,
    FIELDS,
    HIDES,
    MCP,
    REPLIES,
    TOOLS,
    WARNS_AFTER,
    unpacked,
)

NAME = "kilo"
ALIASES = ("kilocode",)

__all__ = [
    "ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "HIDES", "MCP", "NAME", "REPLIES", "TOOLS", "WARNS_AFTER",
    "unpacked",
]  # fmt: skip
