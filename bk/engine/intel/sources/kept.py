"""Small files that a source keeps beside what it fetched: replaced whole or not at all, read within a bound."""

from __future__ import annotations

import os

from bk.engine.intel.sources.source import FeedError
from bk.text import inert


def keep(path: str, data: bytes) -> None:
    """Replace the file by one rename, once the bytes are on disk."""
    aside = f"{os.path.dirname(path)}/.{os.path.basename(path)}.new"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if os.path.lexists(aside):
            os.unlink(aside)
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.replace(aside, path)
    except OSError as error:
        raise FeedError("disk", f"{inert(path, 200)}: {error.strerror or error}") from error


def kept(path: str, max_bytes: int) -> bytes:
    """What the file holds; nothing when there is none yet."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise FeedError("disk", f"{inert(path, 200)}: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise FeedError("malformed", f"{os.path.basename(path)} has more than {max_bytes} bytes")
    return data
