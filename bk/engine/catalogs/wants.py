"""What calls lately wanted to install: the questions for services that answer instead of publishing lists."""

from __future__ import annotations

import os
import sqlite3

from bk.engine.intel.releases import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

_RECENT = """
SELECT ecosystem, name, version FROM (
  SELECT ecosystem, name, asked AS version, at_ms FROM wanted WHERE asked <> ''
  UNION ALL
  SELECT ecosystem, name, version, at_ms FROM release WHERE version <> ''
) GROUP BY ecosystem, name, version ORDER BY max(at_ms) DESC LIMIT ?
"""


def recent(state: State, limit: int) -> list[tuple[str, str, str]]:
    """The newest (ecosystem, name, version); nothing when none was noted or the notes cannot be read."""
    path = path_of(state)
    if not os.path.exists(path):
        return []
    try:
        con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
        try:
            return [(str(row[0]), str(row[1]), str(row[2])) for row in con.execute(_RECENT, (limit,))]
        finally:
            con.close()
    except sqlite3.Error:
        return []  # it is a cache: what is lost there is asked for again by the next call
