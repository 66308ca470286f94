"""Keeping the trail small: what is old goes, and a damaged file is set aside so that a new one can begin."""

from __future__ import annotations

import os
import sqlite3
import time

from bk.engine.trail.store import KEEP_MS, MAX_ROWS, NAME, connected, damaged, set_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

WAIT_S = 2.0
_OLDEST = "DELETE FROM trail WHERE (session, path) IN (SELECT session, path FROM trail ORDER BY at_ms LIMIT ?)"


def tidy(state: State, now_ms: int = 0) -> str:
    """Drop rows that are too old or too many; what kept it from that, which a person should hear of."""
    now_ms = now_ms or time.time_ns() // 1_000_000
    path = f"{state.root}/{NAME}"
    if not os.path.lexists(path):
        return ""
    try:
        con = connected(path, WAIT_S)
        try:
            con.execute("DELETE FROM trail WHERE at_ms < ?", (now_ms - KEEP_MS,))
            held = con.execute("SELECT count(*) FROM trail").fetchone()[0]
            if held > MAX_ROWS:
                con.execute(_OLDEST, (held - MAX_ROWS,))
        finally:
            con.close()
    except sqlite3.Error as error:
        if damaged(error):
            set_aside(path)
            return f"{error}; it was set aside as {path}.damaged, and what sessions did before is not known any more"
        return str(error)
    return ""
