"""Redirections: files read and written, texts handed to stdin, sockets opened through `/dev/tcp`, descriptors."""

from __future__ import annotations

import re

from bk.engine.lower import flow
from bk.engine.lower.paths import resolve
from bk.engine.lower.scope import NOWHERE, Descriptor, Stream, brief, union
from bk.engine.lower.words import Dim, finish, known
from bk.engine.model import Connect, Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
_STDOUT = ("", "1", "&")


class Redirects:
    """What the redirections of one command amount to: its stdin, its outputs, and what follows a heredoc.

    `outputs` are (file, whether it keeps what it held, descriptor); `connects` are the sockets that get the output and
    `drains` the `>(…)` that do; `diverted` says that nothing of it reaches the pipe. `opened` is what each descriptor
    leads to, noted when `keeps` says that it is `exec` that opens them.
    """

    after: tuple[Node, ...] = ()
    connects: tuple[Connect, ...] = ()
    diverted = False
    drains: tuple[tuple[str, Node], ...] = ()
    keeps = False
    opened: tuple[tuple[str, Descriptor], ...] = ()
    outputs: tuple[tuple[str, bool, str], ...] = ()

    def __init__(self, stdin: Stream | None) -> None:
        self.stdin = stdin


def take(shell: Shell, node: Node, into: Redirects) -> None:
    """Read one redirect node. Output files are kept for later, when what is written to them may be known."""
    kind = node.type
    if kind == "file_redirect":
        _file(shell, node, into)
    elif kind == "herestring_redirect":
        _words(shell, node.children[-1], "", into)
    elif kind == "heredoc_redirect":
        _heredoc(shell, node, into)


def _words(shell: Shell, value: Node, number: str, into: Redirects) -> None:
    """`<<< text`, with the origins of what is woven into it."""
    outer, shell.woven = shell.woven, shell.ground
    raw = shell.raw(value)
    text = known(raw)
    stream = Stream(None if text is None else text + "\n", (), f"<<< {brief(shell.slice(value))}", shell.woven)
    if number in ("", "0"):
        into.stdin = stream
    if into.keeps:
        into.opened += ((number or "0", Descriptor(stream=stream)),)
    for word in finish(raw):
        if word[:1] in "~/" and " " not in word:
            shell.scope.touch(word, "read")
    shell.woven = outer


def _file(shell: Shell, node: Node, into: Redirects) -> None:
    operator = number = ""
    done = False
    for child in node.children:
        kind = child.type
        if kind in ("<", ">", ">>", "&>", "&>>", "<&", ">&", ">|", "<&-", ">&-"):
            operator = "<<<" if operator == "<<" else kind
        elif kind == "file_descriptor":
            number = shell.slice(child).strip("{}")
        elif kind == "ERROR" and not operator and shell.slice(child) == "<<":
            operator = "<<"  # `3<<<word`, as the grammar reads it
        elif done:
            shell.extra.extend(shell.words(child))  # words after the file are the command's
        elif operator:
            done = True
            if operator == "<<<":
                _words(shell, child, number, into)
                continue
            if child.type == "process_substitution" and child.children[0].type == ">(" and operator[0] != "<":
                drain = (shell.source, child)
                if into.keeps:
                    into.opened += ((number or "1", Descriptor(drains=(drain,))),)
                    continue
                into.drains += (drain,)
                into.diverted = into.diverted or number in _STDOUT
                continue
            for word in shell.words(child):
                _target(shell, word, operator, number, into)


def _target(shell: Shell, word: str, operator: str, number: str, into: Redirects) -> None:
    scope = shell.scope
    if operator in ("<&", ">&") and (word.strip("-").isdigit() or word == "-" or word[:2] == "**"):
        _duplicated(shell, word.strip("-"), operator, number, into)
        return
    out = operator[0] != "<"
    if operator[:1] == "&" or operator == ">&":
        number = "&"
    if out and number in _STDOUT:
        into.diverted = True
    socket = _SOCKET.match(word)
    if socket is not None:
        host = socket[1].lower()
        connect = Connect(word, host, int(socket[2] or 0), sends=True, via=scope.via, certain=type(word) is not Dim)
        scope.emit(connect)
        stream = Stream(source=f"< {word}", origins=("net:" + host,))
        if out:
            into.connects += (connect,)
        if operator[0] == "<" or operator == ">|":
            into.stdin = stream  # `>|` stands for `<>` before a number
        if into.keeps:
            name = number or ("0" if operator[0] == "<" else "1")
            into.opened += ((name, Descriptor((connect,), (), stream)),)
    elif operator[0] == "<":
        scope.touch(word, "read")
        if number in ("", "0"):
            into.stdin = _from_file(shell, word)
        if into.keeps:
            into.opened += ((number or "0", Descriptor((), (word,) if out else (), _from_file(shell, word))),)
    elif word != "-":
        into.outputs += ((word, operator in (">>", "&>>"), number),)
        if into.keeps:
            into.opened += ((number or "1", Descriptor((), (word,), None)),)


def _from_file(shell: Shell, word: str) -> Stream:
    """What `< file` hands to a command."""
    source = f"< {word}"
    if word == "/dev/fd/63" and shell.fed is not None:
        fed = shell.fed
        return Stream(fed.text, fed.names, fed.source, fed.origins, fed.paths)
    if word in NOWHERE:
        return Stream("" if word == "/dev/null" else None, (), source)
    scope = shell.scope
    path = resolve(word, scope.cwd, scope.home, scope.env)
    return Stream(None, (), source, flow.of_path(scope, path), (path,) if type(word) is not Dim else ())


def _duplicated(shell: Shell, word: str, operator: str, number: str, into: Redirects) -> None:
    """`>&3`, `<&3`: what `exec` opened earlier; an unknown number may be any of them."""
    descriptors = shell.scope.descriptors
    if operator == ">&" and number in _STDOUT and word not in ("1", ""):
        into.diverted = True
    if not descriptors:
        return
    for name, opened in descriptors.items():
        if word != name and word[:2] != "**":
            continue
        if operator == ">&":
            into.connects += opened.connects
            into.outputs += tuple((path, True, number) for path in opened.paths)
            into.drains += opened.drains
        elif opened.stream is not None:
            into.stdin = opened.stream
        if into.keeps:
            into.opened += ((number or ("1" if operator == ">&" else "0"), opened),)


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
            into.after += (child,)
        elif kind in ("word", "string", "raw_string", "concatenation"):
            shell.extra.extend(shell.words(child))
    if body is None:
        return
    text: str | None = shell.slice(body)
    outer, shell.woven = shell.woven, shell.ground
    if not literal:
        text = known(shell.inside(body))
    into.stdin = Stream(text, (), brief(shell.slice(node)), shell.woven)
    shell.woven = outer


def flush(shell: Shell, redirects: Redirects, output: Stream | None) -> None:
    """Write the outputs, with their content when it is known."""
    scope = shell.scope
    content = output.text if output is not None else None
    origins = output.origins if output is not None else ()
    for word, keeps, number in redirects.outputs:
        mark = len(scope.actions)
        plain = number in _STDOUT
        scope.touch(word, "write", content=None if keeps or not plain else content)
        for action in scope.actions[mark:]:
            if type(action) is Touch:
                flow.write(scope, action, origins if plain else (), add=content if keeps and plain else None)
    for connect in redirects.connects:
        connect.takes = union(connect.takes, origins)
    for source, node in redirects.drains:
        outer = shell.fed, shell.woven, shell.incoming, shell.source
        shell.source = source
        shell.subshell([child for child in node.children if child.is_named], output or Stream(source="|"))
        shell.fed, shell.woven, shell.incoming, shell.source = outer


def persist(shell: Shell, redirects: Redirects, variable: str = "") -> None:
    """`exec N> file` and its like: what they open stays open for the commands after them."""
    scope = shell.scope
    opened = dict(scope.descriptors)
    for number, descriptor in redirects.opened:
        if variable:
            number = str(10 + len(opened))  # noqa: PLW2901 - the shell chooses a number and names it in the variable
            scope.assign(variable, (number,))
        opened[number] = descriptor
    scope.descriptors = opened


def inherited(shell: Shell, stdin: Stream | None, output: Stream | None) -> tuple[Stream | None, Stream | None]:
    """After `exec <file` and `exec >file`, commands read and write there: the new stdin, and what is left to print."""
    descriptors = shell.scope.descriptors
    source = descriptors.get("0")
    if source is not None and source.stream is not None:
        stdin = source.stream
    sink = descriptors.get("1")
    if sink is None or output is None or not output.origins:
        return stdin, output
    for connect in sink.connects:
        connect.takes = union(connect.takes, output.origins)
    return stdin, Stream("")


def coproc(
    shell: Shell,
    words: Sequence[str],
    simple: Callable[[Shell, Sequence[str], Stream | None, Stream | None], Stream | None],
    fed: Stream | None,
) -> Stream:
    """`coproc NAME { … }`: what is written to its descriptor goes into it, and what it prints is read from another."""
    scope = shell.scope
    mark = len(scope.actions)
    if len(words) > 2 and words[1] in ("{", "("):
        words = words[2:]
    before = scope.via
    scope.via += ("coproc",)
    heard, shell.heard = shell.heard, True
    out = simple(shell, words, Stream(source="coproc"), fed)
    shell.heard = heard
    out = out or Stream()
    out.source = "coproc"
    scope.via = before
    connects = [action for action in scope.actions[mark:] if isinstance(action, Connect)]
    scope.descriptors = {**scope.descriptors, "COPROC": Descriptor(connects, (), out)}
    return Stream("")
