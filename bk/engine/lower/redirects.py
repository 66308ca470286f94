"""Redirections: files read and written, texts handed to stdin, sockets opened through `/dev/tcp`."""

from __future__ import annotations

import re

from bk.engine.lower.scope import Stream, brief
from bk.engine.lower.words import Dim, known
from bk.engine.model import Connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

_SOCKET = re.compile(r"/dev/(?:tcp|udp)/([^/]+)/(\d{1,5})?")
_STATEMENTS = frozenset(
    (
        "pipeline",
        "list",
        "command",
        "redirected_statement",
        "subshell",
        "compound_statement",
        "negated_command",
        "test_command",
        "if_statement",
        "while_statement",
        "for_statement",
        "case_statement",
    )
)


class Redirects:
    """What the redirections of one command amount to: its stdin, its output files, and what follows a heredoc."""

    __slots__ = ("after", "outputs", "stdin")

    def __init__(self, stdin: Stream | None) -> None:
        self.stdin = stdin
        self.outputs: list[str] = []
        self.after: list[Node] = []


def take(shell: Shell, node: Node, into: Redirects) -> None:
    """Read one redirect node. Output files are kept for later, when what is written to them may be known."""
    kind = node.type
    if kind == "file_redirect":
        _file(shell, node, into)
    elif kind == "herestring_redirect":
        value = node.children[-1]
        raw = shell.raw(value)
        text = known(raw)
        into.stdin = Stream(None if text is None else text + "\n", source=shell.slice(node))
        for word in shell.words(value):
            if word[:1] in "~/" and " " not in word:
                shell.scope.touch(word, "read")
    elif kind == "heredoc_redirect":
        _heredoc(shell, node, into)


def _file(shell: Shell, node: Node, into: Redirects) -> None:
    operator = ""
    for child in node.children:
        kind = child.type
        if kind in ("<", ">", ">>", "&>", "&>>", "<&", ">&", ">|", "<&-", ">&-", "<>"):
            operator = kind
        elif kind == "file_descriptor":
            continue
        elif operator:
            if child.type == "number" and operator in ("<&", ">&"):
                return
            for word in shell.words(child):
                _target(shell, word, operator, into)
                operator = ">" if operator == "<>" else operator


def _target(shell: Shell, word: str, operator: str, into: Redirects) -> None:
    socket = _SOCKET.match(word)
    if socket is not None:
        port = int(socket[2] or 0)
        scope = shell.scope
        scope.emit(Connect(word, socket[1].lower(), port, sends=True, via=scope.via, certain=type(word) is not Dim))
        if operator == "<":
            into.stdin = Stream(source=f"< {word}")
    elif operator == "<":
        shell.scope.touch(word, "read")
        into.stdin = Stream(source=f"< {word}")
    elif operator == "<&":
        if not word.isdigit():
            shell.scope.touch(word, "read")
    elif word != "-" and not (operator == ">&" and word.isdigit()):
        into.outputs.append(word)
        if operator in (">>", "&>>"):
            into.outputs[-1] = Appended(word) if type(word) is not Dim else word


class Appended(str):
    """An output file that keeps what it held."""

    __slots__ = ()


def _heredoc(shell: Shell, node: Node, into: Redirects) -> None:
    literal = False
    body: Node | None = None
    for child in node.children:
        kind = child.type
        if kind == "heredoc_start":
            start = shell.slice(child)
            if not start.isascii():
                shell.dark("hidden", shell.slice(node))  # where it ends cannot be told: the grammar sees ASCII only
            literal = start[:1] in "'\"\\" or "'" in start or '"' in start
        elif kind == "heredoc_body":
            body = child
        elif kind.endswith("_redirect"):
            take(shell, child, into)
        elif kind in _STATEMENTS:
            into.after.append(child)
        elif kind in ("word", "string", "raw_string", "concatenation"):
            shell.extra.extend(shell.words(child))
    if body is None:
        return
    text: str | None = shell.slice(body)
    if not literal:
        text = known(shell.inside(body))
    elif body.child_count:
        text = shell.slice(body)
    into.stdin = Stream(text, source=brief(shell.slice(node)))


def flush(shell: Shell, redirects: Redirects, output: Stream | None) -> None:
    """Write the output files, with their content when it is known."""
    content = output.text if output is not None else None
    for word in redirects.outputs:
        whole = content if type(word) is not Appended else None
        shell.scope.touch(str(word) if type(word) is Appended else word, "write", content=whole)
