"""Rule files on a real disk: written, damaged, raced for, and judged with."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bk.engine.config import snapshot
from bk.engine.facts import Facts
from bk.engine.lower import lower
from bk.engine.model import Finding, ToolCall
from bk.engine.rulebook import store
from bk.engine.rulebook.book import InForce
from bk.engine.rulebook.project import with_project
from bk.engine.state import State

RULE = """{tier} "{name}"
  why "because"
  nudge "do something else"
  match command("{program}")
  example bad {program}
  example good other
"""


def rule(name: str, program: str, tier: str = "block") -> str:
    return RULE.format(name=name, program=program, tier=tier)


def folder(state: State) -> Path:
    """The user's rules."""
    path = Path(state.root, "rules")
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def put(path: Path | str, text: str | bytes, mode: int = 0o600) -> None:
    """Write a file, and wait until a stamp can be believed."""
    data = text.encode() if isinstance(text, str) else text
    Path(path).write_bytes(data)
    os.chmod(path, mode)
    aged()


def aged() -> None:
    time.sleep(0.12)


def nowhere(state: State) -> str:
    """A system folder that is not there."""
    return f"{state.home}/etc/rules"


def book(state: State) -> InForce:
    """The rules in force, as a call meets them."""
    system = f"{state.home}/etc/config.toml"
    return store.read(state, snapshot.read(state, system), nowhere(state))


def found(rules: InForce, command: str, state: State, cwd: str = "") -> list[Finding]:
    """What the rules say of a command."""
    policy = snapshot.read(state, f"{state.home}/etc/config.toml")
    here = cwd or f"{state.home}/project"
    call = ToolCall("Bash", "shell", {"command": command}, cwd=here, home=state.home)
    facts = Facts(home=state.home, cwd=here, state_root=state.root, policy=policy.values, call=call, rules=rules)
    return rules.judge(lower(call), facts)


def ids(rules: InForce, command: str, state: State, cwd: str = "") -> list[str]:
    """The ids of what the rules say."""
    return [finding.rule for finding in found(rules, command, state, cwd)]


def around(state: State, cwd: Path | str) -> InForce:
    """The rules for a call made in a folder."""
    system = f"{state.home}/etc/config.toml"
    return with_project(book(state), state, snapshot.read(state, system), str(cwd), state.home)
