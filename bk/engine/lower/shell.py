"""Shell text to actions: the walk over the syntax tree. Words are `expand`'s, single commands are `commands`'."""

from __future__ import annotations

import re

from bk.engine.lower import commands, expand, redirects
from bk.engine.lower.grammar import parse
from bk.engine.lower.rough import errors
from bk.engine.lower.scope import Scope, SpentError, Stream, brief
from bk.engine.lower.words import UNKNOWN, Dim
from bk.engine.model import Opaque, Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node

CONTINUED = re.compile(r"(?<=[^\s\\])\\\n(?=\S)")
PREFIXED = re.compile(
    r"(^|[;&|({\n`]|\bdo[ \t]|\bthen[ \t]|\belse[ \t])[ \t]*(?:(?:!|time(?:[ \t]+-p)?)[ \t]+)+"
    r"(?=\{|(?:for|while|until|if|case|select|function)\s|[\w-]+[ \t]*\()"
)
MAX_DEPTH = 8
MAX_NESTING = 60
MAX_SOURCE = 1 << 20


class Shell:
    """One shell text being walked. Texts inside it (`sh -c`, `eval`) are walked by `text`, with the same scope."""

    __slots__ = ("calling", "depth", "extra", "fed", "functions", "incoming", "nesting", "passes", "scope", "source")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.source = ""
        self.depth = 0
        self.nesting = 0
        self.passes = 0
        self.functions: dict[str, tuple[str, Node]] = {}
        self.calling: frozenset[str] = frozenset()
        self.fed: Stream | None = None
        self.incoming: Stream | None = None
        self.extra: list[str] = []

    def text(self, text: str, via: tuple[str, ...] = (), stdin: Stream | None = None) -> Stream | None:
        """Lower a shell text found inside another; too deep is dark."""
        if self.depth >= MAX_DEPTH or len(text) > MAX_SOURCE:
            self.dark("depth" if self.depth >= MAX_DEPTH else "limit", text)
            return None
        if "\\\n" in text:
            text = CONTINUED.sub("", text)  # the grammar would end the word there
        if "!" in text or "time" in text:
            text = PREFIXED.sub(r"\1 ", text)  # the grammar would take the keyword for a program
        tree = parse(text)
        if tree is None:
            self.dark("limit", text)
            return None
        scope = self.scope
        before = self.source, scope.via, self.nesting
        self.source = text
        scope.via += via
        self.depth += 1
        try:
            root = tree.root_node
            out = self.block(root.children, stdin)
            if root.has_error:
                errors(self, root, text)
            return out
        finally:
            self.depth -= 1
            self.source, scope.via, self.nesting = before

    def slice(self, node: Node) -> str:
        """The source of a node."""
        return self.source[node.start_byte : node.end_byte]

    def dark(self, why: str, text: str) -> None:
        """Record something that could not be seen through."""
        self.scope.emit(Opaque(why, brief(text), via=self.scope.via))

    def raw(self, node: Node) -> str:
        """A word with its marks."""
        return expand.raw(self, node)

    def inside(self, node: Node) -> str:
        """The inside of a heredoc or of double quotes, with its marks."""
        return expand.inside(self, node, node.start_byte, node.end_byte)

    def words(self, node: Node) -> list[str]:
        """The words a node expands to."""
        return expand.words(self, node)

    def block(self, nodes: Sequence[Node], stdin: Stream | None) -> Stream | None:
        """Statements one after another; what they print together, when all of it is known."""
        out: Stream | None = None
        count = 0
        for node in nodes:
            kind = node.type
            if kind in SILENT:
                continue
            got = self.statement(node, stdin)
            count += 1
            out = got if count == 1 else _together(out, got)
        return out

    def statement(self, node: Node, stdin: Stream | None = None) -> Stream | None:
        """Lower one statement; returns what it prints."""
        scope = self.scope
        scope.left -= 1
        if scope.left < 0:
            raise SpentError
        handler = STATEMENTS.get(node.type)
        if handler is None:
            self.expansions(node)
            return None
        if self.nesting >= MAX_NESTING:
            self.dark("depth", self.slice(node))
            return None
        self.nesting += 1
        got = handler(self, node, stdin)
        self.nesting -= 1
        return got

    def expansions(self, node: Node) -> None:
        """Lower the commands inside a node that is not a statement itself (a test, an arithmetic expression)."""
        waiting = [node]
        scope = self.scope
        while waiting:
            current = waiting.pop()
            scope.left -= 1
            if scope.left < 0:
                raise SpentError
            kind = current.type
            if kind in ("command_substitution", "process_substitution"):
                self.raw(current)
            elif current.child_count:
                waiting.extend(reversed(current.children))

    def subshell(self, nodes: Sequence[Node], stdin: Stream | None) -> Stream | None:
        """Statements whose assignments and `cd` end with them."""
        before = self.scope.snapshot()
        try:
            return self.block(nodes, stdin)
        finally:
            self.scope.restore(before)


def _together(one: Stream | None, two: Stream | None) -> Stream | None:
    if one is None or two is None:
        kept = one or two
        return Stream(None, kept.names, kept.source) if kept is not None else None
    text = one.text + two.text if one.text is not None and two.text is not None else None
    return Stream(text, one.names + two.names, one.source or two.source)


def _command(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    return commands.command(shell, node, stdin)


def _redirected(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """Redirections first, because they feed the command; output files last, because it feeds them."""
    into = redirects.Redirects(stdin)
    body: Node | None = None
    before_extra = shell.extra
    shell.extra = []
    for child in node.children:
        kind = child.type
        if kind.endswith("_redirect"):
            redirects.take(shell, child, into)
        elif child.is_named and body is None and kind != "ERROR":
            body = child
        elif kind == "ERROR":
            shell.expansions(child)
    out = shell.statement(body, into.stdin) if body is not None else None
    shell.extra = before_extra
    redirects.flush(shell, into, out)
    for node_after in into.after:
        out = shell.statement(node_after, out)
    return None if into.outputs and not into.after else out


def _pipeline(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    flow = stdin
    start = node.start_byte
    for child in node.children:
        if not child.is_named:
            continue
        before = shell.scope.snapshot()
        out = shell.statement(child, flow)
        shell.scope.restore(before)
        source = brief(shell.source[start : child.end_byte])
        flow = Stream(source=source) if out is None else Stream(out.text, out.names, source)
    return flow


def _list(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """`a && b || c`: after it, any of its commands may have been the last to run."""
    spine: list[Node] = []
    current = node
    while current.type == "list":
        children = current.children
        spine.extend(child for child in reversed(children[1:]) if child.is_named)
        current = children[0]
    spine.append(current)
    scope = shell.scope
    states = []
    out: Stream | None = None
    for index, child in enumerate(reversed(spine)):
        got = shell.statement(child, stdin)
        out = got if index == 0 else _together(out, got)
        states.append(scope.snapshot())
    last = states.pop()
    for state in states:
        if state[0] is not last[0] or state[1] is not last[1]:
            scope.merge(state)
    return out


def _group(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    children = node.children
    if children and children[0].type == "((":
        shell.expansions(node)
        return None
    return shell.block(children, stdin)


def _subshell(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    return shell.subshell(node.children, stdin)


def _branches(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
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
        out = _together(out, shell.block(inner, stdin))
        after.append(scope.snapshot())
    scope.restore(before)
    for state in after:
        scope.merge(state)
    return out


def _loop(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """A body runs any number of times: a second look catches what the first one set up."""
    scope = shell.scope
    before = scope.snapshot()
    inner: list[Node] = []
    name = ""
    values: list[str] = []
    for index, child in enumerate(node.children):
        field = node.field_name_for_child(index)
        if field == "variable":
            name = shell.slice(child)
        elif field == "value":
            values.extend(shell.words(child))
        elif child.is_named:
            inner.append(child)
    if name:
        scope.assign(name, expand.as_values(values))
    out = shell.block(inner, stdin)
    if shell.passes < 2 and (scope.vars is not before[0] or scope.cwds is not before[1]):
        scope.merge(before)
        if name and values:
            scope.assign(name, expand.as_values(values))
        told = any(
            value != before[0].get(key) and value != (UNKNOWN,) for key, value in scope.vars.items() if key != name
        )
        if told or scope.cwds != before[1]:
            shell.passes += 1
            shell.block(inner, stdin)
            shell.passes -= 1
    scope.merge(before)
    return out


def _function(shell: Shell, node: Node, _stdin: Stream | None) -> Stream | None:
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
    calling = shell.calling
    shell.calling = calling | {name}
    before = shell.scope.snapshot()
    shell.block([body], None)
    shell.scope.restore(before)
    shell.calling = calling
    return None


def _bare_redirect(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """A redirect without a command: `$(<file)`, `> file`."""
    into = redirects.Redirects(stdin)
    redirects.take(shell, node, into)
    redirects.flush(shell, into, Stream(""))
    return into.stdin


def _declaration(shell: Shell, node: Node, _stdin: Stream | None) -> Stream | None:
    words: list[str] = []
    for child in node.children:
        if child.type == "variable_assignment":
            words.append(commands.assignment(shell, child, announce=False))
        elif child.is_named:
            words.extend(shell.words(child))
        else:
            words.append(shell.slice(child))
    if words:
        certain = not any(type(word) is Dim for word in words)
        shell.scope.emit(Run(words, cwd=shell.scope.cwd, via=shell.scope.via, certain=certain))
    return None


def _assignment(shell: Shell, node: Node, _stdin: Stream | None) -> Stream | None:
    commands.assignment(shell, node, announce=True)
    return None


def _assignments(shell: Shell, node: Node, _stdin: Stream | None) -> Stream | None:
    for child in node.children:
        if child.type == "variable_assignment":
            commands.assignment(shell, child, announce=True)
    return None


def _transparent(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    return shell.block([child for child in node.children if child.is_named], stdin)


SILENT = names("; & ( ) { } ;; | |& || && if then elif else fi for while until do done case in esac comment") | {"\n"}
STATEMENTS: dict[str, Callable[[Shell, Node, Stream | None], Stream | None]] = {
    "command": _command,
    "redirected_statement": _redirected,
    "pipeline": _pipeline,
    "list": _list,
    "compound_statement": _group,
    "subshell": _subshell,
    "do_group": _group,
    "if_statement": _branches,
    "case_statement": _branches,
    "while_statement": _loop,
    "for_statement": _loop,
    "c_style_for_statement": _loop,
    "function_definition": _function,
    "declaration_command": _declaration,
    "unset_command": _declaration,
    "variable_assignment": _assignment,
    "variable_assignments": _assignments,
    "negated_command": _transparent,
    "elif_clause": _transparent,
    "else_clause": _transparent,
    "program": _transparent,
    "ERROR": _transparent,
    "file_redirect": _bare_redirect,
    "herestring_redirect": _bare_redirect,
    "heredoc_redirect": _bare_redirect,
}
