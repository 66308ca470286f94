"""Auggie, Augment's CLI (measured with 0.36): Claude's shape, names of its own, a flag on calls of MCP tools.

Its hooks act only where the vendor's service says so. An `ask` runs the call when approvals are skipped.
"""

from bk.hook.harnesses.claude_code import DENY, DENY_EXIT, EVENTS, MCP
from bk.hook.harnesses.droid import REPLIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "augment"
ALIASES = ("auggie",)

FIELDS = {
    "event": ("hook_event_name",),
    "tool": ("tool_name",),
    "input": ("tool_input",),
    "cwd": ("workspace_roots",),
    "session": ("conversation_id",),
    "tool_use_id": ("tool_use_id",),
    "response": ("tool_output",),
}

TOOLS = {
    "launch-process": "shell",
    "write-process": "shell",
    "read-process": "other",
    "kill-process": "other",
    "list-processes": "other",
    "read-terminal": "other",
    "view": "read",
    "save-file": "write",
    "str-replace-editor": "edit",
    "apply_patch": "edit",
    "codebase-retrieval": "other",
    "web-fetch": "fetch",
    "web-search": "other",
    "open-browser": "fetch",
    "view_tasklist": "other",
    "sub-agent": "agent",
}


WARNS_AFTER = True


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The payload with the MCP server of a flagged call; before a call its output is a word for nothing."""
    flat = dict(payload)
    if flat.get("hook_event_name") == "PreToolUse":
        flat.pop("tool_output", None)
    tool = flat.get("tool_name")
    if flat.get("is_mcp_tool") is True and type(tool) is str:
        name, _, server = tool.rpartition("_")
        flat["bk.mcp"] = (server, name) if name else ("", tool)
    return flat


__all__ = [
    "ALIASES", "DENY", "DENY_EXIT", "EVENTS", "FIELDS", "MCP", "NAME", "REPLIES", "TOOLS", "WARNS_AFTER", "unpacked",
]  # fmt: skip
