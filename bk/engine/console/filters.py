"""Filters that a person has given names: kept with the state, checked whenever they are read, meant by `@name`."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from typing import NamedTuple

from bk.engine.config.files import replace
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.query import parse
from bk.engine.ledger.words import QueryError, words
from bk.engine.state import State
from bk.text import inert

NAME = "filters.json"
MOST = 64
TEXT_MAX = 1_000
FILE_MAX = 256 << 10
_NAMED = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Saved(NamedTuple):
    """One filter by its name. `problem` says why it can no longer be used, "" when it can."""

    name: str
    text: str
    problem: str = ""


class Shelf(NamedTuple):
    """All filters, by name; `problem` says what is wrong with the file, "" when nothing is."""

    rows: tuple[Saved, ...]
    problem: str = ""


def shelf(state: State) -> Shelf:
    """What is saved. A file that cannot be used is told and never raised: it is only a convenience."""
    path = f"{state.root}/{NAME}"
    try:
        held = _read(path, state.owner)
    except (OSError, ValueError, RecursionError) as error:
        return Shelf((), f"{path}: {inert(str(error), 200)}")
    rows = []
    left = 0
    for name, text in list(held.items())[:MOST]:
        if isinstance(text, str) and _NAMED.fullmatch(name) and len(text) <= TEXT_MAX:
            rows.append(Saved(name, text, _wrong(text)))
        else:
            left += 1
    left += max(0, len(held) - MOST)
    return Shelf(tuple(sorted(rows)), f"{path}: {left} entries are no filters" if left else "")


def save(state: State, name: str, text: str) -> Saved:
    """Give a filter a name, or the name another filter; raises BkError for one that cannot be used."""
    if not _NAMED.fullmatch(name):
        step = "letters a-z, digits and -, at most 40"
        raise BkError("a filter cannot be called so", inert(name, 60), step, code=USAGE)
    text = text.strip()
    if not text or len(text) > TEXT_MAX:
        raise BkError(
            "there is no such filter to save", f"it has {len(text)} characters of 1 to {TEXT_MAX}", code=USAGE
        )
    parse(text)
    held = _usable(state)
    if name not in held and len(held) >= MOST:
        raise BkError("there are too many filters", f"{MOST} can be saved", "bk audit filters remove NAME", code=USAGE)
    _write(state, {**held, name: text})
    return Saved(name, text)


def remove(state: State, name: str) -> None:
    """Forget a filter."""
    held = _usable(state)
    if name not in held:
        known = ", ".join(held) or "there are none"
        raise BkError("there is no such filter", f"{inert(name, 60)}; {known}", "bk audit filters list", code=USAGE)
    _write(state, {each: text for each, text in held.items() if each != name})


def expanded(state: State, text: str) -> str:
    """A filter with each `@name` that is saved replaced by what it stands for; anything else stays as it is."""
    if "@" not in text:
        return text
    known: dict[str, Saved] | None = None
    parts, done = [], 0
    for word in words(text):
        if word.key or word.quoted or not _NAMED.fullmatch(word.value.removeprefix("@")) or word.value[0] != "@":
            continue
        known = known or {row.name: row for row in shelf(state).rows}
        held = known.get(word.value[1:])
        if held is None:
            continue
        if word.negated:
            raise QueryError("a saved filter cannot be negated", word.shown, f"{held.name} is {held.text}", word.at,
                             len(word.shown))  # fmt: skip
        parts += [text[done : word.at], held.text]
        done = word.at + len(word.shown)
    return "".join([*parts, text[done:]])


def _wrong(text: str) -> str:
    try:
        parse(text)
    except BkError as error:
        return str(error)
    return ""


def _usable(state: State) -> dict[str, str]:
    """What is saved, for changing it: a file that cannot be read must not be lost by saving one more filter."""
    held = shelf(state)
    if held.problem:
        raise BkError("the saved filters cannot be changed", held.problem, f"correct or remove {state.root}/{NAME}")
    return {row.name: row.text for row in held.rows}


def _read(path: str, owner: int) -> Mapping[str, object]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    with open(fd, "rb") as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_uid not in (owner, os.geteuid()) or info.st_mode & 0o022:
            raise ValueError("it is not a plain file that its owner alone can write")
        data = file.read(FILE_MAX + 1)
    if len(data) > FILE_MAX:
        raise ValueError(f"it is larger than {FILE_MAX:,} bytes")
    held = json.loads(data.decode())
    if not isinstance(held, dict):
        raise ValueError("it is not a table of filters")
    return held


def _write(state: State, held: Mapping[str, str]) -> None:
    path = f"{state.root}/{NAME}"
    try:
        replace(path, json.dumps(held, indent=1, sort_keys=True).encode() + b"\n")
    except OSError as error:
        raise BkError("the filters cannot be saved", f"{path}: {error.strerror}") from error
