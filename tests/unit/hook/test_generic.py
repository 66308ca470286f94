"""A client that nobody described: wired by hand, in a process of its own, it is stopped like any other."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bk.engine.state import State

GUARD = Path(sys.executable).parent / "bk-hook"

# What somebody else's client might be: it runs a tool only when the command it was given ends well.
CLIENT = """
import json, subprocess, sys
for line in sys.stdin:
    asked = json.loads(line)
    hook = subprocess.run(sys.argv[1:], input=line.encode(), capture_output=True)
    if hook.returncode != 0:
        print(json.dumps({"refused": hook.stderr.decode().strip(), "told": json.loads(hook.stdout)}), flush=True)
        continue
    given = asked.get("tool_input") or asked["params"]["arguments"]
    ran = subprocess.run(["/bin/sh", "-c", given["command"]], capture_output=True)
    print(json.dumps({"ran": ran.stdout.decode().strip()}), flush=True)
"""


def claude(line: str) -> dict[str, Any]:
    return {"hook_event_name": "PreToolUse", "tool_name": "Runner", "tool_input": {"command": line}}


def rpc(line: str) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "run", "arguments": {"command": line}},
    }


@pytest.mark.long
@pytest.mark.parametrize("shape", [claude, rpc])
def test_it_is_stopped_from_end_to_end(state: State, shape: Any) -> None:
    keys = Path(state.home) / ".ssh"
    keys.mkdir()
    (keys / "id_rsa").write_text("the key")
    lock = os.open(f"{state.run}/starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # so that no engine is left behind
    lines = "".join(json.dumps(shape(line)) + "\n" for line in ("echo well", "cat ~/.ssh/id_rsa", "echo again"))
    env = {"HOME": state.home, "BK_HOME": state.root, "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", CLIENT, str(GUARD), "--harness", "generic"], input=lines, capture_output=True, text=True,
        env=env, cwd=state.home, timeout=90, check=False,
    )  # fmt: skip
    os.close(lock)
    first, second, third = map(json.loads, ran.stdout.splitlines())
    assert first == {"ran": "well"}
    assert third == {"ran": "again"}
    assert "id_rsa" in second["refused"]
    assert second["told"]["decision"] == second["told"]["permission"] == second["told"]["permissionDecision"] == "deny"
    assert second["told"]["cancel"] is True
    assert "the key" not in ran.stdout
