"""The file-system calls that Python does not offer: a rename that never replaces anything."""

from __future__ import annotations

import ctypes
import errno
import os
import stat

from bk.quarantine.refused import HoldRefusedError

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


def rename(from_fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    """Move one entry between two open directories; OSError (EEXIST) when the new name is taken, never a replacement."""
    try:
        _rename(from_fd, name, to_fd, new)
    except PermissionError:
        if not _write_protected(from_fd, name):
            raise
        _lifted(from_fd, name, to_fd, new)


def _rename(from_fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    if _libc.renameat2(from_fd, name, to_fd, new, RENAME_NOREPLACE):
        number = ctypes.get_errno()
        if number != errno.EINVAL:  # a file system that cannot promise it
            raise OSError(number, os.strerror(number), os.fsdecode(name))
        _without_promise(from_fd, name, to_fd, new)


def _write_protected(fd: int, name: bytes) -> bool:
    """Whether this is a directory of ours that may not be written: a move changes its `..`, so the kernel refuses."""
    info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & stat.S_IWUSR


def _lifted(from_fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    """Move a write-protected directory: leave to write for as long as the rename takes, then the mode it had."""
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=from_fd)
    try:
        mode = stat.S_IMODE(os.fstat(inner).st_mode)
        os.fchmod(inner, mode | stat.S_IWUSR)
        try:
            _rename(from_fd, name, to_fd, new)
        finally:
            os.fchmod(inner, mode)
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
