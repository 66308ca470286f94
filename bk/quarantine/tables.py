"""The same for TOML: a table is the lines from its header to the next one, a key the lines of its value."""

from __future__ import annotations

import json
import re
import tomllib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = re.compile(r"[ \t]*\[\[?(.*?)\]\]?[ \t]*(?:#.*)?\Z")
_BARE = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_KEY = re.compile(r"[ \t]*([A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*')[ \t]*=")
VALUE_LINES = 1000


def there(text: str, names: list[str]) -> bool:
    """Whether the document has the table or the key; ValueError when it cannot be read."""
    return _value(text, names) is not None


def same(text: str, before: str, names: list[str]) -> bool:
    """Whether the document has it, as it was before."""
    return there(text, names) and _value(text, names) == _value(before, names)


def cut(text: str, names: list[str]) -> tuple[str, str]:
    """The text without the table of this name and those below it, or without the key; and the lines that went."""
    if not there(text, names):
        raise ValueError(f"there is no {'.'.join(names)[:60]!r}")
    lines = text.splitlines(keepends=True)
    gone = _own(lines, names) or _key(lines, names)
    if not gone:
        raise ValueError("it is written inside another value")
    left = "".join(line for number, line in enumerate(lines) if number not in gone)
    if there(left, names) or _others(left, names) != _others(text, names):
        raise ValueError("it is written in several ways at once")
    return left, "".join(lines[number] for number in sorted(gone))


def added(text: str, before: str, names: list[str]) -> str:
    """The text with the table of `before` at its end, or with the key of `before` as the first of its table."""
    if there(text, names):
        raise ValueError("a table of this name is there now")
    _, kept = cut(before, names)
    if _HEADER.match(kept.splitlines()[0]):
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        whole = text + gap + kept
    else:
        lines = text.splitlines(keepends=True)
        at = next((number for number, name in _headers(lines) if name == names[:-1]), -1)
        if at < 0 and names[1:]:
            raise ValueError("its table is not there now")
        whole = "".join([*lines[: at + 1], kept, *lines[at + 1 :]])
    if _others(whole, names) != _others(text, names) or _value(whole, names) != _value(before, names):
        raise ValueError("it does not fit into what is there now")
    return whole


def _headers(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Which tables begin on which lines; what looks like a header in a text of several lines is none."""
    found: list[tuple[int, list[str]]] = []
    quoted = ""
    for number, line in enumerate(lines):
        header = None if quoted else _HEADER.match(line.rstrip("\r\n"))
        if header is not None:
            found.append((number, [_unquoted(part) for part in _BARE.findall(header[1])]))
        for mark in ('"""', "'''"):
            if (not quoted or quoted == mark) and line.count(mark) % 2:
                quoted = "" if quoted else mark
    return found


def _own(lines: list[str], names: list[str]) -> set[int]:
    """The numbers of the lines that belong to the table."""
    gone: set[int] = set()
    for start, end, name in _tables(lines):
        if name[: len(names)] == names:
            gone.update(range(start, end))
    return gone


def _key(lines: list[str], names: list[str]) -> set[int]:
    """The numbers of the lines that a key of its table and its value take."""
    for start, end, name in _tables(lines):
        for first in range(start + 1, end) if name == names[:-1] else ():
            key = _KEY.match(lines[first])
            if key is None or _unquoted(key[1]) != names[-1]:
                continue
            for last in range(first, min(end, first + VALUE_LINES)):
                if _reads("".join(lines[first : last + 1])):
                    return set(range(first, last + 1))
    return set()


def _tables(lines: list[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Each table with the lines from its header to the next one; what stands before the first is the document's own."""
    starts = [(-1, []), *_headers(lines)]
    for (start, name), (end, _) in zip(starts, [*starts[1:], (len(lines), [])], strict=True):
        yield start, end, name


def _reads(text: str) -> bool:
    try:
        return bool(tomllib.loads(text))
    except ValueError:
        return False


def _unquoted(part: str) -> str:
    if part[0] == '"':
        told: str = json.loads(part)
        return told
    return part[1:-1] if part[0] == "'" else part


def _value(text: str, names: list[str]) -> object | None:
    """What the document has there; ValueError when the document cannot be read."""
    value: object = tomllib.loads(text)
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def _others(text: str, names: list[str]) -> object:
    """The whole document but for the table or key, and without the tables that were there for it alone."""
    whole = tomllib.loads(text)
    at: object = whole
    for name in names[:-1]:
        at = at.get(name) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(names[-1], None)
        if not at and len(names) > 1:
            whole.pop(names[0], None)
    return whole
