"""The folders that are watched: by the kernel where it has watches left, else by looking at them every few seconds.

Folders come and go: what is missing is looked for again, and what was replaced is watched anew and counts as landed.
"""

from __future__ import annotations

import errno
import os
import stat

from bk.engine.responder.inotify import ENDS, ISDIR, LANDS, OVERFLOW, Inotify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bk.engine.model import Json

    Stamp = tuple[object, ...]

REST = (errno.ENOSPC, errno.EMFILE, errno.ENOMEM)
PLAN = ""
LISTS = frozenset((".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml"))


class Spot:
    """One folder to watch, and what an event in it is about.

    `kind` is the inventory's reader (`PLAN`: what is to be watched may have changed); `root` is the folder that the
    reader is given, `depth` how far down; `names` are the only entries that matter, all when there are none; with
    `whole` any of them is about the whole folder.
    """

    __slots__ = ("depth", "kind", "names", "path", "root", "whole")

    def __init__(  # noqa: PLR0917 - a row of the plan, in order
        self, kind: str, path: str, root: str = "", names: Iterable[str] = (), whole: bool = False, depth: int = 0
    ) -> None:
        self.kind = kind
        self.path = path
        self.root = root or path
        self.names = frozenset(names)
        self.whole = whole
        self.depth = depth

    def row(self) -> list[Json]:
        """As the plan has it."""
        return [self.kind, self.path, self.root, sorted(self.names), self.whole, self.depth]

    def about(self, name: str, is_dir: bool) -> str | None:
        """The path that an event is about; None when it is about nothing that matters."""
        if self.names:
            if name not in self.names:
                return None
        elif (name.startswith(".") and name not in LISTS) or (self.kind in ("editors", PLAN) and not is_dir):
            return None
        return self.path if self.whole else f"{self.path}/{name}"


class Target:
    """Something to be checked: a path below (or at) the folder that its reader is given."""

    __slots__ = ("depth", "kind", "path", "root")

    def __init__(self, kind: str, root: str, path: str, depth: int = 0) -> None:
        self.kind = kind
        self.root = root
        self.path = path
        self.depth = depth

    def row(self) -> list[Json]:
        """As the plan and the checker have it."""
        return [self.kind, self.root, self.path, self.depth]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self.row() == other.row()

    def __hash__(self) -> int:
        return hash((self.kind, self.path))

    def __repr__(self) -> str:
        return f"Target{tuple(self.row())}"


EVERYTHING = Target("*", "", "")  # events were lost: look at the whole machine once


class Eyes:
    """Watches a set of spots. Not to be used by two threads."""

    __slots__ = ("_kernel", "_path_of", "_polled", "_spots", "_watched", "why")

    def __init__(self, kernel: Callable[[], Inotify] = Inotify) -> None:
        self._spots: dict[str, list[Spot]] = {}
        self._watched: dict[str, tuple[int, Stamp]] = {}
        self._path_of: dict[int, str] = {}
        self._polled: dict[str, Stamp] = {}
        self.why = ""
        self._kernel: Inotify | None = None
        try:
            self._kernel = kernel()
        except OSError as error:
            self.why = error.strerror or "there is no inotify"

    @property
    def fd(self) -> int:
        """Readable when the kernel has news; -1 where it has none for us."""
        return self._kernel.fd if self._kernel is not None else -1

    @property
    def watched(self) -> int:
        """Folders that are watched, either way."""
        return len(self._watched) + len(self._polled)

    @property
    def polled(self) -> int:
        """Folders of these that are looked at instead."""
        return len(self._polled)

    @property
    def missing(self) -> int:
        """Folders that would be watched if they were there."""
        return len(self._spots) - self.watched

    def look_at(self, spots: Iterable[Spot], since: float) -> list[Target]:
        """Watch these instead; those that are new here and that changed since then count as landed."""
        wanted: dict[str, list[Spot]] = {}
        for spot in spots:
            wanted.setdefault(spot.path, []).append(spot)
        for path in [path for path in self._spots if path not in wanted]:
            self._forget(path)
        known, self._spots = self._spots, wanted
        landed: list[Target] = []
        for path in wanted:
            if path not in known and self._begin(path) and _changed(path, since):
                landed += self._whole(path)
        return landed

    def turn(self) -> list[Target]:
        """Look for what is missing, for what was replaced, and at what the kernel does not watch."""
        landed: list[Target] = []
        for path in self._spots:
            stamp = _identity(path)
            if path in self._polled:
                now = self._stamp(path)
                if now != self._polled[path]:
                    landed += self._whole(path) if stamp else []
                    self._polled[path] = now
                if not stamp:
                    del self._polled[path]
            elif path in self._watched and self._watched[path][1] != stamp:
                self._forget(path)
            if stamp and path not in self._watched and path not in self._polled and self._begin(path):
                landed += self._whole(path)
        return landed

    def read(self) -> list[Target]:
        """What the kernel says has landed since the last time."""
        if self._kernel is None:
            return []
        landed: dict[Target, None] = {}
        for watch, mask, name in self._kernel.read():
            if mask & OVERFLOW:
                landed[EVERYTHING] = None
            path = self._path_of.get(watch)
            if path is None:
                continue
            if mask & ENDS:
                self._forget(path)
            elif mask & LANDS and name:
                for spot in self._spots[path]:
                    about = spot.about(name, bool(mask & ISDIR))
                    if about is not None:
                        landed[Target(spot.kind, spot.root, about, spot.depth)] = None
        return list(landed)

    def close(self) -> None:
        """Watch nothing any more."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
        self._spots, self._watched, self._path_of, self._polled = {}, {}, {}, {}

    def _whole(self, path: str) -> Iterator[Target]:
        """Everything that lies in a folder."""
        for spot in self._spots[path]:
            for name in sorted(spot.names) if spot.names and not spot.whole else ("",):
                if not name or os.path.lexists(f"{path}/{name}"):
                    yield Target(spot.kind, spot.root, f"{path}/{name}" if name else path, spot.depth)

    def _begin(self, path: str) -> bool:
        """Watch a folder, if it is there: itself, with no link on the way to it."""
        stamp = _identity(path)
        if not stamp or os.path.realpath(path) != path:
            return False
        if self._kernel is not None:
            try:
                watch = self._kernel.add(path)
            except OSError as error:
                if error.errno not in REST:
                    return False
                self.why = "the system has no more watches (fs.inotify.max_user_watches)"
            else:
                self._watched[path] = (watch, stamp)
                self._path_of[watch] = path
                return True
        self._polled[path] = self._stamp(path)
        return True

    def _forget(self, path: str) -> None:
        self._polled.pop(path, None)
        watch, _ = self._watched.pop(path, (-1, ()))
        if self._path_of.get(watch) == path:
            del self._path_of[watch]
            if self._kernel is not None:
                self._kernel.drop(watch)

    def _stamp(self, path: str) -> Stamp:
        """What changes when something lands: the folder's own time, and the files in it that matter."""
        stamps: list[object] = []
        names = sorted({name for spot in self._spots[path] for name in spot.names})
        for one in (path, *(f"{path}/{name}" for name in names)):
            try:
                info = os.lstat(one)
            except OSError:
                stamps.append(None)
            else:
                stamps.append((info.st_ino, info.st_mtime_ns, info.st_size))
        return tuple(stamps)


def _identity(path: str) -> Stamp:
    """Which folder it is; () when it is none."""
    try:
        info = os.lstat(path)
    except OSError:
        return ()
    return (info.st_dev, info.st_ino) if stat.S_ISDIR(info.st_mode) else ()


def _changed(path: str, since: float) -> bool:
    try:
        info = os.lstat(path)
    except OSError:
        return False
    return max(info.st_mtime, info.st_ctime) >= since
