"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that hashes and signatures mean something."""

from __future__ import annotations

import json.encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.model import Json


def _encoder() -> Callable[[Json], str]:
    """json's own C encoder, made once: JSONEncoder makes a new one for every value."""
    whole = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "c_encode_basestring", None)
    if make is None or text is None:
        return whole.encode
    chunks = make(None, whole.default, text, None, ":", ",", True, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = _encoder()
_SAFE_INT = 2**53


def canonical(value: Json) -> bytes:
    """The RFC 8785 bytes of a JSON value; raises ValueError for what JSON (I-JSON) cannot carry."""
    if _plain(value):
        return _encode(value).encode()
    return _write(value).encode()


def exact(value: int) -> bool:
    """Whether this integer survives as a JSON number, which is a double."""
    try:
        return -_SAFE_INT < value < _SAFE_INT or _number(float(value)) == str(value)
    except OverflowError:
        return False


def _plain(value: Json) -> bool:
    """Whether the C encoder already gives canonical text: no float, no key outside ASCII, no key that is not text.

    A loop over a stack, because this runs for every entry and a generator per object costs twice as much.
    """
    waiting = [value]
    for item in waiting:
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict:
            for key in item:
                if type(key) is not str or not key.isascii():
                    return False
            waiting.extend(item.values())
        elif kind is list or kind is tuple:
            waiting.extend(item)
        elif kind is not int or not -_SAFE_INT < item < _SAFE_INT:
            return False
    return True


def _write(value: Json) -> str:
    if value is None or isinstance(value, (bool, str)):
        return _encode(value)
    if isinstance(value, int):
        if -_SAFE_INT < value < _SAFE_INT:
            return str(int(value))
        if not exact(value):
            raise ValueError(f"integer that JSON numbers cannot carry exactly: {value}")
        return _number(float(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_write, value)) + "]"
    if hasattr(value, "items"):
        pairs = sorted(value.items(), key=lambda pair: _utf16(pair[0]))
        return "{" + ",".join(f"{_encode(key)}:{_write(item)}" for key, item in pairs) + "}"
    raise ValueError(f"not a JSON value: {type(value).__name__}")


def _utf16(key: Json) -> bytes:
    if not isinstance(key, str):
        raise ValueError(f"object key is not text: {key!r}")
    return key.encode("utf-16-be")


def _number(value: float) -> str:
    """ECMAScript's Number-to-String, which RFC 8785 adopts."""
    if not abs(value) < float("inf"):
        raise ValueError("NaN and infinity are not JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e") if "e" in repr(abs(value)) else (repr(abs(value)), "", "0")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    shown = f"{point - 1:+d}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + "e" + shown
