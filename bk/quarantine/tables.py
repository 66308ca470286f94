"""The same for TOML: a table is the lines from its header to the next one, with the tables below it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"[ \t]*\[\[?(.*?)\]\]?[ \t]*(?:#.*)?\Z")
_BARE = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*'")


def cut(text: str, names: list[str]) -> tuple[str, str]:
    """The text without the table of this name and those below it, and those lines."""
    held = _checked(text, names)
    if held is None:
        raise ValueError(f"there is no table {'.'.join(names)[:60]!r}")
    lines = text.splitlines(keepends=True)
    gone = _own(lines, names)
    if not gone:
        raise ValueError("it is written inside another table")
    left = "".join(line for number, line in enumerate(lines) if number not in gone)
    if _checked(left, names) is not None or _others(left, names) != _others(text, names):
        raise ValueError("it is written in several ways at once")
    return left, "".join(lines[number] for number in sorted(gone))


def added(text: str, before: str, names: list[str]) -> str:
    """The text with the table of `before` at its end."""
    if _checked(text, names) is not None:
        raise ValueError("a table of this name is there now")
    _, kept = cut(before, names)
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    whole = text + gap + kept
    if _others(whole, names) != _others(text, names):
        raise ValueError("it does not fit into what is there now")
    return whole


def _own(lines: list[str], names: list[str]) -> set[int]:
    """The numbers of the lines that belong to the table."""
    gone: set[int] = set()
    inside = False
    quoted = ""
    for number, line in enumerate(lines):
        if not quoted:
            header = _HEADER.match(line.rstrip("\r\n"))
            if header is not None:
                inside = _names(header[1])[: len(names)] == names
        if inside:
            gone.add(number)
        for mark in ('"""', "'''"):
            if (not quoted or quoted == mark) and line.count(mark) % 2:
                quoted = "" if quoted else mark
    return gone


def _names(header: str) -> list[str]:
    found = []
    for part in _BARE.findall(header):
        if part[0] == '"':
            import json

            part = json.loads(part)  # noqa: PLW2901 - the same name, without its quotes
        elif part[0] == "'":
            part = part[1:-1]  # noqa: PLW2901
        found.append(part)
    return found


def _checked(text: str, names: list[str]) -> object | None:
    """The table's value in the document; ValueError when the document cannot be read."""
    import tomllib

    value: object = tomllib.loads(text)
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def _others(text: str, names: list[str]) -> object:
    """The whole document but for the table."""
    import tomllib

    whole = tomllib.loads(text)
    at: object = whole
    for name in names[:-1]:
        at = at.get(name) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(names[-1], None)
        if not at and len(names) > 1:
            whole.pop(names[0], None)
    return whole
