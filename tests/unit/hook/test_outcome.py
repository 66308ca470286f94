"""A secret in an output: taken out in the client's own way, told of where that cannot be, left alone if wished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bk.engine.ledger.store import Ledger
from bk.engine.state import State
from bk.engine.world import World
from bk.hook.answer import prepare
from bk.hook.harness import HARNESSES, Reply, harness_data
from bk.hook.outcome import secret_in
from bk.hook.request import Request

TOKEN = "ghp_" + "q7Rk2Vw9Zt4Lx8Nb3Ym6" + "Hc1Jd5Fg0SpAeUiQ"


def after(state: State, client: str, payload: dict[str, Any], event: str = "") -> tuple[Reply, Mapping[str, Any]]:
    world = World.open(state)
    ledger = Ledger.open(state, redact=world.redact)
    try:
        pending = prepare(Request(client, event, "/usr", state.home, "1" * 32, {}, json.dumps(payload).encode()), world)
        reply = pending.reply(ledger.append(pending.entries, sync=pending.sync))
        return reply, ledger.entries()[0].data
    finally:
        ledger.close()


def claude(response: Any) -> dict[str, Any]:
    return {"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {"command": "cat notes"},
            "tool_response": response}  # fmt: skip


def test_claude_gets_the_output_in_its_own_shape(state: State) -> None:
    reply, entry = after(state, "claude-code", claude({"stdout": f"a {TOKEN} b", "stderr": "", "interrupted": False}))
    told = json.loads(reply.stdout)["hookSpecificOutput"]
    assert told["updatedToolOutput"] == {"stdout": "a [REDACTED:github-token] b", "stderr": "", "interrupted": False}
    assert "github-token" in told["additionalContext"]
    assert reply.exit_code == 0
    assert [each["rule"] for each in entry["findings"]] == ["output/secret"]


@pytest.mark.parametrize(
    ("client", "payload", "key"),
    [
        ("codex", claude(f"a {TOKEN} b"), "reason"),
        ("gemini", {**claude({"llmContent": f"a {TOKEN} b"}), "hook_event_name": "AfterTool"}, "reason"),
        ("vibe", {**claude(f"a {TOKEN} b"), "hook_event_name": "post_tool", "tool_output": f"a {TOKEN} b"}, "reason"),
        ("opencode", {"hook": "tool.execute.after", "directory": "/", "output": {"output": f"a {TOKEN} b"},
                      "input": {"tool": "bash", "args": {"command": "ls"}}}, "output"),
        ("openclaw", {"hook": "after_tool_call", "cwd": "/", "ctx": {"sessionKey": "s"}, "event": {
            "toolName": "exec", "params": {"command": "ls"}, "result": f"a {TOKEN} b"}}, "output"),
    ],
)  # fmt: skip
def test_others_get_it_as_a_text(state: State, client: str, payload: dict[str, Any], key: str) -> None:
    reply, _ = after(state, client, payload)
    told = json.loads(reply.stdout)
    assert told[key].startswith("bk: the output of the call has a secret in it (github-token)")
    assert told[key].endswith("\n\na [REDACTED:github-token] b")
    assert TOKEN not in reply.stdout.decode() + reply.stderr.decode()
    assert reply.exit_code == 0


def test_where_it_cannot_be_taken_out_the_model_is_told(state: State) -> None:
    reply, _ = after(state, "droid", claude(f"a {TOKEN} b"))
    assert "has a secret in it" in json.loads(reply.stdout)["hookSpecificOutput"]["additionalContext"]


def test_a_person_can_switch_it_off(state: State) -> None:
    with open(state.config, "w", encoding="utf-8") as file:
        file.write('[rules]\ndisabled = ["output/secret"]\n')
    reply, entry = after(state, "claude-code", claude(f"a {TOKEN} b"))
    assert (reply.exit_code, reply.stdout) == (0, b"")
    assert entry["findings"] == []


@pytest.mark.parametrize(
    "response", [None, "", "password = 'hunter2'", {"n": 1, "x": [True, None, "sk-"]}, 10**30, "akia"]
)
def test_ordinary_output_is_left_alone(response: Any) -> None:
    """Words beside a label are no proof: an agent that reads code must read what is written there."""
    assert secret_in(response) is None


@pytest.mark.parametrize("client", sorted(set(HARNESSES)))
def test_a_template_is_json_whatever_is_put_in(client: str) -> None:
    data = harness_data(client)
    found = secret_in({"stdout": f'"quoted" %s %t {TOKEN}\n', "type": "text"})
    assert found is not None
    reply = found.reply(data)
    assert (reply is None) is not hasattr(data, "HIDES")
    assert reply is None or json.loads(reply.stdout)
