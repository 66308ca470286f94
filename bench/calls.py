"""The calls that are measured: an ordinary allow, a sensitive read, and a known-bad install."""

from __future__ import annotations

import json


def payload(command: str) -> bytes:
    """Claude Code's PreToolUse for a shell command."""
    return json.dumps(
        {
            "session_id": "b9d60992-393c-4990-8f58-e7176bef2494",
            "transcript_path": "/tmp/t.jsonl",
            "cwd": "/tmp",
            "permission_mode": "default",
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": command, "description": "measured"},
            "tool_use_id": "toolu_01",
        }
    ).encode()


ALLOW = payload("git status --short && ls -la src | head -20")
INSTALL = payload("npm install left-pad@1.3.0 && npm test")
BLOCK = payload("cat ~/.ssh/id_rsa")
