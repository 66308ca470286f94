"""This machine's own entries, asked together with the generation in force: what a person or bk itself adds here.

`<state>/intel/overlay.facts` is text, one claim a line, in the columns of `compact`, closed by a last line that tells a
whole file from a cut one. `overlay.index` is compiled from it whenever the two do not belong together. Where there is
no such text there is no overlay, and looking for it costs one stat when a World is opened and nothing after that.
"""

from __future__ import annotations

import os

from bk.engine.errors import BkError, Refusal
from bk.engine.intel.index import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.intel.record import Record
    from bk.engine.model import Json
    from bk.engine.state import State

GROUP = "local"
LABEL = "overlay"
ENTRIES_MAX = 10_000
SIZE_MAX = 1 << 24
END = "# end"


class Layered(Index):
    """A generation and this machine's own entries, asked as one."""

    __slots__ = ("_generation", "_overlay")

    def __init__(self, generation: Index, overlay: Index) -> None:
        self.path = generation.path
        self._fd = -1  # it reads through the two, it opens nothing
        self._generation = generation
        self._overlay = overlay

    @property
    def meta(self) -> dict[str, Json]:
        """The generation's: the overlay is no source."""
        return self._generation.meta

    def lookup(self, ecosystem: str, name: str) -> list[Record]:
        """Every record of either."""
        return self._overlay.lookup(ecosystem, name) + self._generation.lookup(ecosystem, name)

    def listed(self, keys: Iterable[bytes]) -> set[bytes]:
        """Which of many keys either has."""
        asked = list(keys)
        return self._overlay.listed(asked) | self._generation.listed(asked)

    def __iter__(self) -> Iterator[Record]:
        yield from self._overlay
        yield from self._generation

    def names(self) -> Iterator[tuple[str, str]]:
        """Every listed package of either; one that both have comes twice."""
        yield from self._overlay.names()
        yield from self._generation.names()

    def verify(self) -> None:
        """Read both to the end."""
        self._overlay.verify()
        self._generation.verify()

    def close(self) -> None:
        """Close both."""
        self._overlay.close()
        self._generation.close()


def paths(state: State) -> tuple[str, str]:
    """The text and what is compiled from it."""
    return f"{state.intel}/overlay.facts", f"{state.intel}/overlay.index"


def layered(state: State, generation: Index) -> Index:
    """The generation together with the overlay; the generation itself when there is none. A damaged one refuses."""
    facts, compiled = paths(state)
    stamp = _stamp(facts)
    if not stamp:
        return generation
    overlay = _opened(compiled, stamp)
    if overlay is None:
        from bk.engine.intel.generations import Lock

        with Lock(state):
            overlay = _opened(compiled, _stamp(facts)) or _compiled(state)
    return Layered(generation, overlay)


def entries(state: State) -> list[Record]:
    """What is in the overlay, as it stands in the text."""
    return _read(paths(state)[0])[0]


def add(state: State, record: Record) -> bool:
    """Add a claim as this machine's own word, whatever groups it came with; False when it is there already."""
    from bk.engine.intel.generations import Lock
    from bk.engine.intel.merge import canonical
    from bk.engine.intel.record import Record as Made

    said = {name: getattr(record, name) for name in Made.__slots__}
    ours = canonical(Made(**{**said, "groups": (GROUP,), "sources": record.sources or (LABEL,)}))
    state.ensure()
    with Lock(state):
        there = entries(state)
        if ours in there:
            return False
        if len(there) >= ENTRIES_MAX:
            raise BkError("the overlay is full", f"it has {len(there)} entries", "remove some, or use a list as source")
        _write(state, [*there, ours])
    return True


def remove(state: State, ecosystem: str, name: str, ident: str = "") -> int:
    """Take out what the overlay says of a package, or only what it says under an id; how many claims that were."""
    from bk.engine.intel.generations import Lock
    from bk.engine.intel.names import canonical_name

    name = canonical_name(ecosystem, name)
    state.ensure()
    with Lock(state):
        there = entries(state)
        left = [
            record
            for record in there
            if (record.ecosystem, record.name) != (ecosystem, name) or (ident and ident not in record.ident.split())
        ]
        if len(left) < len(there):
            _write(state, left)
    return len(there) - len(left)


def rebuild(state: State) -> None:
    """Compile the text anew, whatever the compiled file looks like; nothing when there is no overlay."""
    from bk.engine.intel.generations import Lock

    if _stamp(paths(state)[0]):
        with Lock(state):
            _compiled(state).close()


def _opened(path: str, stamp: str) -> Index | None:
    """The compiled overlay; None when it is not there or belongs to another text."""
    try:
        if not os.path.lexists(path):
            return None
        index = Index.open(path)
    except Refusal as refusal:
        raise _refusal(refusal.detail) from refusal
    if index.meta.get("facts") == stamp:
        return index
    index.close()
    return None


def _compiled(state: State) -> Index:
    from bk.engine.intel.writer import write

    facts, compiled = paths(state)
    records, stamp = _read(facts)
    try:
        write(compiled, records, {"facts": stamp})
    except (ValueError, KeyError) as error:
        raise _refusal(f"{facts}: {error}") from error
    except BkError as error:
        raise _refusal(error.detail) from error
    return Index.open(compiled)


def _read(path: str) -> tuple[list[Record], str]:
    """The records of the text and its stamp; nothing of both when there is none."""
    from bk.engine.intel.compact import parse

    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        raise _refusal(f"{path}: {error.strerror}") from error
    with open(fd, "rb") as file:
        try:
            stamp, data = _stamped(os.fstat(fd)), file.read(SIZE_MAX + 1)
            text = data.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise _refusal(f"{path}: {error}") from error
    if len(data) > SIZE_MAX or not text.endswith(f"{END}\n"):
        raise _refusal(f"{path} is too large" if len(data) > SIZE_MAX else f"{path} is truncated")
    try:
        records = list(parse(text, path))
    except BkError as error:
        raise _refusal(error.detail) from error
    if any(record.groups != (GROUP,) for record in records):
        raise _refusal(f"{path}: an entry speaks for another group than {GROUP}")
    return records, stamp


def _write(state: State, records: Sequence[Record]) -> None:
    """Replace the text and compile it; killed in between, the next reader compiles."""
    from bk.engine.intel.compact import lines
    from bk.engine.intel.writer import sync_directory

    facts = paths(state)[0]
    aside = f"{facts}.new"
    try:
        if os.path.lexists(aside):
            os.unlink(aside)
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in (*lines(records), END))
            file.flush()
            os.fsync(fd)
        os.rename(aside, facts)
        sync_directory(state.intel)
    except OSError as error:
        raise BkError(
            "the overlay could not be written", f"{facts}: {error.strerror}", "free the disk or make it writable"
        ) from error
    _compiled(state).close()


def _stamp(path: str) -> str:
    """What tells one text from another, "" when there is none."""
    try:
        return _stamped(os.lstat(path))
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _refusal(f"{path}: {error.strerror}") from error


def _stamped(info: os.stat_result) -> str:
    return f"{info.st_ino}.{info.st_size}.{info.st_mtime_ns}"


def _refusal(why: str) -> Refusal:
    return Refusal("index", f"this machine's own threat entries cannot be used: {why}", "bk catalogs rebuild")
