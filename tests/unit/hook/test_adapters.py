"""Every client's payloads become the same calls, every verdict its own bytes; what cannot be read is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bk.engine.errors import Refusal
from bk.engine.model import Finding, Level, Verdict
from bk.hook.harness import HARNESSES, call_of, event_of, harness_data, render
from bk.hook.native.build import HARNESSES as FOLDER
from bk.hook.native.build import deny_table
from bk.hook.request import Request

FIXTURES = Path(__file__).parents[3] / "fixtures" / "harness"
CLIENTS = sorted(set(HARNESSES.values()))
ROWS = [
    json.loads(line)
    for path in sorted(FIXTURES.glob("*.jsonl"))
    if path.name != "claude-code.jsonl"
    for line in path.read_text().splitlines()
]
LEVELS = (Level.ALLOW, Level.WARN, Level.ASK, Level.BLOCK, Level.QUARANTINE)
SAID = Verdict(Level.BLOCK, [Finding("packages/known-malicious", Level.BLOCK, 'it "is" bad', instead="use another")])


def request(client: str, event: str = "") -> Request:
    return Request(client, event, "/where/the/client/is", "/home/dev", "0" * 32, {}, b"")


def name_of(row: Mapping[str, Any]) -> str:
    return f"{row['client']}-{row['event']}-{row['kind']}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_payload_becomes_the_call_that_it_is(row: dict[str, Any]) -> None:
    data = harness_data(row["client"])
    asked = request(row["client"], row.get("argument", ""))
    event = event_of(data, row["payload"], asked)
    call = call_of(data, row["payload"], asked, event)
    told = {name: getattr(call, name) for name in ("event", "kind", "tool", "input", "session", "call_id")}
    assert told == {name: row[name] for name in told}
    assert call.cwd in (row["cwd"], "/where/the/client/is")
    assert (call.response is not None) is row["response"]
    assert call.unknown is (row["kind"] == "other")


def test_every_client_has_payloads_and_every_kind_of_tool_is_among_them() -> None:
    seen = {row["client"] for row in ROWS} | {"claude-code", "shim"}
    assert seen == {harness_data(name).NAME for name in HARNESSES}
    for client in seen - {"claude-code", "shim", "generic", "codebuddy", "codex"}:
        kinds = {row["kind"] for row in ROWS if row["client"] == client}
        assert "shell" in kinds
        assert kinds & {"read", "write", "edit", "mcp"}


def replies() -> dict[str, dict[str, list[Any]]]:
    """What every client is answered: for each event and level the exit code and the bytes."""
    told: dict[str, dict[str, list[Any]]] = {}
    for client in CLIENTS:
        data = harness_data(next(name for name, module in HARNESSES.items() if module == client))
        rows = told.setdefault(data.NAME, {})
        for event in ("pre", "post"):
            for level in LEVELS:
                reply = render(data, event, level, SAID)
                rows[f"{event} {level.word}"] = [reply.exit_code, reply.stdout.decode(), reply.stderr.decode()]
    return told


def test_every_verdict_is_answered_to_the_byte() -> None:
    assert replies() == json.loads((FIXTURES / "replies.json").read_text())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_no_is_said_in_every_way_that_the_client_hears(client: str) -> None:
    data = harness_data(next(name for name, module in HARNESSES.items() if module == client))
    for level in (Level.BLOCK, Level.QUARANTINE):
        reply = render(data, "pre", level, SAID)
        assert reply.exit_code == data.DENY_EXIT
        assert b"is" in reply.stderr
        assert reply.stderr.endswith(b"\n")
        assert reply.stderr.count(b"\n") == 1
        if data.DENY:
            assert reply.stdout.decode() == data.DENY.replace("%s", json.dumps(reply.stderr.decode().rstrip())) + "\n"
            json.loads(reply.stdout)
    silent = render(data, "pre", Level.BLOCK, Verdict(Level.BLOCK))
    assert silent.stderr.strip(), "some clients let a call go whose denial gives no reason"


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_said_that_grants(client: str) -> None:
    """An explicit allow is a grant on most clients; where one is sent it was seen to grant nothing, or the reader is
    our own plugin."""
    data = harness_data(next(name for name, module in HARNESSES.items() if module == client))
    for level in (Level.ALLOW, Level.WARN):
        reply = render(data, "pre", level, SAID)
        assert reply.exit_code == 0
        assert reply.stderr == b""
        if client not in ("antigravity", "opencode", "kilo", "openclaw"):
            assert b"allow" not in reply.stdout


@pytest.mark.parametrize("client", CLIENTS)
def test_ask_is_only_said_where_it_asks(client: str) -> None:
    data = harness_data(next(name for name, module in HARNESSES.items() if module == client))
    reply = render(data, "pre", Level.ASK, SAID)
    if client in ("claude_code", "copilot", "qwen", "antigravity"):
        assert reply.exit_code == 0
        assert b"ask" in reply.stdout
    else:
        assert reply.exit_code == data.DENY_EXIT
        assert reply.stdout == render(data, "pre", Level.BLOCK, SAID).stdout.replace(
            b"bk blocked this call", b"bk asks"
        )


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"tool_name": 3},
        {"tool": {"name": "Bash"}},
        {"event": {}, "tool_call": {}, "toolCall": {}, "input": {}},
        {"tool_info": {}, "agent_action_name": "pre_run_command"},
        {"toolCall": {"name": "run_command", "args": [1]}, "tool_call": {"name": "run_commands", "input": "ls"}},
        {"tool_name": "Bash", "tool_input": "[1]", "toolName": "bash", "toolArgs": '{"a":1,"a":2}'},
        {"method": "tools/call", "params": {"name": None, "arguments": {}}},
        {"hook_event_name": "beforeMCPExecution", "tool_input": "{}"},
    ],
    ids=range(9),
)
def test_what_cannot_be_read_is_refused(client: str, payload: dict[str, Any]) -> None:
    data = harness_data(next(name for name, module in HARNESSES.items() if module == client))
    with pytest.raises(Refusal):
        call_of(data, payload, request(client), event_of(data, payload, request(client)))


def test_the_client_of_last_resort_holds_every_name() -> None:
    table = deny_table(FOLDER)
    for name in HARNESSES:
        data = harness_data(name)
        assert set(HARNESSES) >= {data.NAME, *data.ALIASES}
        assert f'{{"{name}", {json.dumps(data.DENY)}, {data.DENY_EXIT}}}' in table
        assert name in (data.NAME, *data.ALIASES)


def test_a_list_of_commands_is_text_in_older_payloads() -> None:
    data = harness_data("cline")
    older = {
        "hookName": "PreToolUse",
        "workspaceRoots": ["/home/dev/p"],
        "preToolUse": {"toolName": "run_commands", "parameters": {"commands": '["ls", "rm -rf /"]'}},
    }
    call = call_of(data, older, request("cline"), "pre")
    assert call.input == {"commands": ["ls", "rm -rf /"]}


if __name__ == "__main__":
    (FIXTURES / "replies.json").write_text(json.dumps(replies(), indent=1) + "\n")
