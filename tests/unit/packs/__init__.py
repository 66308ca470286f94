"""What the tests of the built-in packs share: the packs as they ship, and calls tried against all of them."""

from __future__ import annotations

import os
from functools import cache

from bk.engine.checks import CHECKS
from bk.engine.config.schema import KEYS
from bk.engine.facts import Facts
from bk.engine.lower import lower
from bk.engine.model import Finding, ToolCall
from bk.engine.rules.book import Rulebook
from bk.engine.rules.compile import compiled
from bk.engine.rules.example import CWD, HOME
from bk.engine.rules.parse import parse
from bk.engine.rules.rule import Example, Rule

FOLDER = os.path.join(os.path.dirname(os.path.abspath(parse.__code__.co_filename)), "packs")
KINDS = {"Bash": "shell", "PowerShell": "shell", "Write": "write", "Edit": "edit", "Read": "read", "WebFetch": "fetch"}
POLICY = {key.name: key.default for key in KEYS}


@cache
def packs() -> dict[str, list[Rule]]:
    """Every built-in pack, read from the files that ship."""
    found: dict[str, list[Rule]] = {}
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".rules"):
            pack = name.removesuffix(".rules")
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                found[pack] = parse(file.read(), file=name, pack=pack)
    return found


def rules() -> list[Rule]:
    """Every rule of every pack."""
    return [rule for each in packs().values() for rule in each]


@cache
def book() -> Rulebook:
    """All packs together, as they are judged with."""
    lists = {key.name: POLICY[key.name] for key in KEYS if key.kind == "list" and not key.secret}
    return Rulebook.load(compiled(packs(), lists))


def tried(example: Example) -> list[Finding]:
    """What every check says of an example's call."""
    kind = KINDS.get(example.tool) or ("mcp" if example.tool.startswith("mcp__") else "other")
    return _found(ToolCall(example.tool, kind, example.input, cwd=example.cwd, home=HOME))


def said(command: str) -> list[Finding]:
    """What every check says of a command."""
    return _found(ToolCall("Bash", "shell", {"command": command}, cwd=CWD, home=HOME))


def _found(call: ToolCall) -> list[Finding]:
    facts = Facts(home=HOME, cwd=call.cwd, state_root=f"{HOME}/.bk", policy=POLICY, call=call, rules=book())
    actions = lower(call)
    return [finding for check in CHECKS for finding in check(actions, facts)]
