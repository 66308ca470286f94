"""Writes a generation of the index. Never on the hot path; the format is told in `index`.

Records go to a spill file as they come, one entry a name, and are read back bucket by bucket: what is kept in memory is
a few dozen bytes a name, whatever is said of it. The file is built aside, synced, verified, and only then placed.
"""

from __future__ import annotations

import fcntl
import os
import struct
from operator import itemgetter

from blake3 import blake3

from bk.engine.canonical import canonical
from bk.engine.errors import BkError
from bk.engine.intel.encode import Encoder
from bk.engine.intel.index import (
    BUCKET_MAX,
    ENTRY,
    FIELD,
    HEADER,
    MAGIC,
    NAME,
    PAGE,
    PAGE_ENTRIES,
    RECORD,
    SHORT,
    VERSION,
    Index,
    bucket_of,
    short,
    unkeyed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from bk.engine.intel.record import Record
    from bk.engine.model import Json

NAMES_A_BUCKET = 16
BUFFER = 1 << 20
TRIES = 8
_FRAME = struct.Struct(">II")  # length of a key, length of what is filed under it
_NAME, _FIELD, _RECORD = NAME.encode(), FIELD.encode(), RECORD.encode()


def write(
    path: str,
    records: Iterable[Record],
    meta: Mapping[str, Json],
    place: Callable[[str], object] | None = None,
) -> dict[str, Json]:
    """Build the file aside, sync it, verify it, and only then have it placed: under `path`, or as `place` decides.

    Returns the meta that it carries.
    """
    folder = os.path.dirname(path) or "."
    aside = ""
    try:
        clean(path)
        aside, file = _aside(path)
        with file:
            told = _built(file, path, records, meta)
            _verified(aside)
            if place is None:
                os.rename(aside, path)
                sync_directory(folder)
            else:
                place(aside)
    except OSError as error:
        raise BkError(
            "the threat index could not be written",
            f"{error.filename or path}: {error.strerror}",
            "free the disk or make it writable, then `bk catalogs rebuild`",
        ) from error
    finally:
        if aside and os.path.lexists(aside):
            os.unlink(aside)
    return told


def clean(path: str) -> None:
    """Remove what killed builds of `path` left; a build that is still running holds a lock on its file."""
    folder, name = os.path.split(path)
    folder = folder or "."
    for left in os.listdir(folder):
        if not left.startswith(f"{name}.") or not left.endswith(".new"):
            continue
        try:
            fd = os.open(f"{folder}/{left}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            continue
        except OSError:  # a link, or what nobody can build into
            os.unlink(f"{folder}/{left}")
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_nlink:
                os.unlink(f"{folder}/{left}")
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(fd)


def sync_directory(path: str) -> None:
    """Have the names in a directory on disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _aside(path: str) -> tuple[str, BinaryIO]:
    """A new file beside `path`, locked for as long as it is open so that no other build takes it for a leftover."""
    for again in range(TRIES):
        aside = f"{path}.{os.getpid()}.{again}.new"
        try:
            fd = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:  # else it was cleaned away before it was locked
            return aside, open(fd, "r+b", buffering=BUFFER)
        os.close(fd)
    raise FileExistsError(17, f"{aside} cannot be made")


def _verified(path: str) -> None:
    made = Index.open(path)
    try:
        made.verify()
    finally:
        made.close()


def _built(file: BinaryIO, path: str, records: Iterable[Record], meta: Mapping[str, Json]) -> dict[str, Json]:
    aside, spilled = _aside(path)
    with spilled:
        os.unlink(aside)
        spill = _Spill(spilled)
        encoder = Encoder()
        for record in records:
            spill.add(*encoder.encoded(record))
        spill.end()
        return _laid_out(file, spill, list(encoder.profiles), meta)


class _Spill:
    """Names with what is filed under them, in the order in which they came; a name may come again."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._key = b""
        self._texts: dict[bytes, None] = {}
        self._mixed = blake3(VERSION.to_bytes(4, "big"))
        self.names = 0
        self.records = 0
        self.packages: dict[str, int] = {}

    def add(self, key: bytes, text: bytes) -> None:
        if key != self._key:
            self.end()
            self._key = key
        self._texts[text] = None

    def end(self) -> None:
        """File what was said of the last name."""
        if not self._texts:
            return
        data = _RECORD.join(self._texts)
        self._file.write(_FRAME.pack(len(self._key), len(data)))
        self._file.write(self._key)
        self._file.write(data)
        self._mixed.update(self._key + b"\0")
        self.names += 1
        self.records += len(self._texts)
        ecosystem = unkeyed(self._key)[0]
        self.packages[ecosystem] = self.packages.get(ecosystem, 0) + 1
        self._texts.clear()

    def sorted_by_bucket(self, salt: bytes, buckets: int) -> list[int]:
        """One number a frame: bucket, offset and length, so that sorting them sorts the frames."""
        self._file.flush()
        size, at = self._file.tell(), 0
        self._file.seek(0)
        found = []
        while at < size:
            head, length = _FRAME.unpack(self._file.read(_FRAME.size))
            bucket = bucket_of(self._file.read(head), salt, buckets)
            self._file.seek(length, os.SEEK_CUR)
            length += _FRAME.size + head
            found.append(bucket << 80 | at << 36 | length)
            at += length
        found.sort()
        return found

    def bodies(self, frames: list[int]) -> Iterator[tuple[int, bytes]]:
        """Each bucket that has names, and its text; counts what is left when a name that came again is made one."""
        self.names = self.records = 0
        self.packages = dict.fromkeys(self.packages, 0)
        fd, at, last = self._file.fileno(), 0, len(frames)
        while at < last:
            bucket = frames[at] >> 80
            names: dict[bytes, dict[bytes, None]] = {}
            while at < last and frames[at] >> 80 == bucket:
                where, length = frames[at] >> 36 & 0xFFF_FFFF_FFFF, frames[at] & 0xF_FFFF_FFFF
                data = os.pread(fd, length, where)
                head = _FRAME.unpack_from(data)[0] + _FRAME.size
                texts = names.setdefault(data[_FRAME.size : head], {})
                texts.update(dict.fromkeys(data[head:].split(_RECORD)))
                at += 1
            yield bucket, b"".join(self._entry(key, texts) for key, texts in sorted(names.items(), key=itemgetter(0)))

    def _entry(self, key: bytes, texts: dict[bytes, None]) -> bytes:
        self.names += 1
        self.records += len(texts)
        self.packages[unkeyed(key)[0]] += 1
        return _NAME + key + _FIELD + _RECORD.join(sorted(texts))

    def salt(self) -> bytes:
        """Mixed from all names, so that the same facts make the same file and nobody can choose names for a bucket."""
        return self._mixed.digest(16)


def _laid_out(file: BinaryIO, spill: _Spill, profiles: list[str], meta: Mapping[str, Json]) -> dict[str, Json]:
    """Write buckets first, behind the room that directory and header need; the counts are known only then."""
    salt, buckets = spill.salt(), max(1, -(-spill.names // NAMES_A_BUCKET))
    room = len(_meta(spill, meta))
    shared = RECORD.join(profiles).encode()
    pages = -(-buckets // PAGE_ENTRIES)
    length = HEADER.size + room + len(shared) + pages * SHORT
    offset = length + pages * PAGE
    directory = bytearray(pages * PAGE)
    file.seek(offset)
    filled = 0
    for bucket, body in spill.bodies(spill.sorted_by_bucket(salt, buckets)):
        if len(body) > BUCKET_MAX:
            raise ValueError(f"too much is said of too few names: {len(body)} bytes in one bucket")
        for empty in range(filled, bucket):
            ENTRY.pack_into(directory, empty * ENTRY.size, offset, 0, short(b""))
        ENTRY.pack_into(directory, bucket * ENTRY.size, offset, len(body), short(body))
        filled = bucket + 1
        offset += len(body)
        file.write(body)
    for empty in range(filled, buckets):
        ENTRY.pack_into(directory, empty * ENTRY.size, offset, 0, short(b""))
    told = _meta(spill, meta)
    digests = b"".join(short(bytes(directory[at : at + PAGE])) for at in range(0, len(directory), PAGE))
    rest = told + b" " * (room - len(told)) + shared + digests
    head = HEADER.pack(MAGIC, VERSION, length, offset, buckets, room, len(shared), salt, bytes(32))[:-32]
    file.seek(0)
    file.write(head + blake3(head + rest).digest() + rest)
    file.write(directory)
    file.flush()
    os.fsync(file.fileno())
    return {**meta, "records": spill.records, "packages": spill.packages}


def _meta(spill: _Spill, meta: Mapping[str, Json]) -> bytes:
    """The meta with the counts as they are now: before names are made one they are larger, so its room suffices."""
    return canonical({**meta, "records": spill.records, "packages": spill.packages})
