"""Members put into a JSON document and taken out again as text: comments, order and spelling of all else stay. Pure.

Reads JSON as clients write it, with comments, trailing commas and a byte order mark.
"""

from __future__ import annotations

import json
import re

from bk.engine.lower.installs.listing import loose_json
from bk.quarantine.spans import cut, find, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Json
    from bk.quarantine.spans import Span

_INDENT = re.compile(r"\n([ \t]+)[^\s/]")
BOM = "\ufeff"


def read(text: str) -> Json:
    """What the document says; an empty one says `{}`. ValueError when it is none."""
    plain = text.removeprefix(BOM)
    if not plain.strip():
        return {}
    try:
        told: Json = json.loads(plain, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError):
        _one(text)
        told = loose_json(plain)
    if not isinstance(told, dict):
        raise ValueError("it does not begin with an object")
    return told


def appended(text: str, names: Sequence[str], element: Json) -> str:
    """The text with an element more in the list at `names`; what leads there is made where it is missing."""
    if not text.removeprefix(BOM).strip():
        made = _nested(names, [element])
        return f"{text}{_written(made, '  ', '', _newline(text))}{_newline(text)}"
    at, missing = _way(text, names)
    if missing:
        return _put(text, at, missing[0], _nested(missing[1:], [element]))
    if text[at] != "[":
        raise ValueError(f"{'.'.join(names)} is no list")
    return _put(text, at, None, element)


def stated(text: str, names: Sequence[str], value: Json) -> str:
    """The text with a member of this value at `names`; one that is there with another value is refused."""
    if not text.removeprefix(BOM).strip():
        return f"{text}{_written(_nested(names, value), '  ', '', _newline(text))}{_newline(text)}"
    at, missing = _way(text, names)
    if missing:
        return _put(text, at, missing[0], _nested(missing[1:], value))
    if loose_json(text[at : _end(text, names)]) != value:
        raise ValueError(f"{'.'.join(names)} is already there, with another value")
    return text


def without(text: str, names: Sequence[str], ours: Callable[[Json], bool], *, prune: bool) -> str:
    """The text without our elements of the list at `names`; with `prune` also without what that leaves empty."""
    if not text.removeprefix(BOM).strip():
        return text
    at, missing = _way(text, names)
    if missing or text[at] != "[":
        return text
    for key, span in reversed(members(text, at)):
        if ours(loose_json(text[span.value : span.end])):
            text = cut(text, [*names, key])[0]
    left = list(names)
    while prune and left:
        at, missing = _way(text, left)
        if missing or text[at] not in "[{" or members(text, at) or "/" in text[at : _end(text, left)]:
            break
        text = cut(text, left)[0]
        left.pop()
    return text


def elements(text: str, names: Sequence[str]) -> list[Json]:
    """The elements of the list at `names`; nothing where there is none."""
    found = read(text)
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return list(found) if isinstance(found, list) else []


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is there twice in one object")
    return made


def _one(text: str) -> None:
    """Reject what is no single document, before anything is changed in it."""
    opened = _start(text)
    if text[opened : opened + 1] != "{":
        raise ValueError("it does not begin with an object")
    names = [key for key, _ in members(text, opened)]
    find(text, names[:1] or [""])


def _start(text: str) -> int:
    found = re.compile(r"\ufeff?(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL).match(text)
    return found.end() if found else 0


def _way(text: str, names: Sequence[str]) -> tuple[int, list[str]]:
    """Where the value at `names` begins; or the deepest container that is there, and the names missing in it."""
    _one(text)
    at = _start(text)
    for depth, name in enumerate(names):
        if text[at] != "{":
            raise ValueError(f"{'.'.join(names[:depth])} is no object")
        found = [span for key, span in members(text, at) if key == name]
        if len(found) > 1:
            raise ValueError(f"{name} is there twice")
        if not found:
            return at, list(names[depth:])
        at = found[0].value
    return at, []


def _end(text: str, names: Sequence[str]) -> int:
    found, _ = find(text, list(names))
    if found is None:
        raise ValueError(f"there is no {names[-1]}")
    return found.end


def _put(text: str, at: int, name: str | None, value: Json) -> str:
    """The text with one more member as the last of the container at `at`, in the manner of those before it."""
    inside = members(text, at)
    newline, step = _newline(text), _step(text)
    key = "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: "
    if not inside:
        close = text.index("]" if text[at] == "[" else "}", _after(text, at + 1))
        lead = _lead(text, at)
        body = f"{newline}{lead}{step}{key}{_written(value, step, lead + step, newline)}"
        before = text[:close] if text[at + 1 : close].strip() else text[: at + 1]
        return f"{before}{body}{newline}{lead}{text[close:]}"
    last = inside[-1][1]
    own = _own_lead(text, last)
    if own is None:  # all in one line
        return _after_last(text, last, f" {key}{json.dumps(value, ensure_ascii=False)}")
    return _after_last(text, last, f"{newline}{own}{key}{_written(value, step, own, newline)}")


def _after_last(text: str, last: Span, member: str) -> str:
    """Put a member behind the last one: its comma at once, itself behind what is said of the last in its line."""
    comma = _after(text, last.end)
    if text[comma : comma + 1] == ",":
        at = _line_rest(text, comma + 1)
        return f"{text[:at]}{member},{text[at:]}"
    at = _line_rest(text, last.end)
    return f"{text[: last.end]},{text[last.end : at]}{member}{text[at:]}"


def _line_rest(text: str, at: int) -> int:
    """Behind a comment that stands in the same line."""
    found = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/)").match(text, at)
    return found.end() if found else at


def _after(text: str, at: int) -> int:
    found = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL).match(text, at)
    return found.end() if found else at


def _lead(text: str, at: int) -> str:
    """The white space with which the line of a position begins."""
    start = text.rfind("\n", 0, at) + 1
    found = re.compile(r"[ \t]*").match(text, start)
    return found[0] if found else ""


def _own_lead(text: str, last: Span) -> str | None:
    """The white space before a member that begins its line; None for one that shares it."""
    start = text.rfind("\n", 0, last.at) + 1
    lead = text[start : last.at]
    return lead if start and not lead.strip() else None


def _step(text: str) -> str:
    """By how much the document indents: what its first indented line has."""
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _nested(names: Sequence[str], value: Json) -> Json:
    for name in reversed(names):
        value = {name: value}
    return value


def _written(value: Json, step: str, lead: str, newline: str) -> str:
    told = json.dumps(value, indent=step, ensure_ascii=False)
    return told.replace("\n", f"{newline}{lead}")
