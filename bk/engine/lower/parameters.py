"""`${…}`: defaults are alternatives; trimming, replacing, slicing and case are done where both sides are known."""

from __future__ import annotations

import re

from bk.engine.lower import arithmetic, expand
from bk.engine.lower.words import SPLIT, UNKNOWN, ansi_c, known, one_of, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

MAX_MATCHED = 128
MAX_STARS = 1
MAX_PATTERN = 64
_KEYED = re.compile(r"\[([^\]]*)\]=")
_PIECE = re.compile(r"\\(.)|\[(!|\^)?(\]?[^\]]*)\]|(.)", re.DOTALL)


def expansion(shell: Shell, node: Node, *, quoted: bool) -> str:
    """The marked text that a `${…}` stands for."""
    name, operator, rest = "", "", []
    indirect = length = False
    index: str | None = None
    for child in node.children:
        kind = child.type
        if kind in ("variable_name", "special_variable_name") and not name:
            name = shell.slice(child)
        elif kind == "subscript" and not name:
            name = shell.slice(child.children[0])
            index = _index(shell, child)
        elif kind in ("}", "${", '"') or kind.lstrip() == "${":
            continue
        elif not name and kind in ("!", "#"):
            indirect, length = kind == "!", kind == "#"
        elif not child.is_named and not operator:
            operator = kind
        else:
            rest.append(child)
    expand.weave(shell, name)
    scope = shell.scope
    values = scope.lookup(name)
    if indirect:
        if index is not None or operator in ("*", "@"):
            return UNKNOWN
        for one in values:
            if one:
                expand.weave(shell, one)
        values = tuple(value for one in values for value in (scope.lookup(one) if one else (UNKNOWN,)))[:16]
    whole = index in ("@", "*") or name in ("@", "*")
    if not whole and (index is not None or any(SPLIT in value for value in values)):
        values = _picked(values, index)
    if length:
        return _length(values, whole=whole)
    if not operator:
        return one_of(tuple(expand.entered(shell, value, quoted=quoted) for value in values))
    operands = [expand.raw(shell, child, quoted=quoted) for child in rest]
    joined = "".join(operands)
    if operator in (":-", "-", ":=", "="):
        if name in scope.vars and all(value and UNKNOWN not in value for value in values):
            return one_of(tuple(expand.entered(shell, value, quoted=quoted) for value in values))
        if operator in (":=", "="):
            scope.assign(name, value_of(joined), expand.taint(shell))
        unset = values == (UNKNOWN,)
        return one_of((joined,) if unset and not joined else (UNKNOWN, joined) if unset else (*values, joined))
    if operator in (":+", "+"):
        return one_of(("", joined))
    if operator in (":?", "?"):
        scope.guarded = True
        return one_of(tuple(expand.entered(shell, value, quoted=quoted) for value in values))
    changed = tuple(_changed(shell, value, operator, rest, operands, whole=whole) for value in values)
    return one_of(tuple(expand.entered(shell, value, quoted=quoted) for value in changed))


def _index(shell: Shell, subscript: Node) -> str:
    """The inside of `[…]` as text; a command in it is lowered."""
    inner = subscript.children[2] if len(subscript.children) > 2 else None
    if inner is None:
        return ""
    return known(expand.raw(shell, inner)) or "" if inner.type != "word" else shell.slice(inner)


def _picked(values: Sequence[str], index: str | None) -> tuple[str, ...]:
    """One element of each array; any of them when the index is unknown."""
    found: list[str] = []
    for value in values:
        if value == UNKNOWN:
            return (UNKNOWN,)
        fields = value.split(SPLIT)
        keyed = {match[1]: field[match.end() :] for field in fields if (match := _KEYED.match(field))}
        if keyed:
            found.extend([keyed[index]] if index in keyed else keyed.values())
            continue
        fields = [field for field in fields if field] or [""]
        number = arithmetic.value(index, lambda _name: (UNKNOWN,)) if index else 0
        if number is None:
            found.extend(fields)
        elif -len(fields) <= number < len(fields):
            found.append(fields[number])
        else:
            found.append("")
    return tuple(dict.fromkeys(found))[:16]


def _length(values: Sequence[str], *, whole: bool) -> str:
    if len(values) != 1 or UNKNOWN in values[0]:
        return UNKNOWN
    return str(len([field for field in values[0].split(SPLIT) if field]) if whole else len(values[0]))


def _changed(
    shell: Shell, value: str, operator: str, rest: Sequence[Node], operands: Sequence[str], *, whole: bool
) -> str:
    """A value after an operator; unknown when the value or the operand is."""
    if operator == ":":
        return _slice(shell, value, [shell.slice(child) for child in rest if child.is_named], whole=whole)
    if whole and SPLIT in value:
        fields = value.split(SPLIT)
        return SPLIT.join(_changed(shell, one, operator, rest, operands, whole=False) for one in fields)
    operand = known("".join(operands))
    if UNKNOWN in value or operand is None:
        return UNKNOWN
    if operator in ("%", "%%", "#", "##"):
        return _trimmed(value, operator, operand)
    if operator in ("^^", ",,", "^", ",", "~~", "~") and not operand:
        first, others = value[:1], value[1:]
        if operator[0] == "^":
            return first.upper() + (others.upper() if operator == "^^" else others)
        if operator[0] == ",":
            return first.lower() + (others.lower() if operator == ",," else others)
        return first.swapcase() + (others.swapcase() if operator == "~~" else others)
    if operator == "@":
        return _transformed(shell, value, operand)
    if operator[0] == "/":
        texts = [known(piece) for piece, child in zip(operands, rest, strict=True) if child.is_named]
        if texts and texts[0] and None not in texts:
            return _replaced(value, operator, texts[0], "".join(str(text) for text in texts[1:]))
    return UNKNOWN


def _transformed(shell: Shell, value: str, how: str) -> str:
    """`${x@U}` and its like; `@P` runs the commands in the value, as a prompt would."""
    if how == "U":
        return value.upper()
    if how == "L":
        return value.lower()
    if how == "u":
        return value[:1].upper() + value[1:]
    if how == "E":
        return ansi_c(value)
    if how == "P" and ("$(" in value or "`" in value):
        shell.text(f': "{value}"', ("@P",))
    return UNKNOWN


def _slice(shell: Shell, value: str, texts: Sequence[str], *, whole: bool) -> str:
    """`${x:1:2}`; of an array or `$@`, elements."""
    numbers = [arithmetic.value(text, shell.scope.lookup) for text in texts]
    if UNKNOWN in value and not (whole and SPLIT in value):
        return UNKNOWN
    if not numbers or None in numbers:
        return UNKNOWN
    start = numbers[0] or 0
    if whole:
        fields = [field for field in value.split(SPLIT) if field]
        start -= start > 0 and "1" in shell.scope.vars and value in shell.scope.lookup("@")
        end = len(fields) if len(numbers) == 1 else start + (numbers[1] or 0)
        return SPLIT.join(fields[start:end])
    start = max(start + len(value), 0) if start < 0 else start
    if len(numbers) == 1:
        return value[start:]
    count = numbers[1] or 0
    return value[start : start + count] if count >= 0 else value[start:count]


def _pattern(text: str) -> re.Pattern[str] | None:
    """A glob as an expression whose cost is bounded; None when it is too rich for that."""
    if len(text) > MAX_PATTERN or text.count("*") > MAX_STARS or "(" in text:
        return None

    def piece(match: re.Match[str]) -> str:
        if match[1]:
            return re.escape(match[1])
        if match[3] is not None:
            inside = match[3].replace("\\", "\\\\").replace("[:alpha:", "a-zA-Z").replace("[", "\\[")
            return f"[{'^' if match[2] else ''}{inside}]"
        return {"*": ".*", "?": "."}.get(match[4]) or re.escape(match[4])

    try:
        return re.compile(_PIECE.sub(piece, text), re.DOTALL)
    except re.error:
        return None


def _trimmed(value: str, operator: str, operand: str) -> str:
    if not any(char in operand for char in "*?["):
        return value.removesuffix(operand) if operator[0] == "%" else value.removeprefix(operand)
    pattern = _pattern(operand) if len(value) <= MAX_MATCHED else None
    if pattern is None:
        return UNKNOWN
    cuts: Sequence[int] = range(len(value) + 1)
    if operator in ("%", "##"):
        cuts = cuts[::-1]
    for cut in cuts:
        if operator[0] == "%" and pattern.fullmatch(value, cut):
            return value[:cut]
        if operator[0] == "#" and pattern.fullmatch(value, 0, cut):
            return value[cut:]
    return value


def _replaced(value: str, operator: str, operand: str, by: str) -> str:
    every = operator == "//"
    if not any(char in operand for char in "*?[#%"):
        return value.replace(operand, by, -1 if every else 1)
    pattern = _pattern(operand.lstrip("#%") if operator == "/" else operand) if len(value) <= MAX_MATCHED else None
    if pattern is None:
        return UNKNOWN
    return pattern.sub(lambda _match: by, value, count=0 if every else 1)
