"""What a Go program was built from: read from the section of it that says so, never by running it."""

from __future__ import annotations

import os
import stat
import struct

MAGIC = b"\xff Go buildinf:"
SECTION = b".go.buildinfo\0"
INLINE = 0x2
HEAD = 64 << 10
SECTIONS_MAX = 200
SECTION_MAX = 1 << 20
_MARK = 16  # bytes before and after the text of modules


def built_from(path: str) -> tuple[str, str] | None:
    """The path and version of the main module of an ELF program; None when it does not say."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        section = _section(handle)
        return main_module(section) if section else None
    except (OSError, struct.error):
        return None
    finally:
        os.close(handle)


def _section(handle: int) -> bytes:
    """The bytes of `.go.buildinfo` of a 64-bit little-endian ELF file."""
    head = os.pread(handle, 64, 0)
    if head[:6] != b"\x7fELF\x02\x01":
        return b""
    table, size, count, names_at = struct.unpack_from("<Q", head, 40)[0], *struct.unpack_from("<HHH", head, 58)
    if size != 64 or not 0 < names_at < count <= SECTIONS_MAX:
        return b""
    raw = os.pread(handle, size * count, table)
    rows = [struct.unpack_from("<IIQQQQ", raw, size * row) for row in range(count)]
    names = os.pread(handle, min(rows[names_at][5], HEAD), rows[names_at][4])
    for name, _, _, _, offset, length in rows:
        if names[name:].startswith(SECTION):
            return os.pread(handle, min(length, SECTION_MAX), offset)
    return b""


def main_module(section: bytes) -> tuple[str, str] | None:
    """The main module in the build information of a program, in the form that is written since Go 1.18."""
    if not section.startswith(MAGIC) or len(section) < 33 or not section[15] & INLINE:
        return None
    _, rest = _counted(section[32:])
    text, _ = _counted(rest)
    if len(text) <= 2 * _MARK:
        return None
    for line in text[_MARK:-_MARK].decode(errors="replace").split("\n"):
        fields = line.split("\t")
        if fields[0] == "mod" and len(fields) >= 3:
            return fields[1], fields[2]
    return None


def _counted(data: bytes) -> tuple[bytes, bytes]:
    """A text with its length before it, and what follows."""
    size = shift = at = 0
    while at < len(data) and at < 10:
        byte = data[at]
        size |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return data[at : at + size], data[at + size :]
        shift += 7
    return b"", b""
