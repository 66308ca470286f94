"""Compound commands: what holds after an `if`, a `case` or a loop, and the functions and variables they leave."""

from __future__ import annotations

from bk.engine.lower import expand, redirects, variables
from bk.engine.lower.scope import Stream, together
from bk.engine.lower.words import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bk.engine.lower.shell import Shell


def branches(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """`if` and `case`: each branch starts from the state before it; afterwards any may have happened."""
    scope = shell.scope
    out: Stream | None = None
    after = []
    straight: list[Node] = []
    branches: list[Node] = []
    for child in node.children:
        kind = child.type
        if kind in ("elif_clause", "else_clause", "case_item"):
            branches.append(child)
        elif child.is_named:
            straight.append(child)
    if node.type == "case_statement":
        for child in straight:
            shell.expansions(child)
        straight = []
    before = scope.snapshot()
    out = shell.block(straight, stdin)
    after.append(scope.snapshot())
    for branch in branches:
        scope.restore(before)
        inner = [
            child
            for index, child in enumerate(branch.children)
            if child.is_named and branch.field_name_for_child(index) != "value"
        ]
        out = together(out, shell.block(inner, stdin))
        after.append(scope.snapshot())
    scope.restore(before)
    for state in after:
        scope.merge(state)
    return out


def loop(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """A body runs any number of times: a second look catches what the first one set up."""
    if node.type != "for_statement":
        from bk.engine.lower import forks

        forks.loop(shell, node)
    scope = shell.scope
    before = scope.snapshot()
    inner: list[Node] = []
    name = ""
    values: list[str] = []
    outer, shell.woven = shell.woven, shell.ground
    outer_fed, shell.fed = shell.fed, None
    for index, child in enumerate(node.children):
        field = node.field_name_for_child(index)
        if field == "variable":
            name = shell.slice(child)
        elif field == "value":
            values.extend(shell.words(child))
        elif child.is_named:
            inner.append(child)
    taint = expand.taint(shell)
    shell.woven, shell.fed = outer, outer_fed
    if name:
        scope.assign(name, expand.as_values(values), taint)
    out = shell.block(inner, stdin)
    if shell.passes < 2 and (scope.vars is not before[0] or scope.cwds is not before[1]):
        scope.merge(before)
        if name and values:
            scope.assign(name, expand.as_values(values), taint)
        told = any(
            value != before[0].get(key) and value != (UNKNOWN,) for key, value in scope.vars.items() if key != name
        )
        if told or scope.cwds != before[1]:
            shell.passes += 1
            shell.block(inner, stdin)
            shell.passes -= 1
    scope.merge(before)
    return out


def function(shell: Shell, node: Node, _stdin: Stream | None) -> Stream | None:
    """The body counts whether or not it is called: a trap, an alias or a hook may call it unseen."""
    name = ""
    body: Node | None = None
    for index, child in enumerate(node.children):
        field = node.field_name_for_child(index)
        if field == "name":
            name = shell.slice(child)
        elif field == "body":
            body = child
        elif child.type.endswith("_redirect"):
            into = redirects.Redirects(None)
            redirects.take(shell, child, into)
            redirects.flush(shell, into, None)
    if body is None:
        return None
    shell.functions = {**shell.functions, name: (shell.source, body)}
    from bk.engine.lower import forks

    forks.function(shell, name, body, node)
    calling = shell.calling
    shell.calling = calling | {name}
    before = shell.scope.snapshot()
    shell.block([body], None)
    shell.scope.restore(before)
    shell.calling = calling
    return None


def assignment(shell: Shell, node: Node, _stdin: Stream | None) -> Stream:
    """`NAME=value` on its own."""
    variables.assignment(shell, node, announce=True)
    return Stream("")


def assignments(shell: Shell, node: Node, _stdin: Stream | None) -> Stream:
    """Several of them in one command."""
    for child in node.children:
        if child.type == "variable_assignment":
            variables.assignment(shell, child, announce=True)
    return Stream("")
