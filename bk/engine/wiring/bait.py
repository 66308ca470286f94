"""A call that every installation stops, as each client would send it, and whether an answer stops that client. Pure."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json
    from bk.engine.wiring.plans import Client

LINE = "cat ~/.ssh/id_ed25519"
# client -> its name for the event, for the tool, and for the command in the tool's input
_CLAUDE = ("PreToolUse", "Bash", "command")
_TOOLS = {
    "gemini": ("BeforeTool", "run_shell_command", "command"),
    "qwen": ("PreToolUse", "run_shell_command", "command"),
    "augment": ("PreToolUse", "launch-process", "command"),
    "droid": ("PreToolUse", "Execute", "command"),
    "hermes": ("pre_tool_call", "terminal", "command"),
    "vibe": ("pre_tool", "file_system.bash", "command"),
}


def bait(client: str, cwd: str) -> bytes:
    """The call, in the client's own words."""
    event, tool, key = _TOOLS.get(client, _CLAUDE)
    told: dict[str, Json] = {
        "hook_event_name": event, "tool_name": tool, "tool_input": {key: LINE}, "session_id": "bk-verify",
        "cwd": cwd, "workspace_roots": [cwd],
    }  # fmt: skip
    if client == "copilot":
        told = {"toolName": "bash", "toolArgs": {"command": LINE}, "cwd": cwd, "sessionId": "bk-verify"}
    elif client == "cursor":
        told = {"hook_event_name": "beforeShellExecution", "command": LINE, "cwd": cwd, "workspace_roots": [cwd]}
    elif client == "windsurf":
        told = {"agent_action_name": "pre_run_command", "tool_info": {"command_line": LINE, "cwd": cwd}}
    elif client == "cline":
        told = {"hookName": "tool_call", "workspaceRoots": [cwd],
                "tool_call": {"name": "run_commands", "input": {"commands": [LINE]}}}  # fmt: skip
    elif client in ("opencode", "kilo"):
        told = {"hook": "tool.execute.before", "directory": cwd, "input": {"tool": "bash", "callID": "bk-verify"},
                "output": {"args": {"command": LINE}}}  # fmt: skip
    elif client == "openclaw":
        told = {"hook": "before_tool_call", "cwd": cwd, "event": {"toolName": "exec", "params": {"command": LINE}}}
    elif client == "openhands":
        told = {"event_type": "PreToolUse", "tool_name": "terminal", "tool_input": {"command": LINE},
                "working_dir": cwd}  # fmt: skip
    elif client == "antigravity":
        told = {"toolCall": {"name": "run_command", "args": {"CommandLine": LINE, "Cwd": cwd}},
                "workspacePaths": [cwd]}  # fmt: skip
    return json.dumps(told).encode()


def stopped(client: Client, code: int, stdout: bytes, stderr: bytes) -> bool:
    """Whether the client would stop, and for the call itself: by its decision where it reads one, else by exit code 2.

    A guard that says no to everything, because it does not know the client or cannot decide, is none that works.
    """
    if b".ssh" not in stderr:
        return False
    if client.deny:
        try:
            said = json.loads(stdout)
        except ValueError:
            return False
        return code == client.deny_exit and _same(said, json.loads(client.deny.replace("%s", '""')))
    return code == 2 and bool(stderr.strip())


def _same(said: Json, wanted: Json) -> bool:
    if isinstance(wanted, dict):
        return isinstance(said, dict) and all(_same(said.get(key), value) for key, value in wanted.items())
    return bool(said) if wanted == "" else said == wanted
