"""Which generation of the index is in force, and the one that a release brings along.

`<state>/intel/current` names a generation; it is replaced by rename, so a reader sees the old one or the new one. The
hot path pays for one small read and one stat. A generation that was in force stays beside its successor.
"""

from __future__ import annotations

import os

from bk.engine.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bk.engine.intel.record import Record
    from bk.engine.model import Json
    from bk.engine.state import State

NEXT_STEP = "bk catalogs rebuild"
FACTS = f"{os.path.dirname(os.path.abspath(__file__))}/bundled/facts.tsv"
SOURCES = f"{os.path.dirname(FACTS)}/SOURCES.toml"
BUNDLED = "bundled"
KEPT = 2
_PREFIX, _SUFFIX = "generation-", ".index"


def ensure(state: State) -> str:
    """The path of the generation in force; on first use, and after an upgrade, the bundled facts are compiled."""
    found = _current(state)
    if found is not None and not _outdated(found):
        return found[0]
    state.ensure()
    with _Lock(state):
        found = _current(state)
        if found is not None and not _outdated(found):
            return found[0]
        if found is None and max(_generations(state), default=0) > 1:
            raise _refusal(f"{state.intel}/current is missing although there were generations")
        return _compile(state)


def rebuild(state: State) -> str:
    """Compile the bundled facts into a new generation and put it in force, whatever state the old ones are in."""
    state.ensure()
    with _Lock(state):
        return _compile(state)


def activate(state: State, records: Iterable[Record], meta: Mapping[str, Json], origin: str) -> str:
    """Build a new generation from records and put it in force; the caller decides that it may."""
    state.ensure()
    with _Lock(state):
        return _activate(state, records, meta, origin, "-")


def _compile(state: State) -> str:
    from bk.engine.intel.compact import parse

    with open(FACTS, encoding="utf-8") as file:
        text = file.read()
    return _activate(state, parse(text, FACTS), _bundled_meta(), BUNDLED, _stamp())


def _bundled_meta() -> dict[str, Json]:
    import tomllib

    with open(SOURCES, "rb") as file:
        told = tomllib.load(file)
    return {
        "sources": {
            label: {name: source[name] for name in ("date", "group", "records")}
            for label, source in told["source"].items()
        }
    }


def _activate(state: State, records: Iterable[Record], meta: Mapping[str, Json], origin: str, stamp: str) -> str:
    import time

    from bk.engine.intel.index import build

    for name in os.listdir(state.intel):
        if name.endswith(".new"):  # left by a build that was killed
            os.unlink(f"{state.intel}/{name}")
    number = max(_generations(state), default=0) + 1
    name = f"{_PREFIX}{number:06}{_SUFFIX}"
    path = f"{state.intel}/{name}"
    built = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    build(path, records, {"built": built, "origin": origin, **meta})
    _point(state, f"{name}\n{origin}\n{stamp}\n")
    for old in sorted(_generations(state))[:-KEPT]:
        os.unlink(f"{state.intel}/{_PREFIX}{old:06}{_SUFFIX}")
    return path


def _current(state: State) -> tuple[str, str, str] | None:
    """(path, origin, stamp) of the generation in force; None before the first; a Refusal when it cannot be told."""
    pointer = f"{state.intel}/current"
    try:
        fd = os.open(pointer, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            text = os.read(fd, 512)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(f"{pointer}: {error.strerror}") from error
    lines = text.decode(errors="replace").split("\n")
    if len(lines) != 4 or lines[3] or _number(lines[0]) is None:
        raise _refusal(f"{pointer} does not name a generation")
    path = f"{state.intel}/{lines[0]}"
    if not os.path.exists(path):
        raise _refusal(f"{path} is missing")
    return path, lines[1], lines[2]


def _outdated(found: tuple[str, str, str]) -> bool:
    """Whether this is an older release's bundle."""
    return found[1] == BUNDLED and found[2] != _stamp()


def _stamp() -> str:
    try:
        info = os.stat(FACTS)
    except OSError as error:
        raise Refusal("index", f"bk's own threat facts are missing: {FACTS}", "reinstall bk") from error
    return f"{info.st_size}.{info.st_mtime_ns}"


def _number(name: str) -> int | None:
    digits = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    whole = f"{_PREFIX}{digits}{_SUFFIX}" == name and digits.isascii() and digits.isdigit() and len(digits) == 6
    return int(digits) if whole else None


def _generations(state: State) -> list[int]:
    return [number for number in map(_number, os.listdir(state.intel)) if number is not None]


def _point(state: State, text: str) -> None:
    aside = f"{state.intel}/current.new"
    with open(aside, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(aside, f"{state.intel}/current")
    fd = os.open(state.intel, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refusal(why: str) -> Refusal:
    return Refusal("index", f"the threat index cannot be used: {why}", NEXT_STEP)


class _Lock:
    """One builder at a time among all processes; released by the kernel if its holder dies."""

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
            raise _refusal(f"{self._path}: {error.strerror}") from error

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
