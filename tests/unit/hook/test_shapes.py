"""However a client spells a call (lists of words, patches, lists of files, JSON in a text), what it does is seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bk.engine.model import Level
from bk.hook.answer import prepare
from bk.hook.harness import call_of, harness_data
from bk.hook.request import Request
from tests.unit.decision import House
from tests.unit.hook.test_secrets import (
    KEY,
    LINE,
    action,
    asked,
    claude,
    claw,
    cline,
    copilot,
    level,
    openhands,
    plugin,
)

KEYS = "~/.ssh/authorized_keys"


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def older(tool: str, **given: str) -> dict[str, Any]:
    return {
        "hookName": "PreToolUse", "workspaceRoots": ["PROJECT"], "preToolUse": {"toolName": tool, "parameters": given}
    }  # fmt: skip


def cursor(event: str, **more: Any) -> dict[str, Any]:
    return {"hook_event_name": event, "workspace_roots": ["PROJECT"], **more}


SHAPES: list[tuple[str, str, dict[str, Any]]] = [
    ("a list of words", "claude-code", claude("PreToolUse", "Bash", command=["bash", "-lc", LINE])),
    ("a list of words, codex", "codex", claude("PreToolUse", "shell", command=["bash", "-lc", LINE])),
    ("words in an action", "codex", claude("PreToolUse", "local_shell", action={"command": ["cat", KEY]})),
    ("another name", "codex", claude("PreToolUse", "exec_command", cmd=LINE)),
    ("a patch", "codex", claude("PreToolUse", "apply_patch", command=patch(f"*** Add File: {KEYS}", "+x"))),
    ("a patch that moves", "codex",
     claude("PreToolUse", "apply_patch", command=patch("*** Update File: a", f"*** Move to: {KEYS}", "@@", "+x"))),
    ("a patch in a line", "codex",
     claude("PreToolUse", "Bash", command=f"apply_patch <<'E'\n{patch(f'*** Update File: {KEYS}', '@@', '+x')}\nE")),
    ("a patch in a text of JSON", "codex",
     {**claude("PreToolUse", "apply_patch"), "tool_input": json.dumps({"input": patch(f"*** Delete File: {KEY}")})}),
    ("a patch, opencode", "opencode",
     plugin("tool.execute.before", "patch", patchText=patch(f"*** Update File: {KEYS}", "@@", "+x"))),
    ("several commands", "cline", cline("run_commands", commands=["ls", LINE])),
    ("commands that are objects", "cline", cline("run_commands", commands=[{"command": "ls"}, {"command": LINE}])),
    ("commands in a text", "cline", older("run_commands", commands=json.dumps(["ls", LINE]))),
    ("files in a text", "cline", older("read_files", files=json.dumps([{"path": "a"}, {"path": KEY}]))),
    ("files to include", "gemini", claude("BeforeTool", "read_many_files", include=["a", KEY])),
    ("several files", "qwen", claude("PreToolUse", "read_many_files", paths=["a", KEY])),
    ("files to remove", "augment", claude("PreToolUse", "remove-files", file_paths=[KEY])),
    ("typed into a shell", "augment", claude("PreToolUse", "write-process", terminal_id=1, input_text=f"{LINE}\n")),
    ("typed into a shell, copilot", "copilot", copilot("write_bash", shellId="1", input=LINE)),
    ("typed into a shell, hermes", "hermes", claude("pre_tool_call", "process", action="write", data=LINE)),
    ("an object, not a text", "copilot", {"toolName": "bash", "toolArgs": {"command": LINE}, "cwd": "PROJECT"}),
    ("a program in Python", "hermes",
     claude("pre_tool_call", "execute_code", code="print(open('/root/.ssh/id_rsa').read())")),
    ("a program in JavaScript", "vibe",
     claude("pre_tool", "run_typescript", code="await tools.file_system.read_file({path: '/root/.ssh/id_rsa'})")),
    ("a wrapped tool", "openclaw", claw("tool_call", id="exec", args={"command": LINE})),
    ("a wrapped MCP tool", "openclaw", claw("tool_call", id="fs__read", args={"path": KEY})),
    ("wrapped twice", "openclaw", claw("tool_call", id="tool_call", args={"id": "exec", "args": {"command": LINE}})),
    ("the general event", "cursor", cursor("preToolUse", tool_name="Shell", tool_input={"command": LINE})),
    ("a deletion", "cursor", cursor("preToolUse", tool_name="Delete", tool_input={"path": KEY})),
    ("MCP with a text", "cursor",
     cursor("beforeMCPExecution", tool_name="read", tool_input=json.dumps({"path": KEY}), command="npx x")),
    ("MCP, windsurf", "windsurf",
     action("pre_mcp_tool_use", mcp_server_name="fs", mcp_tool_name="read", mcp_tool_arguments={"path": KEY})),
    ("a write, windsurf", "windsurf",
     action("pre_write_code", file_path=KEYS, edits=[{"old_string": "", "new_string": "x"}])),
    ("arguments in a text", "antigravity",
     {"toolCall": {"name": "view_file", "args": json.dumps({"AbsolutePath": KEY})}, "workspacePaths": ["PROJECT"]}),
    ("an editor that creates", "openhands", openhands("file_editor", command="create", path=KEYS, file_text="x")),
    ("a folder, kilo", "kilo", plugin("tool.execute.before", "grep", pattern="BEGIN", path="~/.ssh")),
    ("MCP by a flag", "augment", {**claude("PreToolUse", "read_fs", path=KEY), "is_mcp_tool": True}),
    ("MCP, droid", "droid", claude("PreToolUse", "fs___read", path=KEY)),
    ("camelCase", "generic", {"hookEventName": "preToolUse", "toolName": "X", "toolArgs": json.dumps({"cmd": LINE})}),
    ("JSON-RPC", "generic",
     {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "run", "arguments": {"cmd": LINE}}}),
]  # fmt: skip

UNKNOWN: list[dict[str, Any]] = [
    {"a": {"b": [{"c": LINE}]}}, {"run": LINE}, {"script": LINE}, {"argv": ["cat", KEY]}, {"uri": "file:///root/.ssh/id_rsa"},
    {"args": json.dumps({"command": LINE})}, {"payload": json.dumps([{"path": KEY}])},
    {"input": json.dumps({"arguments": json.dumps({"path": KEY})})},
]  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(("client", "payload"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_it_is_seen_in_every_shape(house: House, client: str, payload: dict[str, Any]) -> None:
    pending = asked(house, client, payload)
    assert level(pending) >= Level.BLOCK
    assert not pending.entries[0].data.get("failure"), "it is what the call does that is refused"
    harmless = json.loads(
        json.dumps(payload).replace(KEY, "README.md").replace(KEYS, "notes.md").replace("~/.ssh", "src")
        .replace("/root/.ssh/id_rsa", "README.md")
    )  # fmt: skip
    assert level(asked(house, client, harmless)) <= Level.ASK


@pytest.mark.parametrize("given", UNKNOWN, ids=range(len(UNKNOWN)))
def test_an_unknown_tool_is_searched_and_marked(house: House, given: dict[str, Any]) -> None:
    pending = asked(house, "kimi", claude("PreToolUse", "Quux", **given))
    assert level(pending) >= Level.BLOCK
    assert pending.entries[0].data["unknown_tool"] is True


def test_a_tool_named_in_two_ways_is_none(house: House) -> None:
    """Whoever sends both has two readers: the one who decides must not be the one who sees the harmless half."""
    payload = {"method": "tools/call", "params": {"name": "ok", "arguments": {}}, "tool_name": "Bash",
               "tool_input": {"command": LINE}, "cwd": "PROJECT"}  # fmt: skip
    assert asked(house, "generic", payload).entries[0].data["failure"] == "tool-name"


def test_a_program_is_recorded_as_the_command_it_is() -> None:
    payload = claude("pre_tool_call", "execute_code", code="print(1)")
    asked_by = Request("hermes", "", "/p", "/h", "0" * 32, {}, b"")
    call = call_of(harness_data("hermes"), {**payload, "cwd": "/p"}, asked_by, "pre")
    assert (call.kind, call.unknown, call.input["command"]) == ("shell", False, ["python3", "-c", "print(1)"])


def test_names_of_the_events_decide_not_the_argument(house: House) -> None:
    """`--event` only stands in where a client names none: it cannot turn what is about to run into what has run."""
    body = json.dumps(claude("PreToolUse", "Bash", command=LINE)).replace("PROJECT", house.project).encode()
    pending = prepare(Request("claude-code", "PostToolUse", house.project, house.home, "0" * 32, {}, body), house.world)
    assert pending.entries[0].kind == "decision"
