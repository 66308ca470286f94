"""Semantic versions: the order, and the spans that tildes, carets and partial versions stand for."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Span, compared, point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from bk.engine.intel.dialects.dialect import Key, Test

PLAIN = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)", re.ASCII)
VERSION = re.compile(r"(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]*)?", re.ASCII)


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def made(numbers: tuple[int, ...], pre: str = "") -> Key:
    """A key: four numbers, whether it is a release, and the identifiers of a pre-release."""
    filled = numbers + (0,) * (4 - len(numbers))
    return (filled, 0, tuple(map(_identifier, pre.split(".")))) if pre else (filled, 1, ())


def floor(numbers: tuple[int, ...]) -> Key:
    """Below every pre-release of these numbers."""
    return (numbers + (0,) * (4 - len(numbers)), 0, ())


def key(version: str) -> Key | None:
    """The key of `1.2.3-rc.1+build`, of fewer numbers, and of four."""
    found = VERSION.fullmatch(version)
    return made(tuple(map(int, found[1].split("."))), found[2] or "") if found else None


def is_prerelease(key: Key) -> bool:
    """Whether a key is that of a pre-release."""
    return bool(key[1] == 0)


def bumped(numbers: tuple[int, ...], at: int) -> Key:
    """Below everything of the next number at this position."""
    return floor((*numbers[:at], numbers[at] + 1))


def term(op: str, numbers: tuple[int, ...], pre: str = "") -> Span:
    """What npm and Cargo mean by an operator and one to three numbers: missing ones are free.

    No numbers at all mean anything, but nothing is above or below anything.
    """
    if not numbers:
        return Span(floor((0,)), floor((0,))) if op in ("<", ">") else Span()
    low = made(numbers, pre)
    last = len(numbers) - 1
    if op == "^":
        return Span(low, bumped(numbers, next((at for at, number in enumerate(numbers) if number), last)))
    if op in ("~", "~>"):
        return Span(low, bumped(numbers, min(1, last)))
    if last == 2:
        return point(low) if op in ("", "=") else compared(op, low)
    if op in ("", "="):
        return Span(low, bumped(numbers, last))
    if op == ">=":
        return Span(low)
    return Span(None, floor(numbers)) if op == "<" else _past(op, bumped(numbers, last))


def _past(op: str, end: Key) -> Span:
    """`>1.2` begins, and `<=1.2` ends, where 1.3 does: of 1.3's pre-releases neither speaks."""
    return Span((end[0], 1, ())) if op == ">" else Span(None, end)


def gate(named: Collection[tuple[int, ...]]) -> Test:
    """A pre-release is taken only when the request names a pre-release of the same numbers."""

    def test(_version: str, key: Key) -> bool:
        return key[1] == 1 or key[0] in named

    return test


def perhaps(_version: str, key: Key) -> bool | None:
    """A pre-release is taken only when no release fits, or when an option says so."""
    return True if key[1] == 1 else None
