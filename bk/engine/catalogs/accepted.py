"""The claims of one source as they were accepted: a text file that is replaced whole, and is itself the record of it.

    ecosystem  name  kind  severity  groups  provenance  ids  date  sources  versions

One claim a line, sorted, in the columns of `bk.engine.intel.compact`. A kind `exact@MILLISECONDS` is a claim that the
source dropped then and that is still in force; a kind `withdrawn` is a withdrawal. The last line is the head: what the
file was made from, the serial, the growth of the last day, and a digest of everything before it.
"""

from __future__ import annotations

import json
import os

from blake3 import blake3

from bk.engine.errors import BkError
from bk.engine.intel.record import KINDS, SEVERITIES, Record
from bk.engine.intel.sources import Withdrawn
from bk.engine.provenance import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TypeAlias

    from bk.engine.model import Json

    Key: TypeAlias = tuple[str, str]

NAME = "accepted.facts"
HELD = "held.facts"
CANDIDATE = "candidate.facts"
COLUMNS = 10
TAIL_MAX = 1 << 20
WITHDRAWN = "withdrawn"
EVERY = "*"
_HEAD = "# accepted "


class Line:
    """One line: a claim, a claim that was dropped at `since_ms`, or a withdrawal."""

    __slots__ = ("grave", "record", "since_ms")

    def __init__(self, record: Record | None, grave: Withdrawn | None = None, since_ms: int = 0) -> None:
        self.record = record
        self.grave = grave
        self.since_ms = since_ms

    @property
    def key(self) -> Key:
        """Which package it speaks of."""
        told = self.record or self.grave
        assert told is not None
        return told.ecosystem, told.name


class Head:
    """What an accepted file says of itself. `units` are what one may count: a version, an interval, or a wildcard."""

    __slots__ = (
        "at_ms", "date", "digest", "dropped_ms", "ecosystems", "fingerprint", "group", "growth", "issues", "note",
        "provenance", "records", "serial", "units",
    )  # fmt: skip

    def __init__(self, **said: Json) -> None:
        self.group = str(said.get("group", ""))
        self.issues = tuple(map(str, said.get("issues", ())))
        self.provenance = str(said.get("provenance", "none"))
        self.fingerprint = str(said.get("fingerprint", ""))
        self.serial = int(said.get("serial", 0))
        self.at_ms = int(said.get("at_ms", 0))
        self.date = str(said.get("date", ""))
        self.note = str(said.get("note", ""))
        self.records = int(said.get("records", 0))
        self.dropped_ms = int(said.get("dropped_ms", 0))
        self.units: dict[str, int] = dict(said.get("units", {}))
        self.ecosystems: dict[str, int] = dict(said.get("ecosystems", {}))
        self.growth: list[dict[str, Json]] = list(said.get("growth", ()))
        self.digest = str(said.get("digest", ""))

    def told(self) -> dict[str, Json]:
        """For the last line."""
        return {name: getattr(self, name) for name in self.__slots__}


def text_of(line: Line) -> str:
    """The line's text; ValueError for what could not be read back."""
    if line.grave is not None:
        grave = line.grave
        listed = [EVERY, *grave.versions] if grave.every else list(grave.versions)
        proof = "pinned_origin" if grave.proven else "none"
        columns = (grave.ecosystem, grave.name, WITHDRAWN, " ".join(grave.issues), grave.group, proof,
                   " ".join(sorted(grave.idents)), "", "", " ".join(listed))  # fmt: skip
    else:
        record = line.record
        assert record is not None
        kind = f"{record.kind}@{line.since_ms}" if line.since_ms else record.kind
        columns = (record.ecosystem, record.name, kind, record.severity, " ".join(record.groups),
                   record.provenance.word, record.ident, record.date, " ".join(record.sources),
                   " ".join(record.versions))  # fmt: skip
    text = "\t".join(columns)
    if text.count("\t") != COLUMNS - 1 or any(char < " " and char != "\t" for char in text) or "\x7f" in text:
        raise ValueError(f"control characters in what is said of {columns[1]!r}")
    return text


def parsed(text: str) -> Line:
    """A line's meaning; ValueError when it has none."""
    ecosystem, name, kind, severity, groups, provenance, ident, date, sources, versions = text.split("\t")
    listed = versions.split(" ") if versions else []
    if kind == WITHDRAWN:
        every = EVERY in listed[:1]
        return Line(
            None,
            Withdrawn(
                ecosystem,
                name,
                ident.split(),
                listed[1:] if every else listed,
                every=every,
                group=groups,
                issues=severity.split(),
                proven=stored(provenance).real,
            ),
        )
    kind, _, since = kind.partition("@")
    if kind not in KINDS or severity not in SEVERITIES or not name or not groups:
        raise ValueError("a column holds no known word")
    record = Record(
        ecosystem,
        name,
        kind,
        listed,
        severity,
        groups.split(" "),
        stored(provenance),
        ident=ident,
        date=date,
        sources=sources.split(" ") if sources else (),
    )
    return Line(record, None, int(since or 0))


def write(path: str, texts: Iterable[str], head: Head) -> Head:
    """Write a whole file aside, synced, under its name at the end; the texts are sorted. The head gets its digest."""
    aside = f"{path}.new"
    digest = blake3()
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb", buffering=1 << 20) as file:
        for text in texts:
            data = text.encode(errors="surrogatepass") + b"\n"
            digest.update(data)
            file.write(data)
        head.digest = digest.hexdigest()
        file.write(_HEAD.encode() + json.dumps(head.told(), sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(fd)
    replace(aside, path)
    return head


def replace(source: str, target: str) -> None:
    """Give a file its name, for good."""
    os.replace(source, target)
    fd = os.open(os.path.dirname(target), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def head(path: str) -> Head | None:
    """What the file says of itself; None when there is no file. A file without its last line is an error."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            size = file.tell()
            file.seek(max(0, size - TAIL_MAX))
            tail = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _damaged(path, error.strerror or "it cannot be read") from error
    last = tail.rstrip(b"\n").rpartition(b"\n")[2]
    if not tail.endswith(b"\n") or not last.startswith(_HEAD.encode()):
        raise _damaged(path, "its last line is missing")
    try:
        said: Mapping[str, Json] = json.loads(last[len(_HEAD) :])
        return Head(**said)
    except (ValueError, TypeError) as error:
        raise _damaged(path, f"its last line cannot be read ({error})") from error


def lines(path: str) -> Iterator[Line]:
    """Every line, in order; a file that is not what its head says is an error, at its end at the latest."""
    told = head(path)
    if told is None:
        return
    digest = blake3()
    with open(path, "rb", buffering=1 << 20) as file:
        for number, data in enumerate(file, 1):
            if data.startswith(b"#"):
                break
            digest.update(data)
            try:
                yield parsed(data[:-1].decode(errors="surrogatepass"))
            except ValueError as error:
                raise _damaged(path, f"line {number}: {error}") from error
    if digest.hexdigest() != told.digest:
        raise _damaged(path, "it was altered")


def grouped(path: str) -> Iterator[tuple[Key, list[Line]]]:
    """The lines package by package."""
    here: Key | None = None
    found: list[Line] = []
    for line in lines(path):
        if line.key != here and here is not None:
            yield here, found
            found = []
        here = line.key
        found.append(line)
    if here is not None:
        yield here, found


def _damaged(path: str, why: str) -> BkError:
    return BkError("accepted threat facts cannot be used", f"{path}: {why}", "bk catalogs rebuild")
