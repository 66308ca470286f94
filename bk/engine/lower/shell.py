"""Shell text to actions: the walk over the syntax tree. Words are `expand`'s, single commands are `commands`'."""

from __future__ import annotations

import re

from bk.engine.lower import commands, compound, expand, redirects, variables
from bk.engine.lower.grammar import parse
from bk.engine.lower.rough import errors
from bk.engine.lower.scope import NONE, Scope, SpentError, Stream, brief, together, union
from bk.engine.lower.source import prepared, tails
from bk.engine.model import Opaque
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tree_sitter import Node

    from bk.engine.lower.forks import Calls

_EXEC = re.compile(r"\s*exec(?:\s+\{(\w+)\})?\s*")
_DEEP = re.compile(r"(?:\([ \t]*){100}")
MAX_DEPTH = 8
MAX_NESTING = 60
MAX_SOURCE = 1 << 20


class Shell:
    """One shell text being walked. Texts inside it (`sh -c`, `eval`) are walked by `text`, with the same scope.

    While a command's words are put together, `fed` is the output that a substitution wove into them, `woven` all
    their origins, and `drains` the actions of its `>(…)`. `ground` is what was woven into the whole text. `heard` is
    False while nobody takes what commands print.
    """

    aliases: Mapping[str, str] = NONE
    callees: Mapping[str, Calls] = NONE
    calling: frozenset[str] = frozenset()
    depth = 0
    drains: tuple[tuple[int, int], ...] = ()
    fed: Stream | None = None
    given: tuple[Stream | None, Stream | None] = (None, None)
    functions: Mapping[str, tuple[str, Node]] = NONE
    ground: tuple[str, ...] = ()
    heard = True
    incoming: Stream | None = None
    nesting = 0
    odd = False
    passes = 0
    running: tuple[str, ...] = ()
    source = ""
    woven: tuple[str, ...] = ()

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.extra: list[str] = []

    def text(self, text: str, via: tuple[str, ...] = (), stdin: Stream | None = None) -> Stream | None:
        """Lower a shell text found inside another; too deep is dark."""
        deep = self.depth >= MAX_DEPTH or ("((((" in text and _DEEP.search(text) is not None)
        if deep or len(text) > MAX_SOURCE:
            self.dark("depth" if deep else "limit", text)
            return None
        if not text.isprintable() or "<" in text or "{" in text or "!" in text or "time" in text or not text.isascii():
            text = prepared(self, text)
        tree = parse(text)
        if tree is None:
            self.dark("limit", text)
            return None
        scope = self.scope
        before = self.source, scope.via, self.nesting, self.ground, self.heard
        self.source = text
        if self.woven:
            self.ground = union(self.ground, self.woven)
        scope.via += via
        self.depth += 1
        try:
            root = tree.root_node
            if self.depth == 1:
                self.heard = False
            out = self.block(root.children, stdin)
            if root.has_error:
                errors(self, root, text)
            if self.depth == 1 and ("\\n" in text or not text.isprintable()):
                for tail in tails(text):
                    self.text(tail, ("\\n",))
            return out
        finally:
            self.depth -= 1
            self.source, scope.via, self.nesting, self.ground, self.heard = before

    def elsewhere(
        self, where: str, what: str | Sequence[str], stdin: Stream | None = None, via: tuple[str, ...] = ()
    ) -> Stream | None:
        """Lower what runs on another machine (`ssh:host`), in a container (`container:name`), a pod (`cluster:pod`).

        `what` is shell text (a remote shell reads it) or words (they are the command). Nothing of this machine holds
        there: no variables, functions or files, and an unknown current directory. Paths relative to it, and `~`, are
        written below `scope.FAR`. Every action gets `where`; inside another elsewhere it is `outer>inner`.
        """
        from bk.engine.lower import places

        return places.elsewhere(self, where, what, stdin, via)

    def slice(self, node: Node) -> str:
        """The source of a node."""
        return self.source[node.start_byte : node.end_byte]

    def dark(self, why: str, text: str, takes: tuple[str, ...] = ()) -> None:
        """Record something that could not be seen through, with where it comes from."""
        opaque = Opaque(why, brief(text), via=self.scope.via)
        opaque.takes = takes
        self.scope.emit(opaque)

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
            if self.scope.descriptors:
                stdin, got = redirects.inherited(self, stdin, got)
                self.heard = True
            out = got if count == 1 else together(out, got)
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
        outer, self.heard = self.heard, True
        try:
            return self.block(nodes, stdin)
        finally:
            self.scope.restore(before)
            self.heard = outer


def _command(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    return commands.command(shell, node, stdin)


def _redirected(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """Redirections first, because they feed the command; output files last, because it feeds them."""
    into = redirects.Redirects(stdin)
    body: Node | None = None
    outer = shell.extra, shell.fed, shell.woven
    shell.extra = []
    for child in node.children:
        kind = child.type
        if kind.endswith("_redirect"):
            redirects.take(shell, child, into)
        elif child.is_named and body is None and kind != "ERROR":
            body = child
            into.keeps = shell.source.startswith("exec", child.start_byte)
        elif kind == "ERROR":
            shell.expansions(child)
    heard, shell.heard = shell.heard, True
    out = shell.statement(body, into.stdin) if body is not None else None
    shell.extra, shell.fed, shell.woven = outer
    if into.outputs or into.connects or into.drains:
        redirects.flush(shell, into, out)
    if into.keeps and body is not None and (persists := _EXEC.fullmatch(shell.slice(body))):
        redirects.persist(shell, into, persists[1] or "")
    if into.diverted:
        out = Stream("")
    for node_after in into.after:
        out = shell.statement(node_after, out)
    shell.heard = heard
    return out


def _pipeline(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """Each stage is a subshell, but the last one may not be (`lastpipe`, zsh): what it assigns may stay."""
    flow = stdin
    start = node.start_byte
    scope = shell.scope
    heard, shell.heard = shell.heard, True
    for child in node.children:
        if not child.is_named:
            continue
        before = scope.snapshot()
        out = shell.statement(child, flow)
        names, taints = scope.vars, scope.taints
        scope.restore(before)
        source = brief(shell.source[start : child.end_byte])
        if out is None:
            flow = Stream(source=source)
        else:
            flow = out
            flow.source = source
    shell.heard = heard
    if names is not before[0]:
        scope.merge((names, before[1], before[2], taints))
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
        out = got if index == 0 else together(out, got)
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


def _bare_redirect(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """A redirect without a command: `$(<file)`, `> file`."""
    into = redirects.Redirects(stdin)
    outer = shell.fed, shell.woven
    redirects.take(shell, node, into)
    shell.fed, shell.woven = outer
    redirects.flush(shell, into, Stream(""))
    return into.stdin


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
    "if_statement": compound.branches,
    "case_statement": compound.branches,
    "while_statement": compound.loop,
    "for_statement": compound.loop,
    "c_style_for_statement": compound.loop,
    "function_definition": compound.function,
    "declaration_command": variables.declaration,
    "unset_command": variables.declaration,
    "variable_assignment": compound.assignment,
    "variable_assignments": compound.assignments,
    "negated_command": _transparent,
    "elif_clause": _transparent,
    "else_clause": _transparent,
    "program": _transparent,
    "ERROR": _transparent,
    "file_redirect": _bare_redirect,
    "herestring_redirect": _bare_redirect,
    "heredoc_redirect": _bare_redirect,
}
