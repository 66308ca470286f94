"""What a cold call really imports, in a fresh interpreter, against a committed list."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.state import State

LIST = Path(__file__).with_name("cold_modules.txt")
NEVER = {
    "typer",
    "rich",
    "textual",
    "requests",
    "sqlite_utils",
    "pydantic",
    "nacl",
    "asyncio",
    "logging",
    "dataclasses",
    "pathlib",
    "tomllib",
    "subprocess",
    "typing",
    "socket",
    "importlib.metadata",
}

PROBE = """
import sys
from bk.hook.request import Request
from bk.hook.cold import run
body = sys.argv[3].encode()
import fcntl, os
lock = os.open(sys.argv[1] + "/run/starting.lock", os.O_CREAT | os.O_RDWR, 0o600)
fcntl.flock(lock, fcntl.LOCK_EX)
reply = run(Request("claude-code", "", "/usr", sys.argv[2], "0" * 32, {"BK_HOME": sys.argv[1]}, body))
sys.stdout.write(str(reply.exit_code) + "\\n" + "\\n".join(sorted(sys.modules)))
"""


def modules_after(state: State, payload: dict[str, object]) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, state.root, state.home, json.dumps(payload)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    code, *names = done.stdout.splitlines()
    return int(code), set(names)


CALL = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "git status && ls src"}}


def test_an_allowed_cold_call_imports_only_the_committed_list(state: State) -> None:
    modules_after(state, CALL)  # first use: directories, snapshot and index are made
    code, names = modules_after(state, CALL)
    assert code == 0
    bare = set(
        subprocess.run(
            [sys.executable, "-I", "-c", "import sys; print('\\n'.join(sys.modules))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )
    listed = set(LIST.read_text().split())
    extra = names - listed - bare
    assert not extra, f"a cold call now imports {sorted(extra)}: add to {LIST.name} only if it earns its cost"
    assert not {n for n in names - bare if n.split(".")[0] in NEVER or n in NEVER}


@pytest.mark.parametrize("entry", ["bk.engine.decide", "bk.hook.answer", "bk.serve"])
def test_the_engine_and_its_root_load_no_terminal(entry: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys, {entry}; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"textual", "rich", "typer", "requests", "bk.cli", "bk.tui"} & set(done.stdout.split())


def test_the_command_line_does_not_load_the_dashboard() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import sys, bk.cli; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"textual", "bk.tui", "bk.engine.console"} & set(done.stdout.split())
