"""Shell arithmetic on known numbers: `$((16#72))` may spell a letter, `${a[1+1]}` may pick a word."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 120
MAX_NUMBER = 1 << 63
_TOKEN = re.compile(
    r"\s*(?:(\d+#[0-9A-Za-z@_]+|0[xX][0-9A-Fa-f]+|\d+)|\$?\{?([A-Za-z_]\w*)\}?|(\*\*|<<|>>|[-+*/%()&|^~]))"
)
_RANKS = {"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "**": 7}


class _UnknownError(Exception):
    """Something in the expression cannot be known, or is not arithmetic that we do."""


def value(text: str, lookup: Callable[[str], tuple[str, ...]]) -> int | None:
    """The number an expression gives; None when any part of it is unknown."""
    if len(text) > MAX_TEXT:
        return None
    tokens: list[int | str] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        at = match.end()
        if match[1]:
            number = _number(match[1])
        elif match[2]:
            values = lookup(match[2])
            number = _number(values[0].strip() or "0") if len(values) == 1 else None
        else:
            tokens.append(match[3])
            continue
        if number is None:
            return None
        tokens.append(number)
    tokens.reverse()
    try:
        result = _climb(tokens, 0)
    except (_UnknownError, IndexError, ZeroDivisionError):
        return None
    return result if not tokens else None


def _number(text: str) -> int | None:
    base, sharp, digits = text.partition("#")
    try:
        if sharp:
            return int(digits, int(base))
        if text[:2] in ("0x", "0X"):
            return int(text, 16)
        return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
    except ValueError:
        return None


def _climb(tokens: list[int | str], rank: int) -> int:
    left = _single(tokens)
    while tokens and isinstance(tokens[-1], str) and _RANKS.get(tokens[-1], -1) >= max(rank, 1):
        operator = tokens.pop()
        right = _climb(tokens, _RANKS[str(operator)] + (operator != "**"))
        left = _apply(str(operator), left, right)
        if abs(left) > MAX_NUMBER:
            raise _UnknownError
    return left


def _single(tokens: list[int | str]) -> int:
    first = tokens.pop()
    if isinstance(first, int):
        return first
    if first == "(":
        inner = _climb(tokens, 0)
        if tokens.pop() != ")":
            raise _UnknownError
        return inner
    if first in ("-", "+", "~"):
        inner = _single(tokens)
        return -inner if first == "-" else ~inner if first == "~" else inner
    raise _UnknownError


def _apply(operator: str, left: int, right: int) -> int:
    if operator in ("**", "<<", ">>"):
        if not 0 <= right < 64 or abs(left) >= 1 << 32:
            raise _UnknownError
        return int(left**right) if operator == "**" else left << right if operator == "<<" else left >> right
    if operator in "/%":
        whole = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return whole if operator == "/" else left - right * whole
    if operator in "+-":
        return left + right if operator == "+" else left - right
    if operator == "*":
        return left * right
    return left & right if operator == "&" else left | right if operator == "|" else left ^ right
