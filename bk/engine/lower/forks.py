"""Functions and loops that start more and more processes: a machine they run on stops answering."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

MAX_NODES = 400
_CONDITIONS = frozenset(
    ("if_statement", "case_statement", "list", "test_command", "for_statement", "while_statement", "ternary_expression")
)
_ENDLESS = re.compile(
    r"\s*(?:while\s+(?:(?:/\S*/)?true|:|1|\[\s*1\s*\]|\[\[\s*1\s*\]\]|\(\(\s*[1-9]\d*\s*\)\)|!\s*(?:/\S*/)?false)"
    r"|until\s+(?:(?:/\S*/)?false|!\s*(?:/\S*/)?true|\(\(\s*0\s*\)\)))\s*;?\s*do\b"
    r"|\s*for\s*\(\([^;()]*;\s*;[^;()]*\)\)"
)
_WAITS = re.compile(r"\b(?:sleep|read|break|exit|return)\b")
_ENDS = re.compile(r"\b(?:wait|fg)\b")


class Calls:
    """The calls in a function's body: how often each name is called, and whether in the background or guarded."""

    __slots__ = ("count", "forks", "guarded")

    def __init__(self) -> None:
        self.count: dict[str, int] = {}
        self.forks: set[str] = set()
        self.guarded = False


def function(shell: Shell, name: str, body: Node, whole: Node) -> None:
    """Record whom a function calls; one that comes back to itself more than once, or beside itself, is a fork bomb."""
    calls = _calls(shell, body)
    shell.callees = {**shell.callees, name: calls}
    if _returns(shell, name):
        shell.dark("forkbomb", shell.slice(whole))


def loop(shell: Shell, node: Node) -> None:
    """An endless loop that leaves a process behind every time."""
    text = shell.slice(node)[:2000]
    after = _ENDS.split(text)[-1]  # what was started before the last wait is gone when the next round begins
    if "&" in after and _ENDLESS.match(text) and not _WAITS.search(text) and _background(node):
        shell.dark("forkbomb", text)


def _background(node: Node) -> bool:
    body = node.children[-1]
    return any(child.type == "&" for child in body.children)


def _calls(shell: Shell, body: Node) -> Calls:
    calls = Calls()
    waiting: list[tuple[Node, bool]] = [(body, False)]
    for _ in range(MAX_NODES):
        if not waiting:
            break
        node, beside = waiting.pop()
        kind = node.type
        if kind == "command_name":
            name = shell.slice(node)
            calls.count[name] = calls.count.get(name, 0) + 1
            if beside:
                calls.forks.add(name)
            continue
        if kind == "function_definition":
            continue  # what it does is its own business, also when it takes this one's name
        calls.guarded = calls.guarded or kind in _CONDITIONS
        children = node.children
        piped = kind == "pipeline"
        for index, child in enumerate(children):
            after = index + 1 < len(children) and children[index + 1].type == "&"
            waiting.append((child, beside or after or piped))
    return calls


def _returns(shell: Shell, name: str) -> bool:
    """Whether a call of `name` leads to more than one call of it."""
    seen: set[str] = set()
    waiting = [(name, False)]
    while waiting:
        current, many = waiting.pop()
        calls = shell.callees.get(current)
        if calls is None or current in seen:
            continue
        seen.add(current)
        for callee, count in calls.count.items():
            more = many or callee in calls.forks or (count > 1 and not calls.guarded)
            if callee == name and more:
                return True
            waiting.append((callee, more))
    return False
