"""One directory as an ecosystem's reader sees it: names, texts and JSON, without ever following a link.

Everything that a reader looks at is remembered with its stamp, so that the next run can prove that nothing changed
without reading it again.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from time import monotonic

from bk.engine.inventory.limits import TEXT_MAX, LimitMet, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.inventory.item import Item
    from bk.engine.model import Json

NAME_MAX = 512
VERSION_MAX = 256
DIRECTORY, FILE, LINK, OTHER = "d", "f", "l", "o"
Stamp = tuple[int, int, int, int, int]  # inode, mode, change time, modification time, size; see `stamp_of`
MISSING = (errno.ENOENT, errno.ENOTDIR)
GONE: Stamp = (0, 0, 0, 0, 0)
_NAMES: Mapping[str, str] = {}


class Budget:
    """What is left of a run's bounds; shared by all places of the run."""

    __slots__ = ("_bytes", "_entries", "_items", "_until", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._until = monotonic() + limits.seconds
        self._entries = limits.entries
        self._bytes = limits.read
        self._items = limits.items

    def entries(self, count: int) -> None:
        """Pay for directory entries, and look at the clock."""
        self._entries -= count
        if self._entries < 0:
            raise LimitMet(f"more than {self.limits.entries} entries")
        self.clock()

    def clock(self) -> None:
        """Stop when the time is over."""
        if monotonic() > self._until:
            raise LimitMet(f"longer than {self.limits.seconds:g} s")

    def bytes(self, count: int) -> None:
        """Pay for what is read."""
        self._bytes -= count
        if self._bytes < 0:
            raise LimitMet(f"more than {self.limits.read} bytes to read")

    def items(self, count: int = 1) -> None:
        """Pay for what is found."""
        self._items -= count
        if self._items < 0:
            raise LimitMet(f"more than {self.limits.items} items")


class Found:
    """What a reader hands back: items, problems, and where the walk need not or should also look."""

    __slots__ = ("_budget", "also", "items", "notes", "problems", "skipped")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.items: list[Item] = []
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.skipped: set[str] = set()
        self.also: list[str] = []

    def add(self, item: Item) -> None:
        """Keep an item; one whose name or version is no text, or is absurdly long, is a problem instead."""
        if not item.name or len(item.name) > NAME_MAX or len(item.version) > VERSION_MAX:
            self.problem(item.observed, "its name or version is empty or too long")
            return
        if not (_is_text(item.name) and _is_text(item.version)):
            self.problem(item.observed, "its name or version is no text")
            return
        self._budget.items()
        self.items.append(item)

    def problem(self, path: str, why: str) -> None:
        """Say what could not be read, and why: nothing is left out in silence."""
        self.problems.append((path, why))

    def unread(self, path: str, error: OSError, why: str) -> None:
        """Say what the system would not let us read: a problem, or a note where it belongs to somebody else.

        What went away while it was looked at is neither: it is not there.
        """
        if error.errno in MISSING:
            return
        (self.notes if theirs(path, error) else self.problems).append((path, error.strerror or why))

    def skip(self, *names: str) -> None:
        """These children are dealt with: the walk does not go into them."""
        self.skipped.update(names)

    def walk(self, path: str) -> None:
        """Have the walk also visit this directory (an absolute path below the place)."""
        self.also.append(path)


class Place:
    """One directory that means something. Paths given to its methods are relative to it and never contain `..`."""

    __slots__ = ("_budget", "_found", "_listed", "_real", "env", "home", "path", "profile", "stamps")

    def __init__(
        self,
        path: str,
        names: Mapping[str, str],
        *,
        home: str,
        budget: Budget,
        found: Found,
        env: Mapping[str, str] = _NAMES,
        profile: str = "project",
    ) -> None:
        self.path = path
        self.home = home
        self.env = env
        self.profile = profile
        self.stamps: dict[str, Stamp] = {}
        self._budget = budget
        self._found = found
        self._listed: dict[str, Mapping[str, str]] = {"": names}
        self._real: set[str] = {""}

    def elsewhere(self, path: str) -> Place:
        """Another directory that what is said here depends on, in the same books; an empty one behind a link.

        The home may be named through a link; nothing below it may.
        """
        if path.startswith(f"{self.home}/"):
            path = os.path.realpath(self.home) + path[len(self.home) :]
        other = Place(
            path,
            _NAMES,
            home=self.home,
            budget=self._budget,
            found=self._found,
            env=self.env,
            profile=self.profile,
        )
        other.stamps = self.stamps
        other._listed.clear()
        if os.path.realpath(path) != path:
            other._real.clear()
        return other

    def at(self, sub: str) -> str:
        """The absolute path of something in here."""
        return f"{self.path}/{sub}" if sub else self.path

    def names(self, sub: str = "") -> Mapping[str, str]:
        """What lies in a directory: name → d(irectory), f(ile), l(ink) or o(ther); empty when it is no directory.

        An unreadable one is a problem, a missing one or one behind a link is not.
        """
        known = self._listed.get(sub)
        if known is not None:
            return known
        listed: Mapping[str, str] = _NAMES
        if self._reached(sub):
            path = self.at(sub)
            info = self._stamped(path)
            if info is not None and stat.S_ISDIR(info.st_mode):
                try:
                    listed = listing(path, self._budget)
                    self._real.add(sub)
                except OSError as error:
                    self._found.unread(path, error, "it cannot be listed")
        self._listed[sub] = listed
        return listed

    def stamp(self, sub: str) -> Stamp:
        """The stamp of an entry, remembered as something that this place's items depend on."""
        path = self.at(sub)
        if path not in self.stamps:
            if not self._reached(sub):
                return GONE
            self._stamped(path)
        return self.stamps[path]

    def data(self, name: str, max_bytes: int = TEXT_MAX) -> bytes | None:
        """The bytes of a regular file, or None: missing and links in silence, all else as a problem."""
        if not self._reached(name):
            return None
        path = self.at(name)
        info = self._stamped(path)
        if info is None or stat.S_ISLNK(info.st_mode):
            return None
        if not stat.S_ISREG(info.st_mode):
            self._found.problem(path, "it is no regular file")
            return None
        if info.st_size > max_bytes:
            self._found.problem(path, f"it is larger than {max_bytes} bytes")
            return None
        try:
            found = read(path, max_bytes)
        except OSError as error:
            self._found.unread(path, error, "it cannot be read")
            return None
        if found is None:
            self._found.problem(path, "it changed while it was read")
            return None
        self._budget.bytes(len(found))
        return found

    def text(self, name: str, max_bytes: int = TEXT_MAX) -> str | None:
        """The text of a regular file, or None; what is no UTF-8 in it is replaced."""
        found = self.data(name, max_bytes)
        return None if found is None else found.decode("utf-8-sig", "replace")

    def json(self, name: str, max_bytes: int = TEXT_MAX) -> Json:
        """The JSON in a file, or None; broken JSON is a problem."""
        found = self.data(name, max_bytes)
        if found is None:
            return None
        try:
            value: Json = json.loads(found.removeprefix(b"\xef\xbb\xbf"))
        except (ValueError, RecursionError):
            self._found.problem(self.at(name), "it is no JSON")
            return None
        return value

    def link(self, name: str) -> str | None:
        """Where a link points, as its text says; None when it is no link.

        In a directory that was listed that costs no stamp: a link can only be changed by replacing it, which changes
        the directory.
        """
        folder, _, last = name.rpartition("/")
        listed = self._listed.get(folder) if folder in self._real else None
        if not self._reached(name) or (listed is not None and listed.get(last) != LINK):
            return None
        path = self.at(name)
        if listed is not None:
            return _target(path)
        info = self._stamped(path)
        if info is None or not stat.S_ISLNK(info.st_mode):
            return None
        return _target(path)

    def is_dir(self, sub: str) -> bool:
        """Whether there is a directory of this name, itself and not through a link."""
        return stat.S_ISDIR(self.stamp(sub)[1])

    def is_file(self, name: str) -> bool:
        """Whether there is a regular file of this name, itself and not through a link."""
        return stat.S_ISREG(self.stamp(name)[1])

    def below(self, path: str) -> bool:
        """Whether an absolute path names a directory in here, with no link on the way to it."""
        inner = path.startswith(f"{self.path}/")
        return inner and self._reached(path[len(self.path) + 1 :]) and self.is_dir(path[len(self.path) + 1 :])

    def _reached(self, sub: str) -> bool:
        """Whether the way to an entry leads through directories alone: no link, no `..`, no absolute path."""
        folder, _, name = sub.rpartition("/")
        if name in ("..", ".") or sub.startswith("/") or "\0" in sub:
            return False
        if folder in self._real:
            return True
        if not folder or not self._reached(folder):
            return False
        info = self._stamped(self.at(folder))
        if info is None or not stat.S_ISDIR(info.st_mode):
            return False
        self._real.add(folder)
        return True

    def _stamped(self, path: str) -> os.stat_result | None:
        self._budget.clock()
        try:
            info = os.lstat(path)
        except ValueError:
            self.stamps[path] = GONE
            return None
        except OSError as error:
            self.stamps[path] = GONE
            self._found.unread(path, error, "it cannot be looked at")
            return None
        self.stamps[path] = stamp_of(info)
        return info


def theirs(path: str, error: OSError) -> bool:
    """Whether something cannot be read because it, or the folder that it lies in, belongs to somebody else."""
    if error.errno not in (errno.EACCES, errno.EPERM):
        return False
    for one in (path, os.path.dirname(path)):
        try:
            return os.lstat(one).st_uid != os.geteuid()
        except OSError:
            continue
    return False


def stamp_of(info: os.stat_result) -> Stamp:
    """What proves that an entry is unchanged; the change time cannot be set back by whoever rewrites a file."""
    return info.st_ino, info.st_mode, info.st_ctime_ns, info.st_mtime_ns, info.st_size


def listing(path: str, budget: Budget) -> dict[str, str]:
    """The entries of a directory with their kinds, no link followed."""
    names: dict[str, str] = {}
    with os.scandir(path) as entries:
        for entry in entries:
            names[entry.name] = (
                LINK
                if entry.is_symlink()
                else DIRECTORY
                if entry.is_dir(follow_symlinks=False)
                else FILE
                if entry.is_file(follow_symlinks=False)
                else OTHER
            )
            if len(names) & 0xFFF == 0:
                budget.entries(0x1000)
    budget.entries(len(names) & 0xFFF)
    return names


def read(path: str, max_bytes: int) -> bytes | None:
    """The bytes of a regular file, no link followed and no pipe waited for; None when it is not what it was."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > max_bytes:
            return None
        found = os.read(handle, info.st_size + 1)
        while len(found) <= info.st_size:
            more = os.read(handle, info.st_size + 1 - len(found))
            if not more:
                return found
            found += more
        return None  # it grows
    finally:
        os.close(handle)


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
