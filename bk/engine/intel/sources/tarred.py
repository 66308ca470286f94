"""The files in a tar.gz one by one, as they stream by, in memory that does not grow with the archive.

Nothing is written to disk, so names and links lead nowhere. The library's reader keeps an object for each member and
reads extended headers of any size into memory; this one keeps nothing and has a bound for everything.
"""

from __future__ import annotations

import os
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
HEADER_MAX = 64 * 1024
RATIO_MAX = 200
SMALL = 16 * 1024 * 1024
BLOCK = 512
READ = 256 * 1024
FILES = (b"0", b"\0", b"7")
NOTHING = bytes(BLOCK)


def members(path: str, wanted: Callable[[str], bool], *, member_max: int = MEMBER_MAX) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file whose name is wanted; raises FeedError("malformed") and names the archive."""
    archive = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            yield from _members(_Stream(file), wanted, member_max)
    except (ValueError, zlib.error) as error:
        raise FeedError("malformed", f"{archive}: {error}") from error
    except OSError as error:
        raise FeedError("disk", f"{archive}: {error.strerror or error}") from error


def _members(stream: _Stream, wanted: Callable[[str], bool], most: int) -> Iterator[tuple[str, bytes]]:
    told: dict[str, str] = {}
    for _ in range(MEMBERS_MAX):
        header = stream.take(BLOCK)
        if header == NOTHING:
            stream.rest()
            return
        size = _size(header)
        kind = header[156:157]
        if kind in (b"x", b"g", b"L", b"K"):
            if size > HEADER_MAX:
                raise ValueError(f"an extended header of {size} bytes")
            said = stream.padded(size)
            if kind == b"x":
                told |= _pax(said)
            elif kind == b"L":
                told["path"] = said.rstrip(b"\0").decode()
            continue
        name = told.get("path") or _name(header)
        size = _number(told["size"]) if "size" in told else size
        told = {}
        if kind not in FILES or not wanted(name):
            stream.skip(size)
        elif size > most:
            raise ValueError(f"{inert(name, 80)} has {size} bytes; {most} is the most")
        else:
            yield name, stream.padded(size)
    raise ValueError(f"it has more than {MEMBERS_MAX} members")


class _Stream:
    """The unpacked bytes in order, counted."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._ready = bytearray()
        self._packed = self._unpacked = 0
        self._input = b""
        self._over = False

    def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self._ready) < size:
            if not self._more():
                raise ValueError("it is cut off")
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def padded(self, size: int) -> bytes:
        """So many bytes, and past what fills their last block."""
        data = self.take(size)
        self.take(-size % BLOCK)
        return data

    def skip(self, size: int) -> None:
        """Past a member that nobody wants."""
        left = size + -size % BLOCK
        while left:
            left -= len(self.take(min(left, READ)))

    def rest(self) -> None:
        """Read on to the end: only then is it known that nothing was cut off or changed on the way."""
        while True:
            if self._ready.count(0) != len(self._ready):
                raise ValueError("something follows its end")
            self._ready.clear()
            if not self._more():
                return

    def _more(self) -> bool:
        """Unpack some more; False at the end of the file, which must be the end of what was packed."""
        while True:
            data = self._input or self._file.read(READ)
            if not data:
                if not self._over:
                    raise ValueError("it is cut off")
                return False
            if self._over:
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
                self._over = False
            made = self._inflate.decompress(data, READ)
            left = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            self._packed += len(data) - len(left)
            self._unpacked += len(made)
            self._input = left
            self._over = self._inflate.eof
            if self._unpacked > TOTAL_MAX or self._unpacked > SMALL + RATIO_MAX * self._packed:
                raise ValueError(f"it unpacks to more than {self._unpacked} bytes from {self._packed}")
            if made:
                self._ready += made
                return True


def _size(header: bytes) -> int:
    """The size that a header gives, if it is a header."""
    stored = _number(header[148:156].strip(b" \0").decode("ascii"), 8)
    if stored != sum(header) - sum(header[148:156]) + 8 * 32:
        raise ValueError("it is no tar archive, or it is damaged")
    field = header[124:136]
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return _number(field.strip(b" \0").decode("ascii") or "0", 8)


def _number(text: str, base: int = 10) -> int:
    if not text.isdigit() or len(text) > 20:
        raise ValueError(f"{text[:40]!a} is no number in a tar header")
    return int(text, base)


def _name(header: bytes) -> str:
    name, prefix = header[:100].split(b"\0", 1)[0], b""
    if header[257:263] == b"ustar\0":
        prefix = header[345:500].split(b"\0", 1)[0]
    return (prefix + b"/" + name if prefix else name).decode()


def _pax(data: bytes) -> dict[str, str]:
    """The records of an extended header that matter: a long name, a large size."""
    found = {}
    while data:
        length, space, _ = data.partition(b" ")
        if not space or not length.isdigit() or len(length) > 6 or not len(length) < int(length) <= len(data):
            raise ValueError("an extended header that is none")
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        if key in (b"path", b"size"):
            found[key.decode()] = value.decode()
        data = data[int(length) :]
    return found
