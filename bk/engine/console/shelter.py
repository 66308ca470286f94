"""A directory that is gone when its process is, however that ends: something outside the process sees to it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

PREFIX = "bk-sample-"
# What the watcher runs: the pipe ends when the last holder of its other end does, killed or not.
_WATCHER = "import os, shutil, sys; os.read(0, 1); shutil.rmtree(sys.argv[1], ignore_errors=True)"


class Shelter:
    """A fresh directory under /tmp, its owner's alone."""

    def __init__(self) -> None:
        self.top = tempfile.mkdtemp(prefix=PREFIX, dir="/tmp")
        try:
            self._end, self._watcher = _watched(self.top)
        except BaseException:
            shutil.rmtree(self.top, ignore_errors=True)
            raise

    def close(self) -> None:
        """Remove it now."""
        shutil.rmtree(self.top, ignore_errors=True)
        if self._end >= 0:
            os.close(self._end)
            os.waitpid(self._watcher, 0)
            self._end = -1


def _watched(top: str) -> tuple[int, int]:
    """Start the watcher in a session of its own, so that a key at the terminal does not end it first."""
    theirs, ours = os.pipe()
    words = [sys.executable, "-I", "-S", "-c", _WATCHER, top]
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    try:
        made = os.posix_spawn(
            sys.executable, words, {}, file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 0), *quiet], setsid=True
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return ours, made
