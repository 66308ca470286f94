"""The part of YAML in which people write lists of servers; what is more than that is told, not guessed.

Nested blocks, plain and quoted text, and flow lists on one line. Anchors, aliases and tags are no names of packages,
and are left as the text they are.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

DEPTH_MAX = 24
LINES_MAX = 20_000
LINE_MAX = 4096
_KEY = re.compile(
    r"""(?:"(?P<double>[^"\\]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s#&*!|>'"%@`{\[\]},:][^:#]*?))\s*:(?=\s|$)"""
)
_WORD = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^,\[\]{}"']*))\s*(,|$)""")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?")


class _Lines:
    """Lines that say something, with their indentation, and where the reader is."""

    __slots__ = ("at", "lines")

    def __init__(self, text: str) -> None:
        self.at = 0
        self.lines: list[tuple[int, str]] = []
        for raw in text.split("\n"):
            line = raw.rstrip()
            bare = line.lstrip(" ")
            if bare and not bare.startswith(("#", "---", "...", "%")):
                if len(line) > LINE_MAX:
                    raise ValueError("a line of it is too long")
                if bare[0] == "\t":
                    raise ValueError("a tab stands where YAML wants spaces")
                self.lines.append((len(line) - len(bare), bare))
        if len(self.lines) > LINES_MAX:
            raise ValueError("it has too many lines")

    @property
    def indent(self) -> int:
        """The indentation of the line that is next; -1 at the end."""
        return self.lines[self.at][0] if self.at < len(self.lines) else -1

    @property
    def text(self) -> str:
        """The line that is next."""
        return self.lines[self.at][1]


def read(text: str) -> Json:
    """The document as dictionaries, lists and text; ValueError for what this reader does not know."""
    lines = _Lines(text)
    if lines.indent < 0:
        return {}
    made = _node(lines, lines.indent, 0)
    if lines.at < len(lines.lines):
        raise ValueError("its indentation is more than is read here")
    return made


def section(text: str, name: str) -> Json:
    """What stands under one top-level name; None when there is no such name. The rest need not be understood."""
    kept: list[str] = []
    for line in text.split("\n"):
        top = bool(line.strip()) and line[0] not in " \t#-"
        if kept and top:
            break
        if kept or (top and line.partition(":")[0].strip(" \"'") == name):
            kept.append(line)
    found = read("\n".join(kept)) if kept else {}
    return next(iter(found.values()), None) if isinstance(found, dict) else None


def _node(lines: _Lines, indent: int, depth: int) -> Json:
    if depth > DEPTH_MAX:
        raise ValueError("it is nested too deeply")
    return _sequence(lines, indent, depth) if _dashed(lines.text) else _mapping(lines, indent, depth)


def _dashed(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _sequence(lines: _Lines, indent: int, depth: int) -> list[Json]:
    made: list[Json] = []
    while lines.indent == indent and _dashed(lines.text):
        rest = lines.text[1:]
        inner = rest.lstrip(" ")
        if not inner:
            lines.at += 1
            made.append(_node(lines, lines.indent, depth + 1) if lines.indent > indent else "")
        elif _KEY.match(inner) or _dashed(inner):
            deeper = indent + 1 + len(rest) - len(inner)
            lines.lines[lines.at] = (deeper, inner)
            made.append(_node(lines, deeper, depth + 1))
        else:
            lines.at += 1
            made.append(_scalar(inner, lines, indent))
    return made


def _mapping(lines: _Lines, indent: int, depth: int) -> dict[str, Json]:
    made: dict[str, Json] = {}
    while lines.indent == indent and not _dashed(lines.text):
        found = _KEY.match(lines.text)
        if found is None:
            raise ValueError("a line of it is more than is read here")
        key = next(group for group in found.groups() if group is not None).strip()
        rest = lines.text[found.end() :].strip()
        lines.at += 1
        if rest and not rest.startswith("#"):
            made[key] = _scalar(rest, lines, indent)
        elif lines.indent > indent or (lines.indent == indent and _dashed(lines.text)):
            made[key] = _node(lines, lines.indent, depth + 1)
        else:
            made[key] = ""
    return made


def _scalar(first: str, lines: _Lines, indent: int) -> Json:
    """Text, which may go on over deeper lines; or a flow list of texts."""
    if _BLOCK.fullmatch(first.partition(" #")[0].strip()):
        first = ""
    elif first[0] == "[":
        while not _closed(first) and lines.indent > indent:
            first += " " + lines.text
            lines.at += 1
        return _flow(first)
    more = []
    while lines.indent > indent:
        more.append(lines.text)
        lines.at += 1
    return " ".join([_text(first), *more]).strip()


def _closed(text: str) -> bool:
    return _uncommented(text).endswith("]")


def _uncommented(text: str) -> str:
    """The text before a comment that follows a value."""
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (at == 0 or text[at - 1] in " [,{:"):
            quote = char
        elif char == "#" and at and text[at - 1] == " ":
            return text[:at].rstrip()
    return text


def _text(text: str) -> str:
    text = _uncommented(text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text


def _flow(text: str) -> list[Json]:
    inner = _uncommented(text)
    if not inner.endswith("]"):
        raise ValueError("a list of it does not end")
    inner, made, at = inner[1:-1].strip(), [], 0
    while at < len(inner):
        found = _WORD.match(inner, at)
        if found is None:
            raise ValueError("a list of it is more than is read here")
        double, single, bare = found.group(1, 2, 3)
        if double is not None:
            made.append(double.replace('\\"', '"').replace("\\\\", "\\"))
        elif single is not None:
            made.append(single.replace("''", "'"))
        elif bare.strip():
            made.append(bare.strip())
        at = found.end()
    return made
