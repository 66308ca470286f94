"""Kilo Code (measured with 7.7): OpenCode's plugin interface and names."""

from bk.hook.harnesses.opencode import DENY, DENY_EXIT, EVENTS, FIELDS, MCP, REPLIES, TOOLS, unpacked

NAME = "kilo"
ALIASES = ("kilocode",)

__all__ = ["ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "MCP", "NAME", "REPLIES", "TOOLS", "unpacked"]
