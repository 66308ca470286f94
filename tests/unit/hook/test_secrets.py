"""A secret is out of reach through every client: read in its shell, and by its tool for files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bk.engine.model import Level
from bk.hook.answer import Pending, prepare
from bk.hook.harness import HARNESSES, harness_data
from bk.hook.request import Request
from tests.unit.decision import House

KEY = "~/.ssh/id_rsa"
LINE = f"cat {KEY}"


def claude(event: str, tool: str, **given: Any) -> dict[str, Any]:
    return {"hook_event_name": event, "tool_name": tool, "tool_input": given, "cwd": "PROJECT"}


def plugin(hook: str, tool: str, **args: Any) -> dict[str, Any]:
    return {"hook": hook, "directory": "PROJECT", "input": {"tool": tool}, "output": {"args": args}}


def cline(tool: str, **given: Any) -> dict[str, Any]:
    return {"hookName": "tool_call", "workspaceRoots": ["PROJECT"], "tool_call": {"name": tool, "input": given}}


def action(name: str, **info: Any) -> dict[str, Any]:
    return {"agent_action_name": name, "tool_info": info}


def called(name: str, **args: Any) -> dict[str, Any]:
    return {"toolCall": {"name": name, "args": args}, "workspacePaths": ["PROJECT"]}


def claw(tool: str, **params: Any) -> dict[str, Any]:
    return {"hook": "before_tool_call", "event": {"toolName": tool, "params": params}, "ctx": {}}


def copilot(tool: str, **args: Any) -> dict[str, Any]:
    return {"toolName": tool, "toolArgs": json.dumps(args), "cwd": "PROJECT"}


def openhands(tool: str, **given: Any) -> dict[str, Any]:
    return {"event_type": "PreToolUse", "tool_name": tool, "tool_input": given, "working_dir": "PROJECT"}


# client -> what its shell is asked, what its tool for files is asked (Codex has none: patches name the file)
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "claude-code": (claude("PreToolUse", "Bash", command=LINE), claude("PreToolUse", "Read", file_path=KEY)),
    "codex": (
        claude("PreToolUse", "Bash", command=LINE),
        claude("PreToolUse", "apply_patch", command=f"*** Begin Patch\n*** Delete File: {KEY}\n*** End Patch"),
    ),
    "gemini": (
        claude("BeforeTool", "run_shell_command", command=LINE),
        claude("BeforeTool", "read_file", absolute_path=KEY),
    ),
    "qwen": (
        claude("PreToolUse", "run_shell_command", command=LINE),
        claude("PreToolUse", "read_file", file_path=KEY),
    ),
    "copilot": (copilot("bash", command=LINE), copilot("view", path=KEY)),
    "cursor": (
        {"hook_event_name": "beforeShellExecution", "command": LINE, "cwd": "", "workspace_roots": ["PROJECT"]},
        {"hook_event_name": "beforeReadFile", "file_path": KEY, "content": "x", "workspace_roots": ["PROJECT"]},
    ),
    "windsurf": (action("pre_run_command", command_line=LINE, cwd="PROJECT"), action("pre_read_code", file_path=KEY)),
    "augment": (
        claude("PreToolUse", "launch-process", command=LINE, cwd="PROJECT"),
        claude("PreToolUse", "view", path=KEY),
    ),
    "droid": (claude("PreToolUse", "Execute", command=LINE), claude("PreToolUse", "Read", file_path=KEY)),
    "cline": (cline("run_commands", commands=["ls", LINE]), cline("read_files", files=[{"path": "a"}, {"path": KEY}])),
    "opencode": (
        plugin("tool.execute.before", "bash", command=LINE),
        plugin("tool.execute.before", "read", filePath=KEY),
    ),
    "kilo": (plugin("tool.execute.before", "bash", command=LINE), plugin("tool.execute.before", "read", filePath=KEY)),
    "hermes": (
        claude("pre_tool_call", "terminal", command=LINE),
        claude("pre_tool_call", "read_file", path=KEY),
    ),
    "kimi": (claude("PreToolUse", "Bash", command=LINE), claude("PreToolUse", "Read", path=KEY)),
    "vibe": (
        claude("pre_tool", "file_system.bash", command=LINE),
        claude("pre_tool", "file_system.read_file", file_path=KEY),
    ),
    "openhands": (openhands("terminal", command=LINE), openhands("file_editor", command="view", path=KEY)),
    "openclaw": (claw("exec", command=LINE), claw("read", path=KEY)),
    "codebuddy": (claude("PreToolUse", "Bash", command=LINE), claude("PreToolUse", "Read", file_path=KEY)),
    "antigravity": (called("run_command", CommandLine=LINE, Cwd="PROJECT"), called("view_file", AbsolutePath=KEY)),
    "generic": (
        {"toolName": "bash", "toolInput": {"command": LINE}, "cwd": "PROJECT"},
        {"method": "tools/call", "params": {"name": "read_text_file", "arguments": {"path": KEY}}, "cwd": "PROJECT"},
    ),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


def asked(house: House, client: str, payload: dict[str, Any]) -> Pending:
    body = json.dumps(payload).replace("PROJECT", house.project).encode()
    return prepare(Request(client, "", house.project, house.home, "0" * 32, {}, body), house.world)


def level(pending: Pending) -> Level:
    return Level.of(pending.entries[0].level)


def test_every_client_is_asked() -> None:
    assert set(ASKED) == {harness_data(name).NAME for name in HARNESSES} - {"shim"}


@pytest.mark.parametrize("client", ASKED)
@pytest.mark.parametrize("way", [0, 1], ids=["shell", "file"])
def test_a_key_cannot_be_read(house: House, client: str, way: int) -> None:
    pending = asked(house, client, ASKED[client][way])
    assert level(pending) >= Level.BLOCK
    assert not pending.entries[0].data.get("failure"), "it is the path that is refused, not the payload"


@pytest.mark.parametrize("client", ASKED)
def test_the_same_calls_with_another_file_go_through(house: House, client: str) -> None:
    """What was refused above was refused for the key."""
    for payload in ASKED[client]:
        harmless = json.loads(json.dumps(payload).replace(KEY, "README.md"))
        assert level(asked(house, client, harmless)) <= Level.WARN


@pytest.mark.parametrize("client", sorted(set(ASKED) - {"codex", "cursor", "windsurf"}))  # these name no tool for it
def test_a_tool_that_nobody_described_is_judged_by_its_arguments(house: House, client: str) -> None:
    text = json.dumps(ASKED[client][1])
    for tool in ("Read", "read_file", "view_file", "view", "read_files", "read_text_file", "file_system.read_file"):
        text = text.replace(f'"{tool}"', '"GetThisFile"')
    text = text.replace('"read"', '"GetThisFile"').replace('"file_editor"', '"GetThisFile"')
    assert "GetThisFile" in text
    pending = asked(house, client, json.loads(text))
    assert level(pending) >= Level.BLOCK
    if client != "generic":
        assert pending.entries[0].data["unknown_tool"] is True


def test_a_program_to_be_typed_into_is_refused_where_typing_is_unseen(house: House) -> None:
    for line in ("bash", "bash -i", "python3 -q", "sudo -u dev node", "sqlite3 a.db", "exec zsh"):
        assert level(asked(house, "codex", claude("PreToolUse", "Bash", command=line))) >= Level.BLOCK, line
        other = asked(house, "claude-code", claude("PreToolUse", "Bash", command=line))
        assert "shells/unseen" not in json.dumps(other.entries[0].data), line
    for line in ("bash run.sh", "python3 -m json.tool a.json", "echo ls | bash", "node -e 1", "python3 --version"):
        entry = asked(house, "codex", claude("PreToolUse", "Bash", command=line)).entries[0]
        assert "shells/unseen" not in json.dumps(entry.data), line
