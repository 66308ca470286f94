"""This machine's own entries, asked together with the generation in force.

The entries themselves are kept in the corpus; here is what a decision reads of them, and `replace` is the one way to
write it. `<state>/intel/overlay.facts` is text, one claim a line, in the columns of `compact`, closed by a last line
that tells a whole file from a cut one. `overlay.index` is compiled from it whenever the two do not belong together.
Where there is no such text there is no overlay, and looking for it costs one stat when a World is opened and nothing
after that.
"""

from __future__ import annotations

import os
import time
from contextlib import closing

from bk.engine.errors import BkError, Refusal
from bk.engine.intel.index import Index
from bk.engine.intel.record import Own, Record
from bk.engine.provenance import Unproven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bk.engine.model import Json
    from bk.engine.state import State

GROUP = "local"
LABEL = "overlay"
TIERS = ("watch", "enforce")
TIER, LABELLED = "tier:", "labelled"  # in the text's column of sources
UNTIL = "until:"  # in its column of ids
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
        """Every record of either, but what expired: an entry ends by itself, whether anybody looks after it or not."""
        own = [_own(record) for record in self._overlay.lookup(ecosystem, name)]
        if own:
            now_ms = time.time_ns() // 1_000_000
            own = [record for record in own if record.until_ms > now_ms]
        return [*own, *self._generation.lookup(ecosystem, name)]

    def listed(self, keys: Iterable[bytes]) -> set[bytes]:
        """Which of many keys either has."""
        asked = list(keys)
        return self._overlay.listed(asked) | self._generation.listed(asked)

    def __iter__(self) -> Iterator[Record]:
        yield from map(_own, self._overlay)
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


def in_force(state: State) -> Index:
    """The generation in force together with the overlay: what every look at a package asks."""
    from bk.engine.intel import bundle

    generation = Index.open(bundle.ensure(state))
    try:
        return layered(state, generation)
    except BaseException:
        generation.close()
        raise


def claim(
    ecosystem: str,
    name: str,
    version: str,
    *,
    severity: str,
    tier: str,
    until_ms: int,
    ident: str,
    date: str = "",
    labelled: bool = False,
) -> Own:
    """This machine's own word on one version, or on every version when `version` is "". It is nobody's voice."""
    from bk.engine.intel.merge import canonical

    if tier not in TIERS:
        raise ValueError(f"not a tier: {tier!r}")
    kind, versions = ("exact", (version,)) if version else ("every", ())
    record = Record(ecosystem, name, kind, versions, severity, (GROUP,), Unproven(), ident=ident, date=date,
                    sources=(LABEL,))  # fmt: skip
    return Own(canonical(record), tier, labelled=labelled, until_ms=until_ms)


def entries(state: State) -> list[Own]:
    """What is in the overlay, as it stands in the text."""
    return _read(paths(state)[0])[0]


def replace(state: State, make: Callable[[], Iterable[Own]]) -> bool:
    """Have the overlay say just this; False when it says so already. `make` is called when nobody else can write.

    A text that is damaged is written anew: what it should say is kept elsewhere.
    """
    from bk.engine.intel.generations import Lock

    state.ensure()
    with Lock(state):
        wanted = sorted(make(), key=Own.fields)
        if len(wanted) > ENTRIES_MAX:
            raise BkError("the overlay is full", f"it would have {len(wanted)} entries", "revoke some: bk overlay list")
        if _says(state, wanted):
            if _whole(state):
                return False
            _compiled(state).close()
        else:
            _write(state, wanted)
    return True


def _says(state: State, wanted: Sequence[Own]) -> bool:
    """Whether the text says just this, whatever became of what is compiled from it."""
    if not wanted and not os.path.lexists(paths(state)[0]):
        return True
    try:
        return sorted(entries(state), key=Own.fields) == wanted
    except Refusal:
        return False


def _whole(state: State) -> bool:
    """Whether what is compiled is there, belongs to the text, and is undamaged."""
    facts, compiled = paths(state)
    stamp = _stamp(facts)
    try:
        index = _opened(compiled, stamp) if stamp else None
        if index is None:
            return not stamp
        with closing(index):
            index.verify()
    except Refusal:
        return False
    return True


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
        write(compiled, map(_plain, records), {"facts": stamp})
    except (ValueError, KeyError) as error:
        raise _refusal(f"{facts}: {error}") from error
    except BkError as error:
        raise _refusal(error.detail) from error
    return Index.open(compiled)


def _read(path: str) -> tuple[list[Own], str]:
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
        return [_own(record) for record in parse(text, path)], stamp
    except BkError as error:
        raise _refusal(error.detail) from error


def _own(record: Record) -> Own:
    """A claim with its weight, as the text's columns say it; one that speaks for anybody else is damage."""
    if record.groups != (GROUP,) or record.provenance.real:
        raise _refusal(f"an entry on {record.name} speaks for another group than {GROUP}")
    ident, _, until = record.ident.partition(f" {UNTIL}")
    tiers = [source[len(TIER) :] for source in record.sources if source.startswith(TIER)]
    if len(tiers) != 1 or tiers[0] not in TIERS or not (until.isdigit() and until.isascii() and len(until) < 16):
        raise _refusal(f"an entry on {record.name} says no tier or no end")
    own = Own(record, tiers[0], labelled=LABELLED in record.sources, until_ms=int(until))
    own.ident = ident
    own.sources = tuple(source for source in record.sources if source != LABELLED and not source.startswith(TIER))
    return own


def _plain(own: Own) -> Record:
    """The claim as the text's columns hold it. When it ends is in the column that an index keeps with each claim, its
    tier in the one that claims share."""
    said = {name: getattr(own, name) for name in Record.__slots__}
    labels = (*own.sources, *([LABELLED] if own.labelled else ()), f"{TIER}{own.tier}")
    return Record(**{**said, "ident": f"{own.ident} {UNTIL}{own.until_ms}", "sources": labels})


def _write(state: State, records: Sequence[Own]) -> None:
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
            file.writelines(f"{line}\n" for line in (*lines(map(_plain, records)), END))
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
