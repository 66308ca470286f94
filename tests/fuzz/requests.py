"""The request parser: no crash, and never an allow for bytes that are not exactly one well-formed call."""

from __future__ import annotations

import json
import os
import tempfile

from bk.engine.model import Level
from bk.engine.state import State
from bk.engine.world import World
from bk.hook.answer import prepare
from bk.hook.request import Request

SEEDS = [
    b'{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls -la"},"cwd":"/tmp"}',
    b'{"tool_name":"Read","tool_input":{"file_path":"README.md"},"cwd":"/tmp","session_id":"s","tool_use_id":"t"}',
    b'{"hook_event_name":"PostToolUse","tool_name":"Bash","tool_input":{"command":"ls"},"tool_response":{"stdout":""}}',
    b'{"tool_name":"Edit","tool_input":{"file_path":"a","old_string":"\\u0041","new_string":"\\ud83d\\ude00"}}',
    b'{"tool_name":"mcp__x__y","tool_input":{"path":"/etc/hosts","n":[1,2.5e3,null,true]}}',
]

_root = tempfile.mkdtemp(dir="/tmp", prefix="bkfz")
_state = State(f"{_root}/.bk", _root, os.geteuid())
_state.ensure()
_world = World.open(_state)


def one(data: bytes) -> None:
    """Judge `data` as a request; an answer below block is only for what a strict second reader also accepts."""
    request = Request("claude-code", "", "/tmp", _root, "0" * 32, {}, data)
    pending = prepare(request, _world)
    entry = pending.entries[0]
    reply = pending.reply([entry])
    assert entry.level in ("allow", "warn", "ask", "block", "quarantine")
    if Level.of(entry.level).denies:
        assert reply.exit_code == 2, "a deny is exit code 2"
        assert reply.stderr.strip(), "a deny has a reason"
        return
    assert reply.exit_code == 0
    value = json.loads(data.decode(), parse_constant=_no)
    assert isinstance(value, dict)
    assert isinstance(value["tool_name"], str)
    assert isinstance(value["tool_input"], dict)


def _no(name: str) -> object:
    raise AssertionError(f"{name} was let through")
