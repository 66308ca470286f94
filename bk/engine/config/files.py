"""Reading a settings file that somebody else may have prepared: no links, no devices, no giants, no strangers."""

from __future__ import annotations

import errno
import os
import stat

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

USER_CAP = 1 << 20
PROJECT_CAP = 32 << 10
RACY_NS = 100_000_000  # a file this young may change again without a new mtime: the kernel's clock ticks in ms
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def stamp(path: str) -> list[int]:
    """What tells one state of a file from another; an empty list for a file that is not there."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        return [-(error.errno or 1)]
    return [info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino]


def racy(stamped: Sequence[int], now_ns: int) -> bool:
    """Whether a stamp is too young to be told from that of a change right after it."""
    return any(abs(now_ns - when) < RACY_NS for when in stamped[:2])


def take(path: str, cap: int, owners: Sequence[int], *, shared: bool = False) -> str | None:
    """The text of a settings file, None when there is none; BkError names what makes it unfit.

    `shared` allows a group-writable file, which is what a checkout often is.
    """
    try:
        fd = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise unfit(path, "it is a symbolic link", "replace it by a plain file") from error
        raise unfit(path, error.strerror or "it cannot be opened", "make it a readable plain file") from error
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise unfit(path, "it is not a plain file", "replace it by a plain file")
        if info.st_uid not in owners:
            raise unfit(path, f"it belongs to uid {info.st_uid}", f"chown it to uid {owners[0]}, or remove it")
        if not shared and info.st_mode & 0o022:
            raise unfit(path, f"others may write it (mode {info.st_mode & 0o777:o})", f"chmod go-w {path}")
        data = _all(fd, cap + 1)
    except OSError as error:
        raise unfit(path, error.strerror or "it cannot be read", "make it a readable plain file") from error
    finally:
        os.close(fd)
    if len(data) > cap:
        raise unfit(path, f"it is larger than {cap:,} bytes", "make it smaller")
    return text_of(data, path)


def text_of(data: bytes, path: str) -> str:
    """The bytes as UTF-8 text; BkError names the first byte that is not."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise unfit(path, f"line {line}: byte {error.start} is not UTF-8", "save it as UTF-8") from error


def unfit(path: str, why: str, next_step: str) -> BkError:
    """The error for a settings file that is not read at all."""
    return BkError("a settings file cannot be used", f"{path}: {why}", next_step)


def replace(path: str, data: bytes, mode: int = 0o600) -> None:
    """Put new content in place at once: a reader, or a power cut, meets the old file or the new one, never half."""
    folder = os.path.dirname(path)
    aside = f"{folder}/.{os.path.basename(path)}.{os.getpid()}.{os.urandom(6).hex()}"
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        try:
            os.fchmod(fd, mode)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def _all(fd: int, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0 and (part := os.read(fd, min(limit, 1 << 16))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)
