"""Where a member of a JSON document stands in its text: so that one can be cut out and every other byte stays.

Reads JSON with comments and trailing commas, as editors and agents write it. Pure.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from bk.engine.lower.installs.listing import loose_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json
    from bk.quarantine.record import Descriptions

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_PLAIN = json.JSONDecoder()
DEPTH_MAX = 200


class Span:
    """A member or an element: from where its key begins to where its value ends, among `count` of its kind."""

    __slots__ = ("at", "count", "end", "number", "value")

    def __init__(self, at: int, value: int, end: int, number: int) -> None:
        self.at = at
        self.value = value
        self.end = end
        self.number = number
        self.count = 0


class MissingError(ValueError):
    """What the member would be in is not there."""


def pointed(pointer: str) -> list[str]:
    """The names in an RFC 6901 pointer; ValueError for what is none, or for the whole document."""
    if not pointer.startswith("/"):
        raise ValueError(f"not a pointer to a member: {pointer[:60]!r}")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def pointing(names: list[str]) -> str:
    """The pointer of names."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def find(text: str, names: list[str]) -> tuple[Span | None, int]:
    """The member's span, and where its container opens; ValueError when there is no such container."""
    at = _skip(text, 1 if text.startswith("\ufeff") else 0)
    for depth, name in enumerate(names):
        found = _member(text, at, name)
        if depth == len(names) - 1:
            _whole(text)
            return found, at
        if found is None:
            raise MissingError(f"there is no {name[:60]!r}")
        at = found.value
    raise ValueError("an empty pointer")


def _whole(text: str) -> None:
    at = _skip(text, 1 if text.startswith("\ufeff") else 0)
    if _skip(text, _end(text, at, 0)) != len(text):
        raise ValueError("something follows the document")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, name: str) -> Span | None:
    """The member or element of the container at `at`; a name that is there twice cannot be told apart."""
    spans = members(text, at)
    found = [span for key, span in spans if key == name]
    if len(found) > 1:
        raise ValueError(f"{name[:60]!r} is there twice")
    if found:
        found[0].count = len(spans)
        return found[0]
    return None


def members(text: str, at: int, depth: int = 0) -> list[tuple[str, Span]]:
    """The members of an object, or the elements of an array under their numbers."""
    if at >= len(text) or text[at] not in "{[" or depth > DEPTH_MAX:
        raise ValueError("a container is needed there")
    keyed, close = text[at] == "{", "}" if text[at] == "{" else "]"
    spans: list[tuple[str, Span]] = []
    at = _skip(text, at + 1)
    while at < len(text) and text[at] != close:
        start, key = at, str(len(spans))
        if keyed:
            found = _STRING.match(text, at)
            if found is None:
                raise ValueError("a name is needed")
            key = json.loads(found[0])
            at = _skip(text, found.end())
            if text[at : at + 1] != ":":
                raise ValueError("a colon is needed")
            at = _skip(text, at + 1)
        end = _end(text, at, depth + 1)
        spans.append((key, Span(start, at, end, len(spans))))
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != close:
            raise ValueError("a comma or an end is needed")
    if at >= len(text):
        raise ValueError("the document breaks off")
    return spans


def _end(text: str, at: int, depth: int) -> int:
    if text[at : at + 1] in ("{", "["):
        with suppress(ValueError, RecursionError):  # most documents are plain JSON, whose end is found much faster
            return int(_PLAIN.raw_decode(text, at)[1])
        spans = members(text, at, depth)
        end = _skip(text, spans[-1][1].end if spans else at + 1)
        if text[end : end + 1] == ",":
            end = _skip(text, end + 1)
        return end + 1
    found = _STRING.match(text, at) or _SCALAR.match(text, at)
    if found is None:
        raise ValueError("a value is needed")
    return found.end()


def cut(text: str, names: list[str]) -> tuple[str, str]:
    """The text without the member, and what was cut. The comma that separated it goes with it."""
    span, _ = find(text, names)
    if span is None:
        raise ValueError(f"there is no {names[-1][:60]!r}")
    at, end = _cut_ends(text, span)
    return text[:at] + text[end:], text[at:end]


def value(text: str, span: Span) -> Json:
    """What a member's text means."""
    return loose_json(text[span.value : span.end])


def standing(text: str, names: list[str], described: Descriptions) -> list[str] | None:
    """Where the member is now; None when it is not there.

    In a list a number is no name: the element is the one that fits a description, and of several that do the one at
    this number. Without a description a number is taken at its word.
    """
    span, at = find(text, names)
    if text[at] != "[" or not described:
        return names if span else None
    fit = [key for key, each in members(text, at) if _fits(value(text, each), described)]
    if names[-1] in fit:
        return names
    if len(fit) > 1:
        raise ValueError(f"{len(fit)} of its elements could be meant")
    return [*names[:-1], *fit] if fit else None


def same(text: str, names: list[str], wanted: Json) -> list[str] | None:
    """Where a member of this very value is: under its name, or anywhere in a list; None when it is not there."""
    _, at = find(text, names)
    for key, span in members(text, at):
        if (text[at] == "[" or key == names[-1]) and value(text, span) == wanted:
            return [*names[:-1], key]
    return None


def _fits(told: Json, described: Descriptions) -> bool:
    return any(all(_says(told, pointer, wanted) for pointer, wanted in each.items()) for each in described)


def _says(told: Json, pointer: str, wanted: str) -> bool:
    """Whether a value says this, in whatever case, or names it in one of its versions."""
    for name in pointed(pointer) if pointer else ():
        told = told.get(name) if isinstance(told, dict) else None
    if not isinstance(told, str):
        return False
    said, wanted = told.casefold(), wanted.casefold()
    return said == wanted or (not pointer and said.startswith(f"{wanted}@"))


def added(text: str, before: str, names: list[str]) -> str:
    """The text with the member of `before` as the last of its container."""
    _, at = find(text, names)
    was, _ = find(before, names)
    if was is None:
        raise ValueError("it was not there before")
    member, inside = before[was.at : was.end], members(text, at)
    if not inside:
        return f"{text[: at + 1]}{member}{text[at + 1 :]}"
    last = inside[-1][1]
    start = text.rfind("\n", 0, last.at)
    lead = text[start : last.at] if start >= 0 and not text[start : last.at].strip() else " "
    return f"{text[: last.end]},{lead}{member}{text[last.end :]}"


def _cut_ends(text: str, span: Span) -> tuple[int, int]:
    """From where to where: the member with its own lines, and one comma."""
    after = _skip(text, span.end)
    if text[after : after + 1] == ",":
        return _line_start(text, span.at), _line_end(text, after + 1)
    if span.number == 0:
        return _line_start(text, span.at), _line_end(text, span.end)
    before = text.rindex(",", 0, span.at)  # the last of several: the comma before it goes
    while _in_comment(text, before):
        before = text.rindex(",", 0, before)
    return before, span.end


def _in_comment(text: str, at: int) -> bool:
    """Whether a comma stands in a comment: between values there is nothing else that one could be in."""
    line = text.rfind("\n", 0, at) + 1
    slashes = text.find("//", line, at)
    opened = text.rfind("/*", 0, at)
    return (slashes >= 0 and '"' not in text[slashes:at]) or (opened >= 0 and text.find("*/", opened, at) < 0)


def _line_start(text: str, at: int) -> int:
    start = at
    while start and text[start - 1] in " \t":
        start -= 1
    return start if start == 0 or text[start - 1] == "\n" else at


def _line_end(text: str, at: int) -> int:
    end = at
    while end < len(text) and text[end] in " \t":
        end += 1
    if text[end : end + 2] == "//" and "\n" in text[end:]:  # what is said of the member goes with it
        end = text.index("\n", end)
    if text[end : end + 2] == "\r\n":
        return end + 2
    return end + 1 if text[end : end + 1] == "\n" else at
