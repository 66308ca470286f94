"""Bytes from outside to one JSON object, or the reason why not. Leniency here would be two readers disagreeing."""

from __future__ import annotations

import json

from bk.engine.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

MAX_BYTES = 1 << 20


def parse_object(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = 64) -> dict[str, Json]:
    """The object in `body`; raises Refusal with a cause of its own for each way it can be wrong."""
    if len(body) > max_bytes:
        raise Refusal("oversize", f"the request is larger than {max_bytes:,} bytes")
    if not body.strip():
        raise Refusal("empty", "the request is empty")
    if b"\x00" in body:
        raise Refusal("nul", "the request holds a NUL byte")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal("not-utf8", f"the request is not UTF-8 (byte {error.start})") from None
    if text.count("{") + text.count("[") > max_depth and _depth(text) > max_depth:
        raise Refusal("depth", f"the request is nested deeper than {max_depth} levels")
    try:
        value = _decode(text)
    except RecursionError:
        raise Refusal("depth", "the request is nested too deeply to read") from None
    except json.JSONDecodeError as error:
        cause = "trailing" if error.msg == "Extra data" else "syntax"
        raise Refusal(cause, f"the request is not one JSON value: {error.msg} at {error.pos}") from None
    except ValueError as error:  # int() refuses absurdly long digits
        raise Refusal("number", f"a number cannot be read: {error}") from None
    if type(value) is not dict:
        raise Refusal("not-object", "the request is JSON but not an object")
    if "\\u" in text:
        _check_escapes(value)
    return value


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Refusal("duplicate-key", f"the key {twice[:80]!r} stands twice in one object")
    return found


def _constant(name: str) -> Json:
    raise Refusal("nan", f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise Refusal("number", f"{digits[:40]} is outside what a number can hold")
    return value


_decode = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float).decode


def _depth(text: str) -> int:
    """The deepest nesting of a JSON text, by brackets outside strings; never less than what a parser would see."""
    deepest = depth = at = 0
    end = len(text)
    while at < end:
        char = text[at]
        if char == '"':
            at += 1
            while at < end and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
        elif char in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}]":
            depth -= 1
        at += 1
    return deepest


def _check_escapes(value: Json) -> None:
    """Refuse what an escape can smuggle in: NUL, and half a surrogate pair, which no file name or log can hold."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is str:
            if "\x00" in item:
                raise Refusal("nul", "a string in the request holds an escaped NUL")
            try:
                item.encode()
            except UnicodeEncodeError:
                raise Refusal("surrogate", "a string in the request holds half of a surrogate pair") from None
        elif type(item) is dict:
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif type(item) is list:
            waiting.extend(item)
