"""Expansion: what the words of a syntax tree stand for, as far as that can be known without running anything."""

from __future__ import annotations

from bk.engine.lower import flow
from bk.engine.lower.scope import Stream, brief, union
from bk.engine.lower.words import (
    QUOTED,
    SPECIAL,
    SPLIT,
    UNKNOWN,
    Dim,
    ansi_c,
    bare,
    finish,
    hide,
    in_double_quotes,
    one_of,
    value_in_word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

_OWN = frozenset(("HOME", "PWD", "OLDPWD", "IFS", "USER", "LOGNAME", "SHELL", "RANDOM", "PATH", "TMPDIR"))
_ALL = ("@", "*")
_PLAIN = frozenset(("word", "number", "variable_name", "file_descriptor", "special_variable_name"))


def words(shell: Shell, node: Node) -> list[str]:
    """The words a node expands to."""
    kind = node.type
    if kind in _PLAIN:
        text = shell.slice(node)
        return [text] if not SPECIAL.search(text) else finish(bare(text))
    if kind == "raw_string":
        return [shell.slice(node)[1:-1]]
    return finish(raw(shell, node))


def raw(shell: Shell, node: Node, *, quoted: bool = False) -> str:
    """A word with its marks."""
    kind = node.type
    if kind in _PLAIN:
        return bare(shell.slice(node))
    if kind == "string":
        return QUOTED + inside(shell, node, node.start_byte + 1, node.end_byte - 1)
    if kind == "raw_string":
        return hide(shell.slice(node)[1:-1])
    if kind == "simple_expansion":
        name = shell.slice(node).lstrip()[1:]
        return _variable(shell, name, quoted=quoted)
    if kind == "expansion":
        from bk.engine.lower import parameters

        return parameters.expansion(shell, node, quoted=quoted)
    if kind == "command_substitution":
        return _substituted(shell, node, quoted=quoted)
    if kind == "process_substitution":
        return _process(shell, node)
    if kind in ("concatenation", "command_name", "array"):
        shell.scope.left -= 1
        joint = SPLIT if kind == "array" else ""
        return joint.join([raw(shell, child) for child in node.children if child.type not in ("(", ")", "$")])
    if kind in ("ansi_c_string", "ansii_c_string"):
        return hide(ansi_c(shell.slice(node)[2:-1]))
    if kind == "translated_string":
        return raw(shell, node.children[-1])
    if kind == "arithmetic_expansion":
        return _arithmetic(shell, node)
    if node.child_count and kind not in ("brace_expression", "extglob_pattern", "regex"):
        shell.expansions(node)
    return bare(shell.slice(node))


def inside(shell: Shell, node: Node, start: int, end: int) -> str:
    """Double-quoted text between two offsets: literal pieces and the expansions among them."""
    pieces: list[str] = []
    at = start
    shell.scope.left -= 1
    for child in node.children:
        kind = child.type
        if kind in ('"', "string_content", "heredoc_content"):
            continue
        first = child.start_byte
        if first > at:
            pieces.append(_literal(shell, at, first))
        text = shell.source[first : child.end_byte]
        blanks = len(text) - len(text.lstrip(" \t\n"))  # the grammar counts blanks before `${` as part of the expansion
        if blanks:
            pieces.append(_literal(shell, first, first + blanks))
        pieces.append(raw(shell, child, quoted=True))
        at = child.end_byte
    if at < end:
        pieces.append(_literal(shell, at, end))
    return "".join(pieces)


def _literal(shell: Shell, start: int, end: int) -> str:
    return in_double_quotes(shell.source[start:end])


def as_values(fields: Sequence[str]) -> tuple[str, ...]:
    """Fields as the alternative values of one variable."""
    if not fields:
        return (UNKNOWN,)
    values = [field.replace("**", UNKNOWN) if type(field) is Dim else field for field in fields]
    return tuple(dict.fromkeys(values))[:16]


def joined_values(fields: Sequence[str]) -> tuple[str, ...]:
    """Fields as one value that splits back into them."""
    return (SPLIT.join(field.replace("**", UNKNOWN) if type(field) is Dim else field for field in fields),)


def weave(shell: Shell, name: str) -> None:
    """A variable's value enters a word: what it holds comes with it."""
    scope = shell.scope
    stream = scope.taints.get(name)
    if stream is not None:
        if stream.origins:
            shell.woven = union(shell.woven, stream.origins)
            if stream.source:
                _feed(shell, stream)
    elif name not in scope.vars and name not in _OWN and (name[:1].isalpha() or name[:1] == "_"):
        shell.woven = union(shell.woven, ("env:" + name,))


def _feed(shell: Shell, stream: Stream) -> None:
    """A substitution's output stands in the words of the command; with another one, neither is known whole."""
    outer = shell.fed
    if outer is None:
        shell.fed = stream
    else:
        origins = union(outer.origins, stream.origins)
        shell.fed = Stream(None, outer.names + stream.names, outer.source + " " + stream.source, origins)


def taint(shell: Shell) -> Stream | None:
    """What was woven into the words read so far, for the variable that keeps them; None when there is nothing."""
    if not shell.woven:
        return None
    return Stream(None, (), shell.fed.source if shell.fed is not None else "", shell.woven)


def entered(shell: Shell, value: str, *, quoted: bool) -> str:
    """A value as it enters a word: whole in quotes, an array as its fields, else split at blanks or by IFS."""
    if SPLIT in value:
        return value if not quoted else SPLIT.join(hide(field) if field else field for field in value.split(SPLIT))
    if not quoted and "IFS" in shell.scope.vars:
        for separators in shell.scope.vars["IFS"]:
            for char in separators:
                value = value.replace(char, SPLIT)
        return value
    return value_in_word(value, quoted=quoted)


def _variable(shell: Shell, name: str, *, quoted: bool) -> str:
    weave(shell, name)
    values = shell.scope.lookup(name)
    if len(values) == 1:
        value = values[0]
        if SPLIT in value and name not in _ALL:
            value = value.split(SPLIT, 1)[0]  # an array without an index is its first element
        return entered(shell, value, quoted=quoted)
    return one_of(tuple(entered(shell, value, quoted=quoted) for value in values))


def _arithmetic(shell: Shell, node: Node) -> str:
    from bk.engine.lower import arithmetic

    shell.expansions(node)
    text = shell.slice(node)
    number = arithmetic.value(text[3:-2] if text[:3] == "$((" else text[2:-1], shell.scope.lookup)
    return UNKNOWN if number is None else str(number)


def _substituted(shell: Shell, node: Node, *, quoted: bool) -> str:
    """`$(…)`: its commands are lowered; its value is what they print, if that is known."""
    inner = [child for child in node.children if child.is_named]
    out = shell.subshell(inner, None)
    source = brief(shell.slice(node))
    if out is None:
        _feed(shell, Stream(source=source))
        return UNKNOWN
    _feed(shell, Stream(out.text, out.names, source, out.origins, out.paths))
    shell.woven = union(shell.woven, out.origins)
    text = out.text
    if text is None and out.paths:
        text = flow.known(shell.scope, out)
    if text is not None:
        return value_in_word(text.rstrip("\n"), quoted=quoted)
    if out.names:
        return SPLIT.join(name.replace("**", UNKNOWN) if type(name) is Dim else name for name in out.names)
    return UNKNOWN


def _process(shell: Shell, node: Node) -> str:
    """`<(…)` is a file with what its commands print; `>(…)` is one that they read."""
    inner = [child for child in node.children if child.is_named]
    source = brief(shell.slice(node))
    if node.children[0].type == "<(":
        out = shell.subshell(inner, None) or Stream()
        shell.fed = Stream(out.text, (), source, out.origins, out.paths)
        shell.woven = union(shell.woven, out.origins)
    else:
        mark = len(shell.scope.actions)
        before = shell.fed, shell.woven, shell.drains
        shell.subshell(inner, shell.incoming or Stream(source=source))
        shell.fed, shell.woven, drains = before
        shell.drains = (*drains, (mark, len(shell.scope.actions)))
    return hide("/dev/fd/63")
