"""Expansion: what the words of a syntax tree stand for, as far as that can be known without running anything."""

from __future__ import annotations

from bk.engine.lower.scope import Stream, brief
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
    known,
    one_of,
    value_in_word,
    value_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

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
        return _expansion(shell, node, quoted=quoted)
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
        shell.expansions(node)
        return UNKNOWN
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


def _variable(shell: Shell, name: str, *, quoted: bool) -> str:
    values = shell.scope.lookup(name)
    if len(values) == 1:
        value = values[0]
        if SPLIT in value:
            return value
        return value_in_word(value, quoted=quoted)
    return one_of(tuple(value_in_word(value, quoted=quoted) for value in values))


def _expansion(shell: Shell, node: Node, *, quoted: bool) -> str:
    """`${…}`: defaults are alternatives, trimming and replacing are done where both sides are known."""
    name, operator, rest = "", "", []
    indirect = length = False
    for child in node.children:
        kind = child.type
        if kind in ("variable_name", "special_variable_name") and not name:
            name = shell.slice(child)
        elif kind == "subscript" and not name:
            name = shell.slice(child.children[0])
            index = child.children[2] if len(child.children) > 2 else None
            if index is not None and index.type == "command_substitution":
                shell.expansions(index)
        elif kind in ("}", "${", '"') or kind.lstrip() == "${":
            continue
        elif not name and kind in ("!", "#"):
            indirect, length = kind == "!", kind == "#"
        elif not child.is_named and not operator:
            operator = kind
        else:
            rest.append(child)
    if length:
        return UNKNOWN
    values = shell.scope.lookup(name)
    if indirect:
        values = tuple(value for one in values for value in (shell.scope.lookup(one) if one else (UNKNOWN,)))[:16]
    if not operator:
        return one_of(tuple(value if SPLIT in value else value_in_word(value, quoted=quoted) for value in values))
    operands = [raw(shell, child, quoted=quoted) for child in rest]
    joined = "".join(operands)
    if operator in (":-", "-", ":=", "="):
        if name in shell.scope.vars and all(value and UNKNOWN not in value for value in values):
            return one_of(tuple(value_in_word(value, quoted=quoted) for value in values))
        if operator in (":=", "="):
            shell.scope.assign(name, value_of(joined))
        unset = values == (UNKNOWN,)
        return one_of((joined,) if unset and not joined else (UNKNOWN, joined) if unset else (*values, joined))
    if operator in (":+", "+"):
        return one_of(("", joined))
    if operator in (":?", "?"):
        return one_of(tuple(value_in_word(value, quoted=quoted) for value in values))
    operand = known(joined)
    changed = tuple(_changed(value, operator, operand, rest, shell) for value in values)
    return one_of(tuple(value_in_word(value, quoted=quoted) for value in changed))


def _changed(value: str, operator: str, operand: str | None, rest: Sequence[Node], shell: Shell) -> str:
    """A value after `%`, `#`, `/`, `^`, `,` or a substring, with patterns that are plain text; else unknown."""
    if UNKNOWN in value or operand is None or any(char in operand for char in "*?["):
        return UNKNOWN
    if operator in ("%", "%%"):
        return value.removesuffix(operand)
    if operator in ("#", "##"):
        return value.removeprefix(operand)
    if operator in ("^^", ",,"):
        return value.upper() if operator == "^^" else value.lower()
    if operator == ":":
        try:
            numbers = [int(shell.slice(child)) for child in rest if child.is_named]
        except ValueError:
            return UNKNOWN
        if len(numbers) == 1:
            return value[numbers[0] :]
        if len(numbers) == 2 and min(numbers) >= 0:
            return value[numbers[0] : numbers[0] + numbers[1]]
    if operator in ("/", "//"):
        parts = [shell.slice(child) for child in rest if child.is_named]
        if len(parts) in (1, 2) and parts[0]:
            return value.replace(parts[0], parts[1] if len(parts) == 2 else "", -1 if operator == "//" else 1)
    return UNKNOWN


def _substituted(shell: Shell, node: Node, *, quoted: bool) -> str:
    """`$(…)`: its commands are lowered; its value is what they print, if that is known."""
    inner = [child for child in node.children if child.is_named]
    outer_fed = shell.fed
    out = shell.subshell(inner, None)
    source = brief(shell.slice(node))
    fed = Stream(out.text if out else None, out.names if out else (), source)
    shell.fed = fed if outer_fed is None else Stream(None, outer_fed.names + fed.names, outer_fed.source + " " + source)
    if out is not None and out.text is not None:
        return value_in_word(out.text.rstrip("\n"), quoted=quoted)
    if out is not None and out.names:
        return SPLIT.join(name.replace("**", UNKNOWN) if type(name) is Dim else name for name in out.names)
    return UNKNOWN


def _process(shell: Shell, node: Node) -> str:
    inner = [child for child in node.children if child.is_named]
    outer_fed = shell.fed
    produces = node.children[0].type == "<("
    taken = shell.incoming or Stream(source=brief(shell.slice(node)))
    out = shell.subshell(inner, None if produces else taken)
    if produces:
        shell.fed = Stream(out.text if out else None, (), brief(shell.slice(node)))
    else:
        shell.fed = outer_fed
    return hide("/dev/fd/63")
