"""The file-system calls that Python does not offer: a rename that never replaces anything."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from contextlib import contextmanager, suppress

from bk.quarantine.refused import HoldRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RENAME_NOREPLACE = 1
_CODES = {
    errno.EEXIST: "conflict",
    errno.ENOTEMPTY: "conflict",
    errno.ENOENT: "gone",
    errno.EXDEV: "cross_device",
    errno.EBUSY: "busy",
    errno.ETXTBSY: "busy",
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.ELOOP: "symlink_component",
    errno.ENOTDIR: "symlink_component",
}
_libc = ctypes.CDLL(None, use_errno=True)


def nothing(_step: str) -> None:
    """Tell nobody where a move has got to."""


def rename(from_fd: int, name: bytes, to_fd: int, new: bytes, told: Callable[[str], None] = nothing) -> None:
    """Move one entry between two open directories; OSError (EEXIST) when the new name is taken, never a replacement."""
    try:
        _rename(from_fd, name, to_fd, new)
    except PermissionError:
        if not _write_protected(from_fd, name):
            raise
        _lifted(from_fd, name, to_fd, new, told)


@contextmanager
def unmarked(*fds: int) -> Iterator[None]:
    """Leave the times of open directories as they were before one system call of ours.

    Around one call only: what somebody else does before or after it keeps the time that it gave.
    """
    before = [os.fstat(fd) for fd in fds]
    yield
    for fd, info in zip(fds, before, strict=True):
        with suppress(PermissionError):  # a directory of somebody else's
            os.utime(fd, ns=(info.st_atime_ns, info.st_mtime_ns))


def _rename(from_fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    with unmarked(from_fd, to_fd):
        _renamed(from_fd, name, to_fd, new)


def _renamed(from_fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    if _libc.renameat2(from_fd, name, to_fd, new, RENAME_NOREPLACE):
        number = ctypes.get_errno()
        if number != errno.EINVAL:  # a file system that cannot promise it
            raise OSError(number, os.strerror(number), os.fsdecode(name))
        _without_promise(from_fd, name, to_fd, new)


def _write_protected(fd: int, name: bytes) -> bool:
    """Whether this is a directory of ours that may not be written: a move changes its `..`, so the kernel refuses."""
    info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & stat.S_IWUSR


def _lifted(from_fd: int, name: bytes, to_fd: int, new: bytes, told: Callable[[str], None]) -> None:
    """Move a write-protected directory: leave to write for as long as the rename takes, then the mode it had.

    The books have that mode, so what is cut off in between is put right by `lowered`.
    """
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=from_fd)
    try:
        mode = stat.S_IMODE(os.fstat(inner).st_mode)
        os.fchmod(inner, mode | stat.S_IWUSR)
        told("lifted")
        try:
            _rename(from_fd, name, to_fd, new)
            told("landed")
        finally:
            os.fchmod(inner, mode)
    finally:
        os.close(inner)


def lowered(fd: int, name: bytes, mode: int, meant: Callable[[], bool]) -> None:
    """Give a directory back the mode that it had, where it differs by the leave to write that a move takes.

    `meant` is asked whether, with that mode, it is the one that was moved; another one keeps its own.
    """
    try:
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    except OSError:
        return
    try:
        if stat.S_IMODE(os.fstat(inner).st_mode) == mode | stat.S_IWUSR != mode:
            os.fchmod(inner, mode)
            if not meant():
                os.fchmod(inner, mode | stat.S_IWUSR)
    finally:
        os.close(inner)


def _without_promise(from_fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    """Where the kernel cannot refuse to replace, look first; the target is a directory that only we may write."""
    try:
        os.stat(new, dir_fd=to_fd, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(name, new, src_dir_fd=from_fd, dst_dir_fd=to_fd)
        return
    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(new))


def refused(error: OSError, what: str) -> HoldRefusedError:
    """The refusal that a system call's failure amounts to."""
    return HoldRefusedError(_CODES.get(error.errno or 0, "io"), f"{what}: {error.strerror}")
