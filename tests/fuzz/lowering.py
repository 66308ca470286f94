"""Lowering and the checks on any shell text: no crash, no hang, and the same answer twice."""

from __future__ import annotations

from bk.engine.checks import CHECKS
from bk.engine.facts import Facts
from bk.engine.judge import judge
from bk.engine.lower import Look, lower
from bk.engine.model import ToolCall
from tests.unit.checks import EXECUTABLES, HOME, POLICY, PROJECT, cases
from tests.unit.lower import test_evasions, test_flow, test_scripts

SEEDS = [
    case["input"]["command"].encode()
    for name in ("paths.jsonl", "selfguard.jsonl")
    for case in cases(name)
    if case["tool"] == "Bash"
]
SEEDS += [command.encode() for command in test_evasions.SAME]
SEEDS += [command.encode() for command, *_ in test_flow.CARRIES]
SEEDS += [text.encode() for text in (test_scripts.MAKEFILE, test_scripts.JUSTFILE, test_scripts.TASKFILE)]
FACTS = Facts(home=HOME, cwd=PROJECT, state_root=f"{HOME}/.bk", policy=POLICY, executables=EXECUTABLES)


def one(data: bytes) -> None:
    """Decide on `data` as a command, as a path and as the argument of an unknown tool."""
    text = data.decode(errors="replace")
    calls = (
        ToolCall("Bash", "shell", {"command": text}, cwd=PROJECT, home=HOME),
        ToolCall("Read", "read", {"file_path": text}, cwd=PROJECT, home=HOME),
        ToolCall("mcp__x__go", "mcp", {"a": [text, {"patch": text}]}, cwd=PROJECT, home=HOME),
    )
    for call in calls:
        actions = lower(call)
        verdict = judge([finding for check in CHECKS for finding in check(actions, FACTS)])
        assert lower(call) == actions
        assert verdict.level == 0 or verdict.reason
    files = dict.fromkeys((f"{PROJECT}/{name}" for name in ("f", "Makefile", "package.json", "justfile")), text)
    for command in ("bash f; ./f; python3 f", "make; npm run a; just"):
        lower(ToolCall("Bash", "shell", {"command": command}, cwd=PROJECT, home=HOME), Look(files=files))
