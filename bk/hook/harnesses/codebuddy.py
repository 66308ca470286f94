"""CodeBuddy: documented to take Claude's hooks as they are; not seen running."""

from bk.hook.harnesses.claude_code import DENY, DENY_EXIT, EVENTS, FIELDS, MCP, TOOLS
from bk.hook.harnesses.droid import REPLIES

NAME = "codebuddy"
ALIASES = ()

__all__ = ["ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "MCP", "NAME", "REPLIES", "TOOLS"]
