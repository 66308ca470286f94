"""What the tests of checks share: a call decided by lowering, checks and judge alone, on stated facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bk.engine.checks import CHECKS
from bk.engine.config.schema import KEYS
from bk.engine.facts import Facts
from bk.engine.judge import judge
from bk.engine.lower import Look, lower
from bk.engine.model import Action, ToolCall, Verdict

HOME = "/home/dev"
PROJECT = "/home/dev/project"
CASES = Path(__file__).parents[3] / "fixtures" / "cases"
ENTRY = {"type": "command", "command": "/usr/local/bin/bk-hook --harness claude-code", "timeout": 10}
SETTINGS = json.dumps(
    {
        "hooks": {
            "PreToolUse": [
                {"matcher": ".*", "hooks": [ENTRY]},
                {"matcher": "Bash", "hooks": [{"type": "command", "command": "other-guard"}]},
            ],
            "PostToolUse": [{"matcher": "*", "hooks": [ENTRY]}],
        },
        "model": "x",
    },
    indent=2,
)
DOCUMENTS: dict[str, str | None] = {
    f"{HOME}/.claude/settings.json": SETTINGS,
    f"{PROJECT}/.claude/settings.json": None,
    f"{PROJECT}/.claude/settings.local.json": None,
    "/etc/claude-code/managed-settings.json": None,
}
REAL = {
    f"{PROJECT}/keys/id_rsa": f"{HOME}/.ssh/id_rsa",
    f"{PROJECT}/.env.example": f"{HOME}/.ssh/id_rsa",
    f"{PROJECT}/link-to-state/config.toml": f"{HOME}/.bk/config.toml",
}
EXECUTABLES = ("/usr/local/bin/bk", "/usr/local/bin/bk-hook", "/opt/bk/lib/bk")
POLICY: dict[str, Any] = {key.name: key.default for key in KEYS}
KINDS = {
    "Bash": "shell",
    "shell": "shell",
    "Read": "read",
    "Write": "write",
    "Edit": "edit",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Grep": "search",
    "Glob": "search",
    "LS": "search",
    "WebFetch": "fetch",
    "Task": "agent",
}


def facts(
    policy: Mapping[str, Any] | None = None,
    real: Mapping[str, str] | None = None,
    documents: Mapping[str, str | None] | None = None,
    cwd: str = PROJECT,
) -> Facts:
    return Facts(
        home=HOME,
        cwd=cwd,
        state_root=f"{HOME}/.bk",
        policy={**POLICY, **(policy or {})},
        real=REAL if real is None else real,
        documents=DOCUMENTS if documents is None else documents,
        executables=EXECUTABLES,
    )


def actions(tool: str, given: Any, cwd: str = PROJECT, env: Mapping[str, str] | None = None) -> list[Action]:
    data = {"command": given} if isinstance(given, str) else given
    kind = KINDS.get(tool) or ("mcp" if tool.startswith("mcp__") else "other")
    return lower(ToolCall(tool, kind, data, cwd=cwd, home=HOME), Look(env))


def judged(found: Sequence[Action], known: Facts) -> Verdict:
    return judge([finding for check in CHECKS for finding in check(found, known)])


def decided(given: Any, tool: str = "Bash", cwd: str = PROJECT, **known: Any) -> Verdict:
    return judged(actions(tool, given, cwd), facts(cwd=cwd, **known))


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]
