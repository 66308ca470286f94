"""Claude Code's contract, on captures of what the real client sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bk.engine.errors import Refusal
from bk.engine.model import Finding, Level, Verdict
from bk.hook.harness import Reply, call_of, event_of, harness_data, render
from bk.hook.request import Request

CAPTURES = [json.loads(line) for line in Path("fixtures/harness/claude-code.jsonl").read_text().splitlines()]
CLAUDE = harness_data("claude-code")


def request(payload: dict[str, Any], event: str = "") -> Request:
    return Request(
        "claude-code", event, "/where/the/client/is", "/home/dev", "0" * 32, {}, json.dumps(payload).encode()
    )


def rendered(event: str, level: Level, reason: str = "it is bad", fallback: str = "block") -> Reply:
    verdict = Verdict(level, [Finding("rule/id", level, reason, instead="do better")])
    return render(CLAUDE, event, level, verdict, ask_fallback=fallback)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: f"{c['payload']['hook_event_name']}-{c['kind']}")
def test_a_real_payload_becomes_the_call_it_is(capture: dict[str, Any]) -> None:
    payload = capture["payload"]
    event = event_of(CLAUDE, payload, request(payload))
    call = call_of(CLAUDE, payload, request(payload), event)
    assert event == ("pre" if payload["hook_event_name"] == "PreToolUse" else "post")
    assert (call.kind, call.tool) == (capture["kind"], payload["tool_name"])
    assert call.cwd == payload["cwd"], "the payload's cwd counts, not the hook process's"
    assert call.input == payload["tool_input"]
    assert call.call_id == payload["tool_use_id"]
    assert call.session == payload["session_id"]
    assert call.response == payload.get("tool_response")


def test_allow_says_nothing_because_an_explicit_allow_is_a_grant() -> None:
    for event in ("pre", "post"):
        reply = rendered(event, Level.ALLOW)
        assert (reply.exit_code, reply.stdout, reply.stderr) == (0, b"", b"")


def test_warn_reaches_the_user_and_the_model() -> None:
    reply = rendered("pre", Level.WARN)
    said = json.loads(reply.stdout)
    assert reply.exit_code == 0
    assert "it is bad" in said["systemMessage"]
    assert "it is bad" in said["hookSpecificOutput"]["additionalContext"]
    assert "permissionDecision" not in said["hookSpecificOutput"]


def test_ask_asks() -> None:
    said = json.loads(rendered("pre", Level.ASK).stdout)["hookSpecificOutput"]
    assert (said["hookEventName"], said["permissionDecision"]) == ("PreToolUse", "ask")
    assert "it is bad" in said["permissionDecisionReason"]


@pytest.mark.parametrize("level", [Level.BLOCK, Level.QUARANTINE])
def test_deny_is_json_and_stderr_and_exit_2_together(level: Level) -> None:
    reply = rendered("pre", level)
    said = json.loads(reply.stdout)["hookSpecificOutput"]
    assert reply.exit_code == 2
    assert said["permissionDecision"] == "deny"
    assert said["permissionDecisionReason"] == reply.stderr.decode().rstrip("\n")
    assert "it is bad [rule/id]" in said["permissionDecisionReason"]
    assert "Instead: do better" in said["permissionDecisionReason"]


def test_an_event_that_cannot_ask_gets_the_fallback() -> None:
    assert rendered("post", Level.ASK).exit_code == 2
    assert rendered("post", Level.ASK, fallback="warn").exit_code == 0


def test_a_deny_never_has_an_empty_reason() -> None:
    reply = render(CLAUDE, "pre", Level.BLOCK, Verdict(Level.BLOCK))
    assert reply.stderr.strip()
    assert json.loads(reply.stdout)["hookSpecificOutput"]["permissionDecisionReason"]


def test_hostile_text_in_a_reason_stays_text() -> None:
    reply = rendered("pre", Level.BLOCK, 'a"b\\\x1b]52;c;x\x07\u202e %s\n[@click=x]')
    said = json.loads(reply.stdout)["hookSpecificOutput"]["permissionDecisionReason"]
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert reply.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        ({"tool_input": {}}, "tool-name"),
        ({"tool_name": "", "tool_input": {}}, "tool-name"),
        ({"tool_name": 3, "tool_input": {}}, "tool-name"),
        ({"tool_name": "Bash"}, "tool-input"),
        ({"tool_name": "Bash", "tool_input": "ls"}, "tool-input"),
        ({"tool_name": "Bash", "tool_input": {}, "cwd": "here"}, "cwd"),
        ({"tool_name": "Bash", "tool_input": {}, "cwd": 7}, "cwd"),
    ],
)
def test_what_decides_must_be_there(payload: dict[str, Any], cause: str) -> None:
    with pytest.raises(Refusal) as caught:
        call_of(CLAUDE, payload, request(payload), "pre")
    assert caught.value.cause == cause


def test_unknown_events_and_clients_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        event_of(CLAUDE, {"hook_event_name": "PreToolUs"}, request({}))
    assert caught.value.cause == "event"
    with pytest.raises(Refusal) as caught:
        harness_data("../claude_code")
    assert caught.value.cause == "harness"


def test_the_payloads_event_beats_the_flag() -> None:
    assert event_of(CLAUDE, {"hook_event_name": "PostToolUse"}, request({}, "PreToolUse")) == "post"
    assert event_of(CLAUDE, {}, request({}, "PostToolUse")) == "post"
    assert event_of(CLAUDE, {}, request({})) == "pre"


def test_tool_names_nobody_listed_are_still_judged() -> None:
    payload = {"tool_name": "mcp__files__read", "tool_input": {"path": "/x"}}
    assert call_of(CLAUDE, payload, request(payload), "pre").kind == "mcp"
    payload = {"tool_name": "BrandNewTool", "tool_input": {"path": "/x"}}
    assert call_of(CLAUDE, payload, request(payload), "pre").kind == "other"
