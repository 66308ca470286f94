"""One small member of a zip archive, without unpacking the rest and without believing what it says of itself."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib

DIRECTORY_MAX = 16 << 20
ARCHIVE_MAX = 1 << 30
_END = b"PK\x05\x06"
_LONG = b"PK\x06\x07"
_TAIL = 22 + 0xFFFF


def member(path: str, name: str, max_bytes: int) -> bytes | None:
    """The member's bytes; None when there is none. ValueError or OSError for what cannot be read as an archive."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > ARCHIVE_MAX:
            raise ValueError("it is no archive of a sensible size")
        file.seek(max(0, info.st_size - _TAIL))
        tail = file.read(_TAIL)
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < 22:
            raise ValueError("it is no zip archive")
        size = struct.unpack_from("<I", tail, at + 12)[0]
        if at >= 76 and tail[at - 20 : at - 16] == _LONG:  # the record of an archive with very many members
            size = struct.unpack_from("<Q", tail, at - 36)[0]
        if size > DIRECTORY_MAX:  # all of it would be held in memory
            raise ValueError("the directory of the archive is too large")
        try:
            with zipfile.ZipFile(file) as archive:
                try:
                    found = archive.getinfo(name)
                except KeyError:
                    return None
                if found.file_size > max_bytes or found.flag_bits & 1:
                    raise ValueError(f"its {name} is too large or encrypted")
                with archive.open(found) as inner:
                    data = inner.read(max_bytes + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, struct.error) as error:
            raise ValueError("it is no readable zip archive") from error
    if len(data) > max_bytes:
        raise ValueError(f"its {name} is too large")
    return data
