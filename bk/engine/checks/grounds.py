"""What kind of ground a path lies on, which is what makes its loss a disaster, a question or nothing at all."""

from __future__ import annotations

import re

from bk.engine.checks.places import WILD, component, home_depth
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = "root"
ABOVE = "above"  # a directory that the project or a home lies in
SYSTEM = "system"
DEVICE = "device"
HOME = "home"  # somebody's home as a whole
PERSONAL = "personal"  # something in a home that is not the project
OUTSIDE = "outside"
MOUNT = "mount"
PROJECT = "project"  # the project as a whole
HISTORY = "history"  # what a version control system keeps
SOURCE = "source"
MADE = "made"  # in the project, and its tools make it again
CACHE = "cache"  # outside the project, and made again
TEMP = "temp"  # a temporary directory itself
SCRATCH = "scratch"  # something in one
UNKNOWN = "unknown"

WORDS = {
    ROOT: "the whole file system",
    ABOVE: "a directory in which the project or a home lies",
    SYSTEM: "part of the system",
    DEVICE: "a device",
    HOME: "a whole home directory",
    PERSONAL: "somebody's personal files, outside the project",
    OUTSIDE: "outside the project",
    MOUNT: "a whole drive or volume",
    PROJECT: "the whole project",
    HISTORY: "the project's version history",
    SOURCE: "part of the project that nothing makes again",
    MADE: "made again by the project's tools",
    CACHE: "a cache outside the project",
    TEMP: "a temporary directory that others use too",
    SCRATCH: "temporary",
    UNKNOWN: "a place that cannot be known before it runs",
}
GRAVE = frozenset((ROOT, ABOVE, SYSTEM, DEVICE, HOME, MOUNT, TEMP))

_TEMPS = (("tmp",), ("var", "tmp"), ("dev", "shm"), ("windows", "temp"))
_SYSTEM = names(
    "etc usr bin sbin lib lib32 lib64 libx32 boot var sys proc run root dev opt srv nix snap lost+found kernel"
    " system library applications cores network windows program%files program%files%(x86) programdata recovery"
    " system32 private"
)
_LOOSE = frozenset((("opt",), ("srv",), ("var", "www"), ("usr", "src"), ("run", "user"), ("var", "backups")))
_MOUNTS = names("mnt media volumes cygdrive")
_CACHES = frozenset((("var", "cache"), ("var", "lib", "apt", "lists")))
_HOME_CACHES = names(".cache .npm .yarn .pnpm-store .gradle .m2 .cargo .nuget .bun .rustup .deriveddata")
_HISTORIES = frozenset((".git", ".hg", ".svn", ".jj"))
_SINKS = names("null zero stdin stdout stderr tty fd random urandom full console")
_FAR_HOME = "~"
MAX_LISTS = 64
_shapes_of: dict[tuple[str, ...], tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]] = {}


class Land:
    """The grounds around one project: which is whose. Made once a call."""

    __slots__ = ("cwd", "home", "prefixes", "project", "regenerable", "suffixes")

    def __init__(self, home: str, cwd: str, regenerable: Iterable[str]) -> None:
        self.home = _parts(home)
        self.cwd = _parts(cwd)
        self.regenerable, self.suffixes, self.prefixes = _shapes(tuple(regenerable))
        self.project = False
        self.project = bool(self.cwd) and self.of(cwd) in (OUTSIDE, PERSONAL, SCRATCH, SOURCE)

    def of(self, path: str, where: str = "") -> str:
        """The ground of an absolute path; a glob for all of a directory is that directory."""
        parts = _parts(path)
        if "*" in path or "?" in path:
            while parts and parts != ["**"] and not parts[-1].strip("*?.") and parts[-1] != "**":
                parts.pop()
            if not parts:
                return ROOT
            if parts[0] == "**":
                return self._unknown(parts)
            if "**" in parts:
                parts = parts[: parts.index("**")]
        if not parts:
            return ROOT
        if where:
            return self._far(parts)
        if parts[0] == "dev" and len(parts) > 1 and parts[1] != "shm":
            return SCRATCH if parts[1] in _SINKS else DEVICE
        found = self._near(parts)
        return found or self._elsewhere(parts)

    def made(self, name: str) -> bool:
        """Whether something of this name is made again by tools."""
        low = name.lower()
        return low in self.regenerable or low.endswith(self.suffixes) or low.startswith(self.prefixes)

    def _near(self, parts: list[str]) -> str:
        """The project, what is around it, and the home."""
        cwd, home, size = self.cwd, self.home, len(parts)
        if home and _covers(parts, home):
            return HOME if size == len(home) else ABOVE
        if self.project:
            if size <= len(cwd):
                if _covers(parts, cwd):
                    return PROJECT if size == len(cwd) else ABOVE
            elif parts[: len(cwd)] == cwd:
                rest = parts[len(cwd) :]
                if not _HISTORIES.isdisjoint(rest):
                    return HISTORY
                return MADE if any(map(self.made, rest)) else SOURCE
        if home and size > len(home) and parts[: len(home)] == home:
            return _in_home(parts[len(home) :])
        return ""

    def _elsewhere(self, parts: list[str]) -> str:
        rest = _without_drive(parts)
        if not rest:
            return MOUNT
        first = rest[0]
        if first == "private" and len(rest) > 1:
            rest = rest[1:]
            first = rest[0]
        size = len(rest)
        for temp in _TEMPS:
            if tuple(rest[: len(temp)]) == temp:
                return TEMP if size == len(temp) else SCRATCH
        if first == "var" and size > 3 and rest[1] == "folders":
            return SCRATCH if size > 5 else TEMP
        depth = home_depth(rest, self.home)
        if depth:
            if size > depth and rest[depth:][:3] == ["appdata", "local", "temp"]:
                return SCRATCH if size > depth + 3 else TEMP
            return HOME if size == depth else ABOVE if size < depth else _in_home(rest[depth:])
        if first in _MOUNTS:
            return MOUNT if size < 3 else OUTSIDE
        if WILD.search(first):
            return SYSTEM if any(map(re.compile(component(first)).fullmatch, _SYSTEM)) else OUTSIDE
        if first.replace(" ", "%") not in _SYSTEM:
            return OUTSIDE
        for cache in _CACHES:
            if tuple(rest[: len(cache)]) == cache and size > len(cache) - (cache[-1] == "lists"):
                return CACHE
        return OUTSIDE if any(tuple(rest[: len(one)]) == one and size > len(one) for one in _LOOSE) else SYSTEM

    def _far(self, parts: list[str]) -> str:
        """Another machine: its project and its temporary directories are not known."""
        if parts[0] == _FAR_HOME:
            return HOME if len(parts) == 1 else OUTSIDE
        if parts[0] == "dev" and len(parts) > 1:
            return SCRATCH if parts[1] in _SINKS else DEVICE
        found = self._elsewhere(parts)
        return OUTSIDE if found in (SCRATCH, CACHE, PERSONAL) else found

    def _unknown(self, parts: list[str]) -> str:
        """Behind a variable nobody knows: only the name at its end may tell, unless it would be the system's."""
        known = [part for part in parts if part != "**"]
        if (
            known
            and known[0] not in _SYSTEM
            and known[0] not in ("tmp", "temp", "home", "users")
            and any(map(self.made, known))
        ):
            return MADE
        return UNKNOWN


def _shapes(listed: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """Whole names, endings and beginnings; a policy's list is the same for many calls."""
    known = _shapes_of.get(listed)
    if known is None:
        low = [name.lower() for name in listed]
        known = (
            frozenset(name for name in low if "*" not in name),
            tuple(name[1:] for name in low if name[:1] == "*" and len(name) > 1),
            tuple(name[:-1] for name in low if name[-1:] == "*" and len(name) > 1),
        )
        if len(_shapes_of) < MAX_LISTS:
            _shapes_of[listed] = known
    return known


def _parts(path: str) -> list[str]:
    text = path.lower().strip("/")
    return text.split("/") if text else []


def _covers(parts: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether these components, globs allowed, name a directory on the way to `whole` or `whole` itself."""
    if len(parts) > len(whole):
        return False
    for have, want in zip(parts, whole, strict=False):
        if have != want and not (WILD.search(have) and re.fullmatch(component(have), want)):
            return False
    return True


def _in_home(rest: Sequence[str]) -> str:
    if rest[0] in _HOME_CACHES and (len(rest) > 1 or rest[0] == ".cache"):
        return CACHE if rest[0] == ".cache" or "cache" in rest[1] or rest[1] in ("registry", "repository") else PERSONAL
    return CACHE if list(rest[:2]) == ["library", "caches"] else PERSONAL


def _without_drive(parts: list[str]) -> list[str]:
    first = parts[0]
    if first[-1:] == ":" and len(first) == 2:
        return parts[1:]
    if first in ("mnt", "cygdrive") and len(parts) > 1 and len(parts[1]) == 1 and parts[1].isalpha():
        return parts[2:]
    return parts[1:] if len(first) == 1 and first.isalpha() else parts
