"""Why the ledger cannot be used, in one machine word and three sentences for a person."""

from __future__ import annotations

import errno
import os
import sqlite3

from bk.engine.errors import DEGRADED, TAMPERED, BkError

_RECOVER = "look at it with `bk audit verify`, then `bk audit recover` sets it aside and starts a new segment"

_TITLES = {
    "missing": ("the ledger is missing", _RECOVER, TAMPERED),
    "corrupt": ("the ledger is damaged", _RECOVER, TAMPERED),
    "rolled-back": ("the ledger is older than its high-water mark", _RECOVER, TAMPERED),
    "readonly": ("the ledger cannot be written", "make the state directory writable for its owner", DEGRADED),
    "full": ("the disk that holds the ledger is full", "free space on it; nothing that was recorded is lost", DEGRADED),
    "newer": ("the ledger was written by a newer bk", "install that version again", DEGRADED),
    "busy": ("the ledger is held by another process", "see which with `bk engine status`; try again", DEGRADED),
}


class LedgerError(BkError):
    """The ledger cannot be used; `cause` is the word that `fail_mode`, `bk diag` and the tests see."""

    def __init__(self, cause: str, detail: str, next_step: str = "") -> None:
        title, step, code = _TITLES[cause]
        super().__init__(title, detail, next_step or step, code=code)
        self.cause = cause


_BY_CODE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_PERM: "readonly",
    sqlite3.SQLITE_AUTH: "readonly",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
}


def from_sqlite(error: sqlite3.Error, path: str) -> LedgerError:
    """What SQLite's error means for a person; an I/O error hides its errno, so the disk is asked."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    cause = _BY_CODE.get(code, "")
    if not cause:
        if code == sqlite3.SQLITE_CANTOPEN:
            cause = "readonly" if os.path.exists(os.path.dirname(path)) else "missing"
        elif code == sqlite3.SQLITE_IOERR:
            cause = "full" if _full(path) else "readonly" if not _writable(path) else "corrupt"
        else:
            cause = "corrupt"
    return LedgerError(cause, f"{path}: {error}")


def from_os(error: OSError, path: str) -> LedgerError:
    """The same for a plain file beside the database."""
    cause = "corrupt"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cause = "full"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        cause = "readonly"
    elif error.errno == errno.ENOENT:
        cause = "missing"
    return LedgerError(cause, f"{path}: {error.strerror}")


def _full(path: str) -> bool:
    try:
        room = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < 65536 or (room.f_files > 0 and room.f_favail == 0)


def _writable(path: str) -> bool:
    return os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK)
