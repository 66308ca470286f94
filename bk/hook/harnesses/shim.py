"""Our own stand-ins for package managers: a command line and where it was given, outside any agent."""

NAME = "shim"
ALIASES = ()

EVENTS = {"pre": "pre"}

FIELDS = {
    "event": ("event",),
    "tool": ("tool",),
    "input": ("input",),
    "cwd": ("cwd",),
    "session": ("session",),
    "tool_use_id": ("id",),
    "response": ("response",),
}

TOOLS = {"run": "shell"}

MCP = ("", "")

DENY = ""
DENY_EXIT = 2

REPLIES = {
    "pre": {"allow": (0, ""), "warn": (0, '{"warning":%s}'), "deny": (DENY_EXIT, DENY)},
    "post": {"allow": (0, ""), "warn": (0, ""), "deny": (0, "")},
}
