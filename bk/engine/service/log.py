"""The engine's own messages: one owner-only file, one older one, never more."""

from __future__ import annotations

import os
import time

from bk.text import inert

MAX_BYTES = 1 << 20
WIDTH = 1000
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def open_log(path: str) -> int:
    """A descriptor that appends to the log."""
    return os.open(path, FLAGS, 0o600)


class EngineLog:
    """Writes lines; when standard error is not the log itself, repeats them there for whoever watches."""

    __slots__ = ("_fd", "_path", "_size", "_stderr_is_log")

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = open_log(path)
        info = os.fstat(self._fd)
        self._size = info.st_size
        try:
            other = os.fstat(2)
            self._stderr_is_log = (other.st_dev, other.st_ino) == (info.st_dev, info.st_ino)
        except OSError:
            self._stderr_is_log = True  # there is no standard error to repeat anything on
        if self._size > MAX_BYTES:
            self._rotate()

    def write(self, text: str) -> None:
        """One message, one line. A full disk loses the message, never the engine."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{stamp} {os.getpid()} {inert(text, WIDTH)}\n".encode(errors="replace")
        if self._size + len(line) > MAX_BYTES:
            self._rotate()
        self._size += len(line)
        self._put(self._fd, line)
        if not self._stderr_is_log:
            self._put(2, line)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _rotate(self) -> None:
        try:
            os.replace(self._path, f"{self._path}.1")
            fresh = open_log(self._path)
        except OSError:
            return  # the old file goes on growing, which is better than silence
        os.close(self._fd)
        self._fd = fresh
        self._size = os.fstat(fresh).st_size
        if self._stderr_is_log:
            os.dup2(fresh, 1)
            os.dup2(fresh, 2)

    @staticmethod
    def _put(fd: int, line: bytes) -> None:
        try:
            os.write(fd, line)
        except OSError:
            return
