"""What was understood of an archive, kept as plain lines: an unchanged archive of 200 MB is not read a second time.

    I  id  stamp                                        what follows is of this record
    R  ecosystem  name  kind  severity  date  versions  a claim
    W  ecosystem  name  ids  every  versions            a withdrawal
    N  text                                             what was repaired or left out of it
    O  text                                             what was no record at all

Columns are separated by tabs, lists by spaces. The first line says for what the file was made, the last one how many
records there are and the digest of all before it: anything else than the whole file is as good as none.
"""

from __future__ import annotations

import hashlib
import os

from bk.engine.intel.record import KINDS, SEVERITIES, Record
from bk.engine.intel.sources import Batch, Withdrawn
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.files import disk
from bk.engine.provenance import Unproven
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Set
    from types import TracebackType

FORMAT = "bk-kept/1"
LINE_MAX = 8 * 1024 * 1024
ODD_MAX = 25
ODD_SHARE = 100  # one in so many records may be no record; more, and the archive is not what it should be


class Keeper:
    """A file of kept lines in the making; it replaces the one before when all of it is written."""

    def __init__(self, path: str, origin: str) -> None:
        self.path = path
        self.count = 0
        self._odd: list[str] = []
        self._scratch = Batch("", "", Unproven(), "")
        self._digest = hashlib.blake2b(digest_size=16)
        self._aside = f"{os.path.dirname(path)}/.{os.path.basename(path)}.new"
        with disk(self._aside):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            self._file = open(self._aside, "wb", opener=_private)  # noqa: SIM115 - closed in __exit__
        self._line(f"{FORMAT}\t{_flat(origin)}")

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with disk(self.path):
            try:
                if kind is None:
                    self._settle()
            finally:
                self._file.close()
                if os.path.lexists(self._aside):
                    os.unlink(self._aside)

    def _settle(self) -> None:
        too_odd(self._odd, self.count)
        for told in self._odd[:ODD_MAX]:
            self._line(f"O\tleft out, not a record: {_flat(told)}")
        self._file.write(f"E\t{self.count}\t{self._digest.hexdigest()}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._aside, self.path)

    def take(self, where: str, read: Callable[[Batch], tuple[str, str] | None]) -> bool:
        """Keep what `read` adds to a batch, under the id and stamp that it returns; whether it was a record."""
        scratch = self._scratch
        scratch.records, scratch.withdrawn, scratch.notes = [], [], []
        named: list[tuple[str, str]] = []

        def reading(batch: Batch) -> None:
            if (told := read(batch)) is not None:
                named.append(told)

        if not tolerated(where, reading, scratch, self._odd):
            return False
        for ident, stamp in named:
            self._record(ident, stamp)
        return True

    def _record(self, ident: str, stamp: str) -> None:
        self.count += 1
        self._line(f"I\t{_flat(ident)}\t{_flat(stamp)}")
        for one in self._scratch.records:
            versions = " ".join(one.versions)
            self._line("\t".join(("R", one.ecosystem, one.name, one.kind, one.severity, one.date, versions)))
        for gone in self._scratch.withdrawn:
            idents, versions = " ".join(sorted(gone.idents)), " ".join(gone.versions)
            self._line("\t".join(("W", gone.ecosystem, gone.name, idents, str(int(gone.every)), versions)))
        for note in self._scratch.notes:
            self._line(f"N\t{_flat(note)}")

    def copy(self, path: str, without: Set[str]) -> None:
        """Take over the records of another file, but those of some ids."""
        skipping = False
        for line in _lines(path):
            if line.startswith("I\t"):
                skipping = line[2:].partition("\t")[0] in without
                if not skipping:
                    self.count += 1
                    self._line(line)
            elif not skipping and not line.startswith("O\t"):
                self._line(line)

    def _line(self, line: str) -> None:
        data = f"{line}\n".encode()
        self._digest.update(data)
        self._file.write(data)


def tolerated(where: str, read: Callable[[Batch], object], batch: Batch, odd: list[str]) -> bool:
    """Let `read` add a record; one that is none is told in `odd` and adds nothing, so that the rest can be used."""
    before = len(batch.records), len(batch.withdrawn), len(batch.notes)
    try:
        read(batch)
    except ValueError as error:
        del batch.records[before[0] :], batch.withdrawn[before[1] :], batch.notes[before[2] :]
        odd.append(inert(f"{where}: {error}", 200))
        return False
    return True


def too_odd(odd: list[str], count: int) -> None:
    """Refuse an archive in which not a few but many records are none: then it is not what it should be."""
    if (len(odd) > ODD_MAX and len(odd) * ODD_SHARE > count) or (odd and not count):
        raise FeedError("malformed", f"{len(odd)} of its records are none, such as {odd[0]}")


def read(path: str, batch: Batch) -> int:
    """Add what is kept in a file; how many records that is. A FeedError names a file that is not whole."""
    name = os.path.basename(path)
    group, label = (batch.group,), (batch.label,)
    ident, count = "", 0
    try:
        for line in _lines(path):
            what, *rest = line.split("\t")
            if what == "R":
                ecosystem, package, kind, severity, date, versions = rest
                if kind not in KINDS or severity not in SEVERITIES:
                    raise ValueError(f"{kind} {severity}")
                batch.records.append(
                    Record(
                        ecosystem,
                        package,
                        kind,
                        versions.split(" ") if versions else (),
                        severity,
                        group,
                        batch.provenance,
                        ident=ident,
                        date=date or batch.date,
                        sources=label,
                    )
                )
            elif what == "I":
                ident, _ = rest
                count += 1
            elif what == "W":
                ecosystem, package, idents, every, versions = rest
                batch.withdrawn.append(
                    Withdrawn(
                        ecosystem,
                        package,
                        idents.split(" "),
                        versions.split(" ") if versions else (),
                        every=every == "1",
                        group=batch.group,
                        issues=batch.issues,
                    )
                )
            else:
                batch.note(rest[0])
    except (ValueError, IndexError) as error:
        raise FeedError("malformed", f"{name}: a line that is none of ours: {error}") from error
    return count


def made_for(path: str) -> str:
    """What a file was made for, as far as its first line tells; "" when it is none of ours."""
    with disk(path), open(path, "rb") as file:
        head, _, told = file.readline(LINE_MAX).decode("utf-8", "replace").rstrip("\n").partition("\t")
    return told if head == FORMAT else ""


def stamps(path: str, origin: str) -> dict[str, str] | None:
    """The stamp of each record in a file; None when it is not whole or was made for something else."""
    found: dict[str, str] = {}
    try:
        with open(path, "rb") as file:
            if file.readline(LINE_MAX) != f"{FORMAT}\t{_flat(origin)}\n".encode():
                return None
        for line in _lines(path):
            if line.startswith("I\t"):
                ident, stamp = line[2:].split("\t")
                found[ident] = stamp
    except (OSError, ValueError, FeedError):
        return None
    return found


def _lines(path: str) -> Iterator[str]:
    """The lines between the first and the last, once the digest in the last has been found to be right."""
    name = os.path.basename(path)
    with disk(path), open(path, "rb") as file:
        digest, count, end = hashlib.blake2b(digest_size=16), 0, b""
        for data in _bounded(file, name):
            if data.startswith(b"E\t"):
                end = data
                break
            digest.update(data)
            count += data.startswith(b"I\t")
        if end != f"E\t{count}\t{digest.hexdigest()}\n".encode() or file.read(1):
            raise FeedError("malformed", f"{name}: it is not whole")
        file.seek(0)
        file.readline(LINE_MAX)
        for data in _bounded(file, name):
            if data.startswith(b"E\t"):
                return
            yield data[:-1].decode()


def _bounded(file: Iterable[bytes], name: str) -> Iterator[bytes]:
    for data in file:
        if len(data) > LINE_MAX:
            raise FeedError("malformed", f"{name}: a line of {len(data)} bytes")
        yield data


def _flat(text: str) -> str:
    """Outside text as one column."""
    return inert(text.encode(errors="replace").decode()[:1000])


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
