"""The kernel's news of what changes in folders: Linux's inotify, through the C library, with nothing in between."""

from __future__ import annotations

import errno
import os
import struct

CLOSE_WRITE, MOVED_TO, CREATE = 0x8, 0x80, 0x100
DELETE_SELF, MOVE_SELF, UNMOUNT, OVERFLOW, IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
ONLYDIR, DONT_FOLLOW, EXCL_UNLINK, ISDIR = 0x1000000, 0x2000000, 0x4000000, 0x40000000
LANDS = CLOSE_WRITE | MOVED_TO | CREATE
ENDS = DELETE_SELF | MOVE_SELF | UNMOUNT | IGNORED
_WANTED = LANDS | DELETE_SELF | MOVE_SELF | ONLYDIR | DONT_FOLLOW | EXCL_UNLINK
_HEAD = struct.Struct("iIII")  # the watch, what happened, a cookie, the length of the name that follows
READ = 1 << 16


class Inotify:
    """One queue of events. Its descriptor is readable when there are some; OSError where there is no inotify."""

    __slots__ = ("_libc", "fd")

    def __init__(self) -> None:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "inotify_init1"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._libc = libc
        self.fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise _error()

    def add(self, path: str) -> int:
        """Watch a folder, itself and never through a link in its last step; the number of the watch.

        A folder that is watched already keeps its number. OSError: ENOSPC means that the user has no watches left.
        """
        made: int = self._libc.inotify_add_watch(self.fd, os.fsencode(path), _WANTED)
        if made < 0:
            raise _error(path)
        return made

    def drop(self, watch: int) -> None:
        """Watch it no longer; one that ended by itself is no error."""
        self._libc.inotify_rm_watch(self.fd, watch)

    def read(self) -> list[tuple[int, int, str]]:
        """What happened since: (watch, what, name); empty when nothing did."""
        told: list[tuple[int, int, str]] = []
        while True:
            try:
                data = os.read(self.fd, READ)
            except BlockingIOError:
                return told
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                name = data[at : at + length].rstrip(b"\0")
                told.append((watch, mask, os.fsdecode(name)))
                at += length

    def close(self) -> None:
        """Let go of the queue and of all its watches."""
        os.close(self.fd)


def _error(path: str = "") -> OSError:
    import ctypes

    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), path or None)
