"""The members of a zip archive one by one, in memory that does not grow with the archive.

An archive of malware reports is written by others and has hundreds of thousands of members; the library's reader holds
an object for each before it hands out the first. Nothing is written to disk, so names lead nowhere. What a plain
archive would not have (encryption, links, overlaps, a second opinion on a name or size) is an error.
"""

from __future__ import annotations

import os
import struct
import zlib

from bk.engine.intel.sources.source import FeedError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

MEMBER_MAX = 4 * 1024 * 1024
MEMBERS_MAX = 2_000_000
TOTAL_MAX = 8 * 1024 * 1024 * 1024
RATIO_MAX = 250
SMALL = 1024 * 1024
STORED, DEFLATED = 0, 8
ENCRYPTED = 0x2041  # encrypted, strongly, or with masked headers
UTF8 = 0x800
LINK = 0xA000
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


def members(path: str, wanted: Callable[[str], bool], *, member_max: int = MEMBER_MAX) -> Iterator[tuple[str, bytes]]:
    """Name and content of each member whose name is wanted; raises FeedError("malformed") and names the archive."""
    archive = os.path.basename(path)
    try:
        with open(path, "rb") as directory, open(path, "rb") as content:
            size = os.fstat(content.fileno()).st_size
            count, start, end = _directory(directory, size)
            directory.seek(start)
            packed_total = total = 0
            for _ in range(count):
                member = _Member(directory)
                packed_total += member.packed + _LOCAL.size
                total += member.size
                if packed_total > size or total > TOTAL_MAX:
                    raise ValueError("its members claim more than the archive can hold")
                if member.name.endswith("/") or not wanted(member.name):
                    continue
                yield member.name, member.content(content, start, member_max)
            if directory.tell() != end:
                raise ValueError("its directory is longer than its members")
    except (ValueError, struct.error, zlib.error) as error:
        raise FeedError("malformed", f"{archive}: {error}") from error
    except OSError as error:
        raise FeedError("disk", f"{archive}: {error.strerror or error}") from error


def _directory(file: BufferedReader, size: int) -> tuple[int, int, int]:
    """How many members there are, and where their directory begins and ends."""
    tail = min(size, _END.size + _FULL16)
    file.seek(size - tail)
    data = file.read(tail)
    at = data.rfind(b"PK\5\6")
    if at < 0 or len(data) - at < _END.size:
        raise ValueError("it is no zip archive, or it is cut off")
    _, disk, first, here, count, length, start, comment = _END.unpack_from(data, at)
    place = size - tail + at
    if len(data) - at != _END.size + comment:
        raise ValueError("something follows its end")
    if _FULL16 in (here, count) or _FULL32 in (length, start):
        file.seek(max(0, place - _LOCATOR.size))
        magic, _, there, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
        if magic == b"PK\6\7":
            file.seek(there)
            magic, _, _, _, disk, first, here, count, length, start = _END64.unpack(file.read(_END64.size))
            if magic != b"PK\6\6":
                raise ValueError("its long directory is not where it says")
            place = there
    if disk or first or here != count:
        raise ValueError("it is one part of several")
    if count > MEMBERS_MAX:
        raise ValueError(f"it has {count} members; {MEMBERS_MAX} is the most")
    if start + length != place:
        raise ValueError("its directory is not where it says")
    return count, start, place


class _Member:
    """What the directory says of one member."""

    __slots__ = ("_crc", "_flags", "_method", "_offset", "name", "packed", "raw", "size")

    def __init__(self, directory: BufferedReader) -> None:
        head = _CENTRAL.unpack(directory.read(_CENTRAL.size))
        if head[0] != b"PK\1\2":
            raise ValueError("its directory is damaged")
        _, _, _, self._flags, self._method, _, _, self._crc, packed, size, *lengths, _, outer, offset = head
        self.raw = directory.read(lengths[0])
        extra = directory.read(lengths[1])
        directory.read(lengths[2])
        self.name = self.raw.decode("utf-8" if self._flags & UTF8 else "cp437")
        self.size, self.packed, self._offset = _long(extra, size, packed, offset)
        if (outer >> 16) & 0xF000 == LINK:
            raise ValueError(f"{self._shown} is a link")

    @property
    def _shown(self) -> str:
        return inert(self.name, 80)

    def content(self, file: BufferedReader, directory_at: int, most: int) -> bytes:
        """What it unpacks to, when that is what was announced."""
        if self._flags & ENCRYPTED:
            raise ValueError(f"{self._shown} is encrypted")
        if self._method not in (STORED, DEFLATED):
            raise ValueError(f"{self._shown} is packed in way {self._method}")
        if self.size > most:
            raise ValueError(f"{self._shown} has {self.size} bytes; {most} is the most")
        if self.size > SMALL and self.size > RATIO_MAX * self.packed:
            raise ValueError(f"{self._shown} unpacks to {self.size} bytes from {self.packed}")
        file.seek(self._offset)
        magic, _, _, method, *_, name_length, extra_length = _LOCAL.unpack(file.read(_LOCAL.size))
        name = file.read(name_length)
        file.seek(extra_length, os.SEEK_CUR)
        if magic != b"PK\3\4" or name != self.raw or method != self._method:
            raise ValueError(f"{self._shown} is not where the directory says")
        if file.tell() + self.packed > directory_at:
            raise ValueError(f"{self._shown} reaches into the directory")
        data = file.read(self.packed)
        if self._method == DEFLATED:
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            data = inflate.decompress(data, self.size + 1)
            if not inflate.eof or inflate.unused_data:
                raise ValueError(f"{self._shown} is not packed as it should be")
        if len(data) != self.size or zlib.crc32(data) != self._crc:
            raise ValueError(f"{self._shown} is not what it should be")
        return data


def _long(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The three numbers, from the extra field where they did not fit."""
    if _FULL32 not in (size, packed, offset):
        return size, packed, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            try:
                return tuple(next(numbers) if each == _FULL32 else each for each in (size, packed, offset))  # type: ignore[return-value]
            except RuntimeError as error:  # StopIteration inside a generator
                raise ValueError("a member's long numbers are missing") from error
        at += 4 + length
    raise ValueError("a member's long numbers are missing")
