"""What the tests of rules share: a rulebook from text, and calls or actions asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bk.engine.facts import Facts
from bk.engine.lower import lower
from bk.engine.model import Action, Finding, ToolCall
from bk.engine.rules.book import Rulebook
from bk.engine.rules.compile import compiled
from bk.engine.rules.errors import RuleError, RuleErrors
from bk.engine.rules.parse import parse
from bk.engine.rules.rule import Rule

HOME = "/home/dev"
PROJECT = "/home/dev/project"
KINDS = {"Bash": "shell", "Write": "write", "Edit": "edit", "Read": "read", "WebFetch": "fetch"}
LISTS = {
    "paths.sensitive": ["~/.ssh/**", ".env"],
    "executables.allowed": ["git", "ls", "npm", "py*"],
    "secrets.env_vars": ["*_TOKEN", "AWS_SECRET_ACCESS_KEY"],
}


def rules(text: str, pack: str = "p") -> list[Rule]:
    return parse(text, file="p.rules", pack=pack)


def one(match: str, *more: str, tier: str = "block") -> str:
    """A file with one rule."""
    return "\n".join([f'{tier} "r"', f"  match {match}", *(f"  {line}" for line in more)]) + "\n"


def book(text: str, lists: Mapping[str, Sequence[str]] | None = None, **options: Any) -> Rulebook:
    return Rulebook.load(compiled({"p": rules(text)}, LISTS if lists is None else lists, **options))


def facts(call: ToolCall | None = None, cwd: str = PROJECT, real: Mapping[str, str] | None = None) -> Facts:
    return Facts(home=HOME, cwd=cwd, state_root=f"{HOME}/.bk", policy={}, call=call, real=real)


def asked(held: Rulebook, given: Any, tool: str = "Bash", cwd: str = PROJECT, harness: str = "manual") -> list[Finding]:
    data = {"command": given} if isinstance(given, str) else given
    kind = KINDS.get(tool) or ("mcp" if tool.startswith("mcp__") else "other")
    call = ToolCall(tool, kind, data, cwd=cwd, home=HOME, harness=harness)
    return held.judge(lower(call), facts(call, cwd))


def found(text: str, given: Any, tool: str = "Bash", cwd: str = PROJECT) -> bool:
    """Whether the one rule of a file finds a call."""
    return bool(asked(book(text), given, tool, cwd))


def acts(text: str, *actions: Action, real: Mapping[str, str] | None = None) -> bool:
    """Whether the one rule of a file finds these actions."""
    return bool(book(text).judge(actions, facts(real=real)))


def taking(action: Action, *takes: str) -> Any:
    action.takes = takes
    return action


def errors(text: str) -> list[RuleError]:
    try:
        rules(text)
    except RuleErrors as wrong:
        return list(wrong.errors)
    return []
