"""OpenCode (measured with 1.18): a plugin of ours hands each call to the guard and throws when it is not let through.

The plugin wants a decision in words; anything else it reads as a no.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

NAME = "opencode"
ALIASES = ()

EVENTS = {"tool.execute.before": "pre", "tool.execute.after": "post"}

FIELDS = {
    "event": ("hook",),
    "tool": ("tool",),
    "input": ("args",),
    "cwd": ("directory",),
    "session": ("sessionID",),
    "tool_use_id": ("callID",),
    "response": ("output",),
}

TOOLS = {
    "bash": "shell",
    "read": "read",
    "write": "write",
    "edit": "edit",
    "multiedit": "edit",
    "patch": "edit",
    "apply_patch": "edit",
    "glob": "search",
    "grep": "search",
    "list": "search",
    "webfetch": "fetch",
    "websearch": "other",
    "codesearch": "other",
    "lsp": "other",
    "task": "agent",
    "skill": "other",
    "question": "other",
    "todowrite": "other",
    "todoread": "other",
}

MCP = ("", "_")

WARNS_AFTER = True

DENY = '{"decision":"deny","reason":%s}'
DENY_EXIT = 2

HIDES = (0, '{"decision":"allow","output":%t}')

REPLIES = {
    "pre": {
        "allow": (0, '{"decision":"allow"}'),
        "warn": (0, '{"decision":"allow","warning":%s}'),
        "deny": (DENY_EXIT, DENY),
    },
    "post": {
        "allow": (0, '{"decision":"allow"}'),
        "warn": (0, '{"decision":"allow","warning":%s}'),
        "deny": (2, DENY),
    },
}


def unpacked(payload: "Mapping[str, Json]") -> "Mapping[str, Json]":
    """The call, spread over two objects by the plugin interface, in one."""
    told, done = payload.get("input"), payload.get("output")
    if type(told) is not dict:
        return payload
    flat = {**payload, **{name: told[name] for name in ("tool", "sessionID", "callID", "args") if name in told}}
    if type(done) is dict:
        flat["output"] = done.get("output")
        if "args" in done:  # before a call they are here, where they may be rewritten
            flat["args"] = done["args"]
    return flat
