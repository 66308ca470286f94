"""Making a generation of the index and putting it in force, going back to an earlier one, comparing two.

A generation is built aside and verified without holding anybody up; the lock is held only while it gets its number and
the pointer is swapped. Three generations are kept: the one in force and the two before it. Those that were gone back
from are dropped with the next new one. Whatever a killed build left is cleaned by the next one.
"""

from __future__ import annotations

import os
import time

from bk.engine.errors import BkError, Refusal
from bk.engine.intel import bundle
from bk.engine.intel.index import MAGIC, VERSION, Index
from bk.engine.intel.writer import sync_directory, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bk.engine.intel.record import Record
    from bk.engine.model import Json
    from bk.engine.state import State

KEPT = 3
NUMBER_MAX = 999_999


class Generation:
    """One kept generation. `built` is when (ISO, UTC), `damage` why it cannot be opened, "" when it can."""

    __slots__ = ("built", "damage", "number", "origin", "path")

    def __init__(self, number: int, path: str, origin: str, built: str, damage: str = "") -> None:
        self.number = number
        self.path = path
        self.origin = origin
        self.built = built
        self.damage = damage

    def __repr__(self) -> str:
        return f"Generation({self.number}, {self.origin!r}, {self.built!r}, {self.damage!r})"


class Change:
    """What differs between two generations for one package; `kind` is added, removed or changed."""

    __slots__ = ("after", "before", "ecosystem", "kind", "name")

    def __init__(self, ecosystem: str, name: str, before: Sequence[Record], after: Sequence[Record]) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.before = tuple(before)
        self.after = tuple(after)
        self.kind = "changed" if before and after else "added" if after else "removed"


def in_force(state: State) -> Generation | None:
    """The generation in force; None before the first, and when the pointer to it is not to be read."""
    try:
        found = bundle.current(state)
    except Refusal:
        return None
    return _generation(state, bundle.number_of(os.path.basename(found[0]))) if found is not None else None


def listed(state: State) -> list[Generation]:
    """Every kept generation, oldest first."""
    return [_generation(state, number) for number in _numbers(state)]


def activate(state: State, records: Iterable[Record], meta: Mapping[str, Json], origin: str) -> Generation:
    """Build a generation from records and put it in force; the caller decides that it may."""
    state.ensure()
    made: list[Generation] = []

    def place(aside: str) -> None:
        with Lock(state):
            made.append(_placed(state, aside, origin, "-"))

    _write(state, records, meta, origin, place)
    return made[0]


def compile_bundle(state: State) -> Generation:
    """Put this release's own facts in force; the caller holds the lock and has seen that nothing better is there."""
    from bk.engine.intel.compact import parse

    stamp = bundle.stamp()
    with open(bundle.FACTS, encoding="utf-8") as file:
        text = file.read()
    made: list[Generation] = []

    def place(aside: str) -> None:
        made.append(_placed(state, aside, bundle.BUNDLED, stamp))

    _write(state, parse(text, bundle.FACTS), {"sources": bundle.sources()}, bundle.BUNDLED, place)
    return made[0]


def rollback(state: State, number: int = 0) -> Generation:
    """Put a kept generation in force: the one with this number, or the newest whole one before the one in force."""
    state.ensure()
    with Lock(state):
        now = in_force(state)
        there = {each.number: each for each in listed(state)}
        if number and number not in there:
            raise BkError("there is no such generation", f"{number}; kept: {_told(there)}", "bk catalogs status")
        below = now.number if now is not None else NUMBER_MAX + 1
        for each in [there[number]] if number else [there[n] for n in sorted(there, reverse=True) if n < below]:
            try:
                verify(each)
            except Refusal as refusal:
                if number:
                    raise
                each.damage = str(refusal)
                continue
            _point(state, each, bundle.stamp() if each.origin == bundle.BUNDLED else "-")
            return each
    raise BkError("there is no whole generation to go back to", f"kept: {_told(there)}", "bk catalogs rebuild")


def verify(generation: Generation) -> None:
    """Read every byte of a generation; a Refusal says what is wrong with it."""
    index = Index.open(generation.path)
    try:
        index.verify()
    finally:
        index.close()


def outgrown(state: State) -> bool:
    """Whether what is in force is whole but in another release's format: the worker makes it anew, without being asked.

    Until it has, calls are refused; nothing that is in force may be forgotten meanwhile.
    """
    try:
        found = bundle.current(state)
        with open(found[0] if found else os.devnull, "rb") as file:
            head = file.read(12)
    except (Refusal, OSError):
        return False
    return head[:8] == MAGIC and int.from_bytes(head[8:], "big") != VERSION


def delta(old: Generation, new: Generation) -> Iterator[Change]:
    """What changed, package by package, by ecosystem and name."""
    from bk.engine.intel.delta import between

    return between(old.path, new.path)


def fresh(state: State) -> bool:
    """Whether nothing was ever in force: no generation, or just the bundle's, whose compiler died before the end."""
    numbers = _numbers(state)
    return not numbers or (numbers == [1] and _generation(state, 1).origin == bundle.BUNDLED)


def _write(
    state: State, records: Iterable[Record], meta: Mapping[str, Json], origin: str, place: Callable[[str], None]
) -> None:
    built = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    write(f"{state.intel}/next", records, {**meta, "built": built, "origin": origin}, place)


def _placed(state: State, aside: str, origin: str, stamp: str) -> Generation:
    """Give a verified file the next number, point to it, and drop what is not kept any longer."""
    before = in_force(state)
    numbers = _numbers(state)
    number = max(numbers, default=0) + 1
    if number > NUMBER_MAX:
        raise BkError("there are too many generations", str(number), "bk catalogs status")
    path = _path(state, number)
    os.rename(aside, path)
    sync_directory(state.intel)
    _point(state, Generation(number, path, origin, ""), stamp)
    left = [each for each in numbers if before is None or each <= before.number]
    for old in numbers:
        if old not in left[-(KEPT - 1) :]:
            os.unlink(_path(state, old))
    return _generation(state, number)


def _point(state: State, generation: Generation, stamp: str) -> None:
    pointer = f"{state.intel}/current"
    aside = f"{pointer}.new"
    try:
        if os.path.lexists(aside):
            os.unlink(aside)
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "w", encoding="ascii") as file:
            file.write(f"{os.path.basename(generation.path)}\n{generation.origin}\n{stamp}\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, pointer)
        sync_directory(state.intel)
    except OSError as error:
        raise BkError(
            "the threat index could not be put in force",
            f"{pointer}: {error.strerror}",
            "free the disk or make it writable, then `bk catalogs rebuild`",
        ) from error


def _generation(state: State, number: int) -> Generation:
    path = _path(state, number)
    try:
        index = Index.open(path)
    except Refusal as refusal:
        return Generation(number, path, "", "", refusal.detail)
    try:
        meta = index.meta
    finally:
        index.close()
    return Generation(number, path, str(meta.get("origin", "")), str(meta.get("built", "")))


def _path(state: State, number: int) -> str:
    return f"{state.intel}/{bundle.PREFIX}{number:06}{bundle.SUFFIX}"


def _numbers(state: State) -> list[int]:
    try:
        names = os.listdir(state.intel)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise bundle.refusal(f"{state.intel}: {error.strerror}") from error
    return sorted(filter(None, map(bundle.number_of, names)))


def _told(there: Mapping[int, Generation]) -> str:
    """The kept generations for a person."""
    return ", ".join(f"{number} ({each.damage})" if each.damage else str(number) for number, each in there.items()) or (
        "none"
    )


class Lock:
    """One process at a time makes the pointer point; released by the kernel if its holder dies."""

    __slots__ = ("_fd", "_path")

    def __init__(self, state: State) -> None:
        self._path = f"{state.intel}/lock"
        self._fd = -1

    def __enter__(self) -> None:
        import fcntl

        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except OSError as error:
            raise bundle.refusal(f"{self._path}: {error.strerror}") from error

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
        self._fd = -1
