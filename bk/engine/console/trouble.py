"""Which of the states that a person can be shown an error belongs to."""

from __future__ import annotations

import sqlite3

from bk.engine.errors import BkError

CORRUPT, DENIED, PROBLEM = "corrupt", "denied", "problem"
NOT_CORRUPT = (sqlite3.OperationalError, sqlite3.ProgrammingError)


def kind_of(error: BkError) -> str:
    """`denied` when the system refused access, `corrupt` when a store is damaged, else `problem`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PermissionError):
            return DENIED
        if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, NOT_CORRUPT):
            return CORRUPT
        cause = cause.__cause__
    return PROBLEM
