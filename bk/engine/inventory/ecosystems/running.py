"""Whether a browser is open on a profile: what is taken from under it, it puts back or writes over."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
import sys

_LOCK = re.compile(r"(?P<host>.*)-(?P<pid>\d{1,10})", re.DOTALL)
_FOX = re.compile(r"(?P<address>[0-9.]*):\+?(?P<pid>\d{1,10})")
_SANDBOXED = "/.var/app/"  # the numbers of processes in there are not ours
LEVELS = 6


def busy(path: str) -> str:
    """Why what lies at this path is in use by an open browser; "" when no browser has its profile open.

    Looks for the locks of the profile that the path lies in; a lock that cannot be understood counts as held.
    """
    folder = path
    for _ in range(LEVELS):
        folder = os.path.dirname(folder)
        if folder in ("", "/"):
            break
        for look in (_chromium, _firefox):
            said = look(folder)
            if said:
                return said
    return ""


def _chromium(folder: str) -> str:
    """`SingletonLock` is a link to HOST-PID, which points nowhere."""
    target = _link(f"{folder}/SingletonLock")
    if target is None:
        return ""
    found = _LOCK.fullmatch(target)
    if found and found["host"] == os.uname().nodename and _SANDBOXED not in folder and not _alive(int(found["pid"])):
        return ""  # left by a crash
    return f"a browser has {folder} open" + (f" (process {found['pid']})" if found else "")


def _firefox(folder: str) -> str:
    """`lock` is a link to ADDRESS:+PID; `.parentlock` is a file that the process holds a lock on."""
    target = _link(f"{folder}/lock")
    found = _FOX.fullmatch(target) if target is not None else None
    if found and (_SANDBOXED in folder or _alive(int(found["pid"]))):
        return f"Firefox has {folder} open (process {found['pid']})"
    for name in (".parentlock", "parent.lock"):
        if _locked(f"{folder}/{name}"):
            return f"Firefox has {folder} open"
    return ""


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):
            return None
        return ""


def _alive(pid: int) -> bool:
    """Whether there is a process of this number; one that is not ours is one too."""
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _locked(path: str) -> bool:
    """Whether another process holds a lock on a file; asks, and takes none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    try:
        if sys.platform == "darwin":
            asked = struct.pack("qqihh", 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
            return bool(struct.unpack("qqihh", fcntl.fcntl(handle, fcntl.F_GETLK, asked))[3] != fcntl.F_UNLCK)
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        return bool(struct.unpack("hhqqi4x", fcntl.fcntl(handle, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK)
    except OSError:
        return False
    finally:
        os.close(handle)
