"""One engine a user: a lock that lives exactly as long as the process that holds it."""

from __future__ import annotations

import fcntl
import json
import os
import time

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
PATIENCE_S = 0.3  # others probe the lock by taking it for an instant
MAX_TEXT = 4096


class Holder:
    """Who holds the lock. `known` is False when the file does not name a living process of ours."""

    __slots__ = ("known", "pid", "since", "start", "version")

    def __init__(self, pid: int, start: int, version: str, since: float, *, known: bool) -> None:
        self.pid = pid
        self.start = start
        self.version = version
        self.since = since
        self.known = known


class EngineLock:
    """The held lock."""

    __slots__ = ("_identity", "_path", "fd", "leftover")

    def __init__(self, fd: int, path: str, leftover: int) -> None:
        self.fd = fd
        self.leftover = leftover
        self._path = path
        self._identity = identity(path)

    @classmethod
    def take(cls, path: str, *, version: str, patience_s: float = PATIENCE_S) -> EngineLock:
        """Take the lock and write into it who we are; raises BkError when another engine has it."""
        fd = os.open(path, FLAGS, 0o600)
        until = time.monotonic() + patience_s
        while not _try(fd, fcntl.LOCK_EX):
            if time.monotonic() > until:
                os.close(fd)
                there = holder(path)
                who = f"pid {there.pid}" if there and there.known else "a process that the lock file does not name"
                raise BkError("another engine is running", f"{who} holds {path}", "bk engine status")
            time.sleep(0.01)
        if identity(path) != _identity_of(fd):
            os.close(fd)  # the file was replaced while we waited: the lock that counts is the one in its place
            return cls.take(path, version=version, patience_s=patience_s)
        leftover = int(_read(fd).get("pid", 0))
        said = {"pid": os.getpid(), "start": start_ticks(os.getpid()), "version": version, "since": time.time()}
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(said).encode(), 0)
        return cls(fd, path, leftover)

    def intact(self) -> bool:
        """Whether the path still leads to the file that we hold."""
        return identity(self._path) == self._identity

    def release(self) -> None:
        """Give the lock back; an empty file says that this engine ended in order."""
        os.ftruncate(self.fd, 0)
        os.close(self.fd)


def holder(path: str) -> Holder | None:
    """Who holds the lock at `path`; None when nobody does."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        if _try(fd, fcntl.LOCK_SH):
            return None
        said = _read(fd)
    finally:
        os.close(fd)
    pid, start = int(said.get("pid", 0)), int(said.get("start", 0))
    known = pid > 0 and start > 0 and start_ticks(pid) == start
    return Holder(pid, start, str(said.get("version", "")), float(said.get("since", 0.0)), known=known)


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot: with its pid, its name. 0 when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read(4096).rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if len(fields) < 20 or fields[0] in (b"Z", b"X") else int(fields[19])


def identity(path: str) -> tuple[int, int]:
    """Device and inode of what a path names now; zeros when there is nothing."""
    try:
        info = os.lstat(path)
    except OSError:
        return (0, 0)
    return (info.st_dev, info.st_ino)


def _identity_of(fd: int) -> tuple[int, int]:
    info = os.fstat(fd)
    return (info.st_dev, info.st_ino)


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(fd: int) -> dict[str, Json]:
    """What the file says; anything but numbers where numbers belong counts as nothing."""
    try:
        said = json.loads(os.pread(fd, MAX_TEXT, 0) or b"{}")
    except ValueError:
        return {}
    if type(said) is not dict or type(said.get("pid", 0)) is not int or type(said.get("start", 0)) is not int:
        return {}
    return {**said, "since": said["since"] if type(said.get("since")) is float and said["since"] < 1e12 else 0.0}
