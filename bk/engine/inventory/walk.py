"""One bounded walk that follows no link: which directories mean something, and what their readers say of them.

A directory that its stamps prove unchanged is not read again; what it said last time is what it says now.
"""

from __future__ import annotations

import os
import stat
from time import time_ns

from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.limits import LimitMet
from bk.engine.inventory.place import DIRECTORY, MISSING, Found, Place, listing, stamp_of, theirs
from bk.engine.inventory.proof import Proof
from bk.engine.inventory.reach import NOT_INTO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Protocol

    from bk.engine.inventory.ecosystems import Ecosystem
    from bk.engine.inventory.place import Budget, Stamp

    class Memory(Protocol):
        """What earlier runs left, and where this one leaves what it finds."""

        def recall(self, path: str) -> Known | None:
            """What is known of a directory."""
            ...

        def keep(self, path: str, proof: Proof, below: list[str], found: Found) -> None:
            """Remember what a directory said just now."""
            ...

        def reuse(self, known: Known) -> None:
            """What a directory said last time holds in this run too."""
            ...


NOT_AT = frozenset(("/proc", "/sys", "/dev", "/run", "/lost+found"))
HOMES = frozenset(("/home", "/Users"))
TOLD_EVERY = 64
_HOSTILE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)


class Known:
    """What an earlier run knows of a directory, and the proof that would make it still true."""

    __slots__ = ("below", "path", "proof", "row", "snapshot")

    def __init__(self, path: str, proof: Proof, below: list[str], snapshot: int, row: int) -> None:
        self.path = path
        self.proof = proof
        self.below = below
        self.snapshot = snapshot
        self.row = row


class Marks:
    """Which ecosystems a directory means something to, by one look at its names."""

    __slots__ = ("_asked", "_endings", "_entries", "_own", "_tails")

    def __init__(self, ecosystems: Mapping[str, Ecosystem]) -> None:
        self._entries: dict[str, list[Ecosystem]] = {}
        self._own: dict[str, list[Ecosystem]] = {}
        self._endings: list[tuple[str, Ecosystem]] = []
        self._asked: list[tuple[Callable[[str, Mapping[str, str]], bool], Ecosystem]] = []
        for ecosystem in ecosystems.values():
            marks = ecosystem.MARKS
            if not isinstance(marks, frozenset):
                self._asked.append((marks, ecosystem))
                continue
            for mark in marks:
                if mark.startswith("*"):
                    self._endings.append((mark[1:], ecosystem))
                elif mark.endswith("/"):
                    self._own.setdefault(mark[:-1], []).append(ecosystem)
                else:
                    self._entries.setdefault(mark, []).append(ecosystem)
        self._tails = tuple(ending for ending, _ in self._endings)

    def fit(self, path: str, names: Mapping[str, str]) -> list[Ecosystem]:
        """The ecosystems whose marks fit, each once."""
        fits = list(self._own.get(path.rpartition("/")[2], ()))
        for mark in self._entries.keys() & names.keys():
            fits += self._entries[mark]
        if self._tails:
            for name in names:
                if name.endswith(self._tails):
                    fits += [ecosystem for ending, ecosystem in self._endings if name.endswith(ending)]
        fits += [ecosystem for fitting, ecosystem in self._asked if fitting(path, names)]
        return list({id(one): one for one in fits}.values())


class Walk:
    """One run over its roots. `limit` says which bound ended it early, "" when none did.

    `done` are the roots that it went through, and `blind` the places in them that it passed over or could not list.
    """

    def __init__(
        self,
        memory: Memory,
        budget: Budget,
        *,
        home: str,
        env: Mapping[str, str],
        profile: str,
        ecosystems: Mapping[str, Ecosystem] = EVERY,
        never: Iterable[str] = (),
        tell: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self._memory = memory
        self._budget = budget
        self._home = home
        self._env = env
        self._profile = profile
        self._marks = Marks(ecosystems)
        self._never = NOT_AT | {path for path in never if path}
        self._tell = tell
        self._been: dict[int, int] = {}
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.done: list[tuple[str, int]] = []
        self.blind: set[str] = set()
        self.limit = ""
        self.directories = self.reused = self.found = 0

    def run(self, roots: Iterable[tuple[str, int]]) -> None:
        """Visit every root and what lies below it, as deep as it says."""
        try:
            for root, depth in roots:
                self._root(root, depth)
                self.done.append((root, depth))
        except LimitMet as met:
            self.limit = met.what

    def _root(self, root: str, depth: int) -> None:
        waiting = [(root, depth)]
        while waiting:
            path, left = waiting.pop()
            below = self._visit(path, left, root == path)
            if left > 0:
                waiting.extend((one, left - 1) for one in below)
            elif below and depth == self._budget.limits.depth:
                self.problems.append((path, f"deeper than {depth} directories"))
                self.blind.add(path)

    def _visit(self, path: str, left: int, is_root: bool) -> Iterator[str] | list[str]:
        if path in self._never:
            return []
        try:
            info = os.lstat(path)
        except OSError as error:
            self._unseen(path, error, "it cannot be looked at")
            return []
        if not stat.S_ISDIR(info.st_mode):
            return []
        if not is_root and self._foreign(path, info):
            self.blind.add(path)
            return []
        ident = info.st_dev << 64 | info.st_ino
        if self._been.get(ident, -1) >= left:
            return []
        again = ident in self._been
        self._been[ident] = left
        self._budget.clock()
        self.directories += 1
        if self._tell and self.directories % TOLD_EVERY == 1:
            self._tell(self.directories, self.found, path)
        known = self._memory.recall(path)
        if known is not None and known.proof.holds(path, stamp_of(info)):
            self.reused += 1
            if not again:
                self._memory.reuse(known)
            return known.below
        return self._read(path, stamp_of(info), again)

    def _foreign(self, path: str, info: os.stat_result) -> bool:
        """Another person's home: theirs to scan."""
        return path.rpartition("/")[0] in HOMES and info.st_uid != os.geteuid() and not self._home.startswith(path)

    def _unseen(self, path: str, error: OSError, why: str) -> None:
        """What is not there any more is no problem; what belongs to somebody else is a note."""
        if error.errno in MISSING:
            return
        told = (path, error.strerror or why)
        (self.notes if theirs(path, error) else self.problems).append(told)
        self.blind.add(path)

    def _read(self, path: str, stamp: Stamp, again: bool) -> list[str]:
        started = time_ns()
        found = Found(self._budget)
        try:
            names = listing(path, self._budget)
        except OSError as error:
            self._unseen(path, error, "it cannot be listed")
            return []
        place = Place(
            path,
            names,
            home=self._home,
            env=self._env,
            profile=self._profile,
            budget=self._budget,
            found=found,
        )
        place.stamps[path] = stamp
        try:
            for ecosystem in self._marks.fit(path, names):
                try:
                    ecosystem.read(place, found)
                except _HOSTILE as error:
                    found.problem(path, f"its contents make no sense ({type(error).__name__})")
        except LimitMet:
            self._keep(path, Proof.none(), [], found, again)
            raise
        below = [
            f"{'' if path == '/' else path}/{name}"
            for name, kind in names.items()
            if kind == DIRECTORY and name not in found.skipped and name not in NOT_INTO
        ]
        below += [one for one in found.also if place.below(one)]
        self._keep(path, Proof.of(path, place.stamps, started), below, found, again)
        return below

    def _keep(self, path: str, proof: Proof, below: list[str], found: Found, again: bool) -> None:
        self.found += len(found.items)
        if not again:
            self._memory.keep(path, proof, below, found)
