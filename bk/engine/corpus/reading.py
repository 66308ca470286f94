"""One JSON object from outside, or the one word for why it is not one: two readers must never see two objects."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

DEPTH_MAX = 16


class Unreadable(ValueError):  # noqa: N818 - a finding that its reader puts into words of its own
    """Why bytes are no object; `kind` is the word that programs see."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


def object_of(data: bytes, most: int, depth: int = DEPTH_MAX) -> dict[str, Json]:
    """The object in the bytes; raises Unreadable: size, encoding, syntax, twice, number, depth or shape."""
    if len(data) > most:
        raise Unreadable("oversize", f"it is longer than {most:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("not-utf8", f"byte {error.start} is not UTF-8") from None
    try:
        value = _decode(text)
    except RecursionError:
        raise Unreadable("depth", "it is nested too deeply to read") from None
    except json.JSONDecodeError as error:
        raise Unreadable("syntax", f"{error.msg} at {error.pos}") from None
    except Unreadable:
        raise
    except ValueError as error:  # int() refuses absurdly long digits
        raise Unreadable("number", f"a number cannot be read: {error}") from None
    if type(value) is not dict:
        raise Unreadable("not-object", "it is JSON, but not an object")
    _look(value, depth)
    return value


def _look(value: Json, depth: int) -> None:
    """Refuse what an escape can smuggle in (NUL, half of a surrogate pair), and nesting that nothing here needs."""
    waiting = [(value, 1)]
    while waiting:
        item, at = waiting.pop()
        if type(item) is str:
            if "\0" in item:
                raise Unreadable("nul", "a string in it holds a NUL")
            try:
                item.encode()
            except UnicodeEncodeError:
                raise Unreadable("surrogate", "a string in it holds half of a surrogate pair") from None
        elif type(item) is dict or type(item) is list:
            if at > depth:
                raise Unreadable("depth", f"it is nested deeper than {depth} levels")
            if type(item) is dict:
                waiting.extend((key, at) for key in item)
                item = list(item.values())
            waiting.extend((each, at + 1) for each in item)


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Unreadable("duplicate-key", f"the key {twice[:60]!r} stands twice in one object")
    return found


def _constant(name: str) -> Json:
    raise Unreadable("number", f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise Unreadable("number", f"{digits[:40]} is outside what a number can hold")
    return value


_decode = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float).decode
