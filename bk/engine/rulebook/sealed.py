"""One file with two parts: what every call needs, and what only people look at. Both are sealed with a digest.

A file that is cut short, altered, or that somebody else could have written is not read at all.
"""

from __future__ import annotations

import json
import os

from blake3 import blake3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bk.engine.model import Json

MAX_SIZE = 256 << 20
_FIELDS = {"sources": list, "racy": bool, "policy": str, "problems": list, "notes": list, "book": dict}
_LINE = 200
LONG = 1000
SPLIT = "\0"


class Tables(list[dict[str, Any]] if TYPE_CHECKING else list):  # type: ignore[misc]
    """Tables that are read when one is asked for: a call needs two or three of them."""

    __slots__ = ()

    def __getitem__(self, at: Any) -> Any:
        table = super().__getitem__(at)
        if type(table) is str:
            table = json.loads(table)
            super().__setitem__(at, table)
        return table


def written(head: Mapping[str, Json], catalogue: Json) -> bytes:
    """The file's bytes: a line with both digests and both lengths, then both parts."""
    first = _packed(head)
    second = _json(catalogue).encode()
    line = f"{blake3(first).hexdigest()} {blake3(second).hexdigest()} {len(first)} {len(second)}\n"
    return line.encode() + first + second


def head_of(path: str, owner: int) -> Mapping[str, Json] | None:
    """The first part of a whole file that only its owner could have written; None for anything else."""
    part = _part(path, owner, 0)
    if part is None:
        return None
    try:
        head = _unpacked(part.decode())
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return head if {name: type(each) for name, each in head.items()} == _FIELDS else None


def _packed(head: Mapping[str, Json]) -> bytes:
    """JSON, but for the long texts of the rules: those follow as they are, because most calls never read them."""
    book: dict[str, Json] = dict(head["book"])
    apart: list[str] = []
    blobs: list[str] = []
    for name, value in head["book"].items():
        if isinstance(value, str) and len(value) > LONG and SPLIT not in value:
            apart.append(name)
            blobs.append(value)
        elif type(value) is list and value and all(map(_line, value)):
            apart.append(f"{name}[]")
            blobs.append("\n".join(value))
        elif type(value) is Tables or (type(value) is list and value and all(type(each) is dict for each in value)):
            apart.append(f"{name}{{}}")
            blobs.append("\n".join(each if type(each) is str else _json(each) for each in value))
        else:
            continue
        del book[name]
    return SPLIT.join((_json([{**head, "book": book}, apart]), *blobs)).encode()


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _line(value: Json) -> bool:
    return isinstance(value, str) and "\n" not in value and SPLIT not in value


def _unpacked(text: str) -> dict[str, Json]:
    first, *blobs = text.split(SPLIT)
    head, apart = json.loads(first)
    for name, blob in zip(apart, blobs, strict=True):
        if name[-1] == "]":
            head["book"][name[:-2]] = blob.split("\n")
        elif name[-1] == "}":
            head["book"][name[:-2]] = Tables(blob.split("\n"))
        else:
            head["book"][name] = blob
    if type(head) is not dict:
        raise ValueError("not an object")
    return head


def catalogue_of(path: str, owner: int) -> list[Json]:
    """The second part; empty when it cannot be had."""
    text = _part(path, owner, 1)
    if text is None:
        return []
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return rows if isinstance(rows, list) else []


def _part(path: str, owner: int, which: int) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        if info.st_uid not in (owner, 0) or info.st_mode & 0o022 or info.st_size > MAX_SIZE:
            return None
        with open(fd, "rb", buffering=0, closefd=False) as file:
            return _read(file.read(_LINE), fd, info.st_size, which)
    except (OSError, ValueError):
        return None
    finally:
        os.close(fd)


def _read(start: bytes, fd: int, size: int, which: int) -> bytes | None:
    line, newline, _ = start.partition(b"\n")
    words = line.split()
    if not newline or len(words) != 4 or not (words[2].isdigit() and words[3].isdigit()):
        return None
    lengths = int(words[2]), int(words[3])
    if len(line) + 1 + sum(lengths) != size:
        return None
    text = os.pread(fd, lengths[which], len(line) + 1 + (lengths[0] if which else 0))
    return text if blake3(text).hexdigest().encode() == words[which] else None
