"""Members put into a JSON document and taken out again as text: comments, order and spelling of all else stay. Pure.

Reads JSON as clients write it, with comments, trailing commas and a byte order mark.
"""

from __future__ import annotations

import json
import re

from bk.engine.lower.installs.listing import loose_json
from bk.engine.wiring.alike import alike, others
from bk.quarantine.spans import find, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Json
    from bk.quarantine.spans import Span

_INDENT = re.compile(r"\n([ \t]+)[^\s/]")
_ASIDE = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')
BOM = "\ufeff"


def read(text: str) -> Json:
    """What the document says; an empty one says `{}`. ValueError, with the line, when it is none."""
    bare = text.removeprefix(BOM)
    if not bare.strip():
        return {}
    try:
        told: Json = _parsed(bare)
    except json.JSONDecodeError:
        told = _located(bare)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(told, dict):
        raise ValueError("it does not begin with an object")
    return told


def _parsed(text: str) -> Json:
    told: Json = json.loads(text, object_pairs_hook=_once)
    return told


def _located(text: str) -> Json:
    """The document without its comments and last commas, each character where it was: an error names its line."""
    plain = _LAST_COMMA.sub(_blank_comma, _ASIDE.sub(_blank, text))
    if not plain.strip():
        return {}
    try:
        return _parsed(plain)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: {error.msg} (column {error.colno})") from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _blank(found: re.Match[str]) -> str:
    return found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0])


def _blank_comma(found: re.Match[str]) -> str:
    """A comma with nothing behind it is spared a document that has a value before it."""
    text, at = found.string, found.start() - 1
    while at >= 0 and text[at] in " \t\r\n":
        at -= 1
    return " " if found[0] == "," and at >= 0 and text[at] not in ",{[:" else found[0]


def added(text: str, rows: Sequence[tuple[Sequence[str], Json]], states: Sequence[tuple[Sequence[str], Json]]) -> str:
    """The text with these elements more in their lists, and these settings; ValueError when more than that changed."""
    made, wanted = text, read(text)
    for names, value in states:
        made = stated(made, names, value)
        wanted = _with(wanted, names, value)
    for names, element in rows:
        made = appended(made, names, element)
        wanted = _with(wanted, [*names, ""], element)
    if not alike(read(made), wanted):
        raise ValueError("our entries cannot be put in without changing something else")
    return made


def _with(told: Json, names: Sequence[str], value: Json) -> Json:
    """A document with a value at `names`; an empty name is the end of a list."""
    if not names:
        return value
    if not names[0]:
        return [*(told or []), value]
    inner = told if isinstance(told, dict) else {}
    return {**inner, names[0]: _with(inner.get(names[0]), names[1:], value)}


def appended(text: str, names: Sequence[str], element: Json) -> str:
    """The text with an element more in the list at `names`; what leads there is made where it is missing."""
    if _says_nothing(text):
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
    if _says_nothing(text):
        return f"{text}{_written(_nested(names, value), '  ', '', _newline(text))}{_newline(text)}"
    at, missing = _way(text, names)
    if missing:
        return _put(text, at, missing[0], _nested(missing[1:], value))
    if loose_json(text[at : _end(text, names)]) != value:
        raise ValueError(f"{'.'.join(names)} is already there, with another value")
    return text


def without(text: str, names: Sequence[str], ours: Callable[[Json], bool], *, prune: bool) -> str:
    """The text without our elements of the list at `names`; with `prune` also without what that leaves empty."""
    if _says_nothing(text):
        return text
    at, missing = _way(text, names)
    if missing or text[at] != "[":
        return text
    inside = members(text, at)
    mine = [span for _, span in inside if ours(loose_json(text[span.value : span.end]))]
    made = text
    for span in reversed(mine):
        made = _cut(made, at, span)
    made = _pruned(made, names) if prune and mine else made
    if not alike(others(read(made), names, ours), others(read(text), names, ours)):
        raise ValueError(f"our entries in {'.'.join(names)} cannot be told from what stands around them")
    return made


def unstated(text: str, names: Sequence[str], value: Json) -> str:
    """The text without the member at `names` where it has this value, and without what that leaves empty."""
    if _says_nothing(text):
        return text
    at, missing = _way(text, names)
    if missing or loose_json(text[at : _end(text, names)]) != value:
        return text
    box, _ = _way(text, names[:-1])
    span = next(span for key, span in members(text, box) if key == names[-1])
    return _pruned(_cut(text, box, span), names[:-1])


def _pruned(text: str, names: Sequence[str]) -> str:
    """The text without the containers on the way to `names` that say nothing any more."""
    left = list(names)
    while left:
        at, missing = _way(text, left)
        if missing or text[at] not in "[{" or members(text, at):
            break
        box, _ = _way(text, left[:-1])
        span = next(span for key, span in members(text, box) if key == left[-1])
        if "/" in text[span.at : span.end]:  # a comment in it
            break
        text = _cut(text, box, span)
        left.pop()
    return text


def _cut(text: str, box: int, span: Span) -> str:
    """The text without a member and its comma; every comment stays, for nobody knows what it is about."""
    after = _after(text, span.end)
    start, end = _own_start(text, span.at), span.end
    if text[after : after + 1] == ",":
        rest = text[span.end : after]
        end, kept = after + 1, rest if rest.strip() else ""
        return text[:start] + kept + text[_line_over(text, start, end) :]
    if span.number:
        last = members(text, box)[span.number - 1][1]
        comma = _after(text, last.end)
        between = text[comma + 1 : start]
        if re.compile(r"[ \t]*(?:\r?\n|\Z)").match(text, end) or not between.strip():
            between = between.rstrip(" \t\r\n")
        return text[:comma] + between + text[end:]
    return text[:start] + text[_line_over(text, start, end) :]


def _own_start(text: str, at: int) -> int:
    """Where the line of a member begins that has it to itself so far; otherwise where the member does."""
    start = at
    while start and text[start - 1] in " \t":
        start -= 1
    return start if start and text[start - 1] == "\n" else at


def _line_over(text: str, start: int, end: int) -> int:
    """Behind the end of the line, where a member had it to itself."""
    if start and text[start - 1] != "\n":
        return end
    found = re.compile(r"[ \t]*\r?\n").match(text, end)
    return found.end() if found else end


def elements(text: str, names: Sequence[str]) -> list[Json]:
    """The elements of the list at `names`; nothing where there is none."""
    found = read(text)
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return list(found) if isinstance(found, list) else []


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{twice[:60]!r} is there twice in one object")
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
    if own is None:  # others share its line
        comma = _after(text, last.end)
        at = comma + 1 if text[comma : comma + 1] == "," else last.end
        member = f" {key}{json.dumps(value, ensure_ascii=False)}"
        return f"{text[:at]}{member},{text[at:]}" if at > last.end else f"{text[:at]},{member}{text[at:]}"
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


def _says_nothing(text: str) -> bool:
    return _start(text) == len(text)


def _nested(names: Sequence[str], value: Json) -> Json:
    for name in reversed(names):
        value = {name: value}
    return value


def _written(value: Json, step: str, lead: str, newline: str) -> str:
    told = json.dumps(value, indent=step, ensure_ascii=False)
    return told.replace("\n", f"{newline}{lead}")
