"""The shapes that feeds are written in, read without trust: what is not of its shape is a ValueError, and only that.

A reader that meets a number where a name should be must refuse the file, not fall over it, and a feed is read by the
process that everything else waits for.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re

from bk.engine.intel.sources.source import FeedError
from bk.engine.provenance import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bk.engine.model import Json
    from bk.engine.provenance import Provenance

SEVERITIES = {"critical": "critical", "high": "high", "moderate": "medium", "medium": "medium", "low": "low"}
_BLANK = re.compile(r"[ \t\r\n]*")
_SHOWN = 60
VALUES_MAX = 2_000_000  # a hundred times the largest real file, and not all of our memory


def understood(path: str, read: Callable[[bytes], None]) -> None:
    """Read one file of a feed; whatever is wrong with it becomes a FeedError that names the file."""
    try:
        with open(path, "rb") as file:
            read(file.read())
    except ValueError as error:
        raise FeedError("malformed", f"{os.path.basename(path)}: {error}") from error
    except OSError as error:
        raise FeedError("disk", f"{path}: {error.strerror or error}") from error


def weakest(*vouched: Provenance) -> Provenance:
    """The least of several provenances: files that came together are worth what the worst of them is worth."""
    return max(vouched, key=lambda each: KINDS.index(type(each)))


def written(data: bytes) -> str:
    """The text of a file, which may begin with a byte order mark."""
    return data.decode("utf-8-sig")


def document(data: bytes) -> Json:
    """One JSON value; a key that is said twice is refused, because one of the two would be lost unseen."""
    if data.count(b",") + data.count(b"[") + data.count(b"{") > VALUES_MAX:
        raise ValueError(f"it holds more than {VALUES_MAX} values")
    try:
        return json.loads(written(data), object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def elements(data: bytes) -> Iterator[Json]:
    """The elements of a JSON array one by one, so that a long list is never held twice."""
    text = written(data)
    decode = json.JSONDecoder().raw_decode
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise ValueError("it is not a JSON array")
    at = _skip(text, at + 1)
    more = text[at : at + 1] != "]"
    while more:
        try:
            value, at = decode(text, at)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        yield value
        at = _skip(text, at)
        more = text[at : at + 1] == ","
        if more:
            at = _skip(text, at + 1)
    if text[at : at + 1] != "]" or _skip(text, at + 1) != len(text):
        raise ValueError("the JSON array does not end where it should")


def table(data: bytes) -> list[list[str]]:
    """The rows of a CSV file that hold anything."""
    try:
        return [row for row in csv.reader(io.StringIO(written(data), newline=""), strict=True) if any(row)]
    except csv.Error as error:
        raise ValueError(f"CSV: {error}") from error


def named_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file by the names in its first row; a row that is longer than that is refused."""
    rows = table(data)
    head = [cell.strip() for cell in rows[0]] if rows else []
    for number, row in enumerate(rows, 1):
        if len(row) > len(head):
            raise ValueError(f"CSV: row {number} has {len(row)} cells, the first row names {len(head)}")
    return [dict(zip(head, [*row, *[""] * len(head)], strict=False)) for row in rows[1:]]


def mapping(value: Json, what: str) -> dict[str, Json]:
    """`value`, if it is an object."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {_told(value)}, not an object")
    return value


def sequence(value: Json, what: str) -> list[Json]:
    """`value`, if it is an array."""
    if not isinstance(value, list):
        raise ValueError(f"{what} is {_told(value)}, not an array")
    return value


def text(value: Json, what: str) -> str:
    """`value`, if it is text."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is {_told(value)}, not text")
    return value


def texts(value: Json, what: str) -> list[str]:
    """`value`, if it is an array of text."""
    return [text(each, what) for each in sequence(value, what)]


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object says one key twice")
    return made


def _no_number(word: str) -> Json:
    raise ValueError(f"{word} is no number in JSON")


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _told(value: Json) -> str:
    shown = ascii(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
