"""Maven: the order of its ComparableVersion (3.9), intervals in brackets, and prefixes as Ivy writes them.

A version is a tree: numbers and words between dots, and a deeper list behind each dash and wherever letters and
digits meet. `Key` compares trees; a canonical text is a tree written out, so that equal versions are equal text.
"""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span
from bk.engine.intel.dialects.semantic import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from bk.engine.intel.dialects.dialect import Key

    Item: TypeAlias = Any  # int, str, or list of items

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~-]*", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
_INTERVAL = re.compile(r"\s*([\[(\]])\s*([^,\[\]()]*?)\s*(?:(,)\s*([^,\[\]()]*?)\s*)?([\])\[])\s*")
_PREFIX = re.compile(r"(\d+(?:\.\d+)*)\.\+", re.ASCII)
_QUALIFIERS = {"alpha": 0, "beta": 1, "milestone": 2, "rc": 3, "snapshot": 4, "": 5, "sp": 6}
_SAME = {"cr": "rc", "ga": "", "final": "", "release": ""}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_TAGS = frozenset(("latest", "release", "latest.release", "latest.integration", "latest.stable"))
_INTERVALS_MAX = 32


class Tree:
    """A parsed version that compares."""

    __slots__ = ("items",)

    def __init__(self, items: list[Item]) -> None:
        self.items = items

    def __lt__(self, other: Tree) -> bool:
        return _compare(self.items, other.items) < 0

    def __le__(self, other: Tree) -> bool:
        return _compare(self.items, other.items) <= 0

    def __gt__(self, other: Tree) -> bool:
        return _compare(self.items, other.items) > 0

    def __ge__(self, other: Tree) -> bool:
        return _compare(self.items, other.items) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and _compare(self.items, other.items) == 0

    def __hash__(self) -> int:
        return hash(_written(self.items))


class Maven(Dialect):
    """The rules of Maven, and of coursier and jbang beside it."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """The tree, written out."""
        if PLAIN.fullmatch(version) is not None:
            return version
        return _written(_parsed(version)) if _VERSION.fullmatch(version) is not None else version

    def key(self, version: str) -> Key | None:
        """The tree; any text with a digit in it is a version."""
        return (Tree(_parsed(version)),) if _VERSION.fullmatch(version) and _DIGIT.search(version) else None

    def one(self, text: str) -> str:
        """A bare version is what is taken, unless something else in the build asks for more."""
        if text[:1] == "[" and text[-1:] == "]" and "," not in text:
            text = text[1:-1].strip()
        if self.key(text) is None or text.endswith("+") or text.lower() in _TAGS:
            return ""
        return self.canonical(text)

    def choices(self, text: str) -> list[Choice] | None:
        """Intervals between commas, any of which may hold."""
        prefix = _PREFIX.fullmatch(text)
        if prefix is not None:
            head, _, last = prefix[1].rpartition(".")
            past = f"{head}.{int(last) + 1}" if head else str(int(last) + 1)
            return [Choice(Span(self.key(prefix[1]), self.key(past)))]
        made: list[Choice] = []
        at = 0
        while at < len(text):
            found = _INTERVAL.match(text, at)
            if found is None or len(made) == _INTERVALS_MAX:
                return None
            span = self._span(found)
            if span is None:
                return None
            made.append(Choice(span))
            at = found.end()
            if at < len(text):
                if text[at] != ",":
                    return None
                at += 1
        return made

    def _span(self, found: re.Match[str]) -> Span | None:
        if not found[3] and (found[1] != "[" or found[5] != "]"):
            return None
        low, high = found[2], found[4] if found[3] else found[2]
        low_key, high_key = (self.key(end) if end else None for end in (low, high))
        if (low and low_key is None) or (high and high_key is None):
            return None
        return Span(low_key, high_key, low_in=found[1] == "[", high_in=found[5] == "]")


def _parsed(version: str) -> list[Item]:
    version = version.lower()
    here: list[Item] = []
    stack = [here]
    digits = False
    start = 0

    def deeper(outer: list[Item]) -> list[Item]:
        made: list[Item] = []
        outer.append(made)
        stack.append(made)
        return made

    for at, mark in enumerate(version):
        if mark in ".-":
            here.append(0 if at == start else _item(version[start:at], digits))
            start = at + 1
            if mark == "-":
                here = deeper(here)
        elif mark.isdigit():
            if not digits and at > start:
                here = deeper(here) if here else here
                here.append(_word(version[start:at], numbered=True))
                start = at
                here = deeper(here)
            digits = True
        else:
            if digits and at > start:
                here.append(_item(version[start:at], digits))
                start = at
                here = deeper(here)
            digits = False
    if len(version) > start:
        here = deeper(here) if not digits and here else here
        here.append(_item(version[start:], digits))
    for one in reversed(stack):
        _normalise(one)
    return stack[0]


def _item(text: str, digits: bool) -> Item:
    return int(text) if digits else _word(text)


def _word(text: str, *, numbered: bool = False) -> str:
    """A qualifier in one spelling; the short ones count only with a number behind them."""
    if numbered:
        text = _SHORT.get(text, text)
    return _SAME.get(text, text)


def _normalise(items: list[Item]) -> None:
    """Zeros, empty words and empty lists at the end carry nothing, nor do they before a list there."""
    for at in range(len(items) - 1, -1, -1):
        if not items[at]:
            del items[at]
        elif type(items[at]) is not list:
            break


def _compare(one: Item, other: Item) -> int:
    """Words lie below lists, lists below numbers; nothing is a zero, or the word for a release."""
    if one is None:
        return -_compare(other, None) if other is not None else 0
    kind, kind_other = type(one), type(other)
    if kind is int:
        if other is None:
            return 1 if one else 0
        return (one > other) - (one < other) if kind_other is int else 1
    if kind is str:
        if other is not None and kind_other is not str:
            return -1
        mine, theirs = _rank(one), _rank(other or "")
        return (mine > theirs) - (mine < theirs)
    if other is None:
        return next((told for told in (_compare(item, None) for item in one) if told), 0)
    if kind_other is not list:
        return -1 if kind_other is int else 1
    for at in range(max(len(one), len(other))):
        told = _compare(one[at] if at < len(one) else None, other[at] if at < len(other) else None)
        if told:
            return told
    return 0


def _rank(word: str) -> tuple[int, str]:
    return (_QUALIFIERS[word], "") if word in _QUALIFIERS else (len(_QUALIFIERS), word)


def _written(items: list[Item], least: int = 3) -> str:
    """A tree as text that reads back as the same tree, with three numbers at least where zeros carry nothing."""
    parts: list[str] = []
    deeper = ""
    only_numbers = True
    for item in items:
        if type(item) is list:
            deeper = "-" + _written(item, 1)
        else:
            parts.append(str(item) if type(item) is int else item or "ga")
            only_numbers = only_numbers and type(item) is int
    if only_numbers:
        parts += ["0"] * (least - len(parts))
    elif not deeper and len(parts) > 1 and not parts[-1].isdigit():
        parts.append("0")  # a word at the very end would be read as a deeper list
    return ".".join(parts) + deeper


DIALECT = Maven()
