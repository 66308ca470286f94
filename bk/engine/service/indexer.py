"""Bringing the side index of the ledger up to date: one short process, started by the engine, that yields to all.

    python -m bk.engine.service.indexer

It works for `SECONDS` at most and ends earlier when its parent does; what it has taken in by then is kept, and killing
it loses one transaction. It leaves `ROOM` on the disk to those who need it more. How it ended is its exit code.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time

from bk.engine.errors import OK, BkError
from bk.engine.intel.yielding import resting
from bk.engine.ledger.search import extend
from bk.engine.service.side_index import BROKEN, NO_ROOM
from bk.engine.state import State, locate

SECONDS = 10.0
ROOM = 256 << 20


def index(state: State, *, room: int = ROOM, seconds: float = SECONDS) -> int:
    """Take in what is new, as far as time and room allow; how that went."""
    if _free(state) < room:
        return NO_ROOM
    parent, until = os.getppid(), time.monotonic() + seconds
    try:
        extend(state, wanted=lambda: os.getppid() == parent and time.monotonic() < until and _free(state) >= room)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return OK  # somebody else is at it
        return NO_ROOM if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL else BROKEN
    except (sqlite3.Error, BkError, OSError):
        return BROKEN
    return OK if _free(state) >= room else NO_ROOM


def _free(state: State) -> int:
    there = os.statvfs(state.root)
    return there.f_bavail * there.f_frsize


def main() -> int:
    """Find the state directory as the engine has it, and do the work."""
    os.umask(0o077)
    try:
        state = locate(os.environ, os.getcwd())
    except BkError:
        return BROKEN
    resting()
    return index(state)


if __name__ == "__main__":
    sys.exit(main())
