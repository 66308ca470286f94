"""Where pins are kept. What cannot be read is told: a server is then neither known nor unknown."""

from __future__ import annotations

import os
import sqlite3

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.state import State

NAME = "pins.db"
MAX_PINS = 5_000
MAX_TOLD = 4_000
NOWHERE = "-"  # the place of a server that no settings file names
_ALL = "SELECT name, place, identity, told, by, at_ms FROM server WHERE ? = '' OR name = ? ORDER BY name, place LIMIT ?"
_FIRST = "INSERT OR IGNORE INTO server VALUES (?, ?, ?, ?, ?, ?)"
_AGAIN = "INSERT OR REPLACE INTO server VALUES (?, ?, ?, ?, ?, ?)"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS server (
  name TEXT NOT NULL, place TEXT NOT NULL, identity TEXT NOT NULL, told TEXT NOT NULL, by TEXT NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY (name, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tool (
  server TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (server, name)
) STRICT, WITHOUT ROWID;
"""


class Pin:
    """A server as it is known: `place` is the project whose settings name it, "" for the user's own."""

    __slots__ = ("at_ms", "by", "identity", "name", "place", "told")

    def __init__(self, name: str, place: str, identity: str, told: str, *, by: str = "", at_ms: int = 0) -> None:
        self.name = name
        self.place = place
        self.identity = identity
        self.told = told
        self.by = by
        self.at_ms = at_ms


def pins(state: State, name: str = "") -> list[Pin]:
    """Every pin, or those of one server; BkError when they cannot be read."""
    path = f"{state.root}/{NAME}"
    if not os.path.lexists(path):
        return []
    try:
        con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.25)
        try:
            rows = con.execute(_ALL, (name, name, MAX_PINS)).fetchall()
        finally:
            con.close()
    except sqlite3.Error as error:
        raise _broken(error) from error
    return [Pin(row[0], row[1], row[2], row[3], by=row[4], at_ms=row[5]) for row in rows]


def add(state: State, pin: Pin, *, replace: bool) -> None:
    """Keep a pin. Without `replace` the first one stays: nobody's later word counts more than what was seen first."""
    values = (pin.name[:200], pin.place, pin.identity, pin.told[:MAX_TOLD], pin.by, pin.at_ms)
    _write(state, _AGAIN if replace else _FIRST, [values])


def forget(state: State, name: str) -> int:
    """Drop what is known of a server and its tools; how many pins that were."""
    held = len(pins(state, name))
    _write(state, "DELETE FROM server WHERE name = ?", [(name,)])
    _write(state, "DELETE FROM tool WHERE server = ?", [(name,)])
    return held


def tools(state: State, server: str) -> dict[str, str]:
    """The digests of a server's tools, by name."""
    path = f"{state.root}/{NAME}"
    if not os.path.lexists(path):
        return {}
    try:
        con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.25)
        try:
            return dict(con.execute("SELECT name, digest FROM tool WHERE server = ?", (server,)))
        finally:
            con.close()
    except sqlite3.Error as error:
        raise _broken(error) from error


def keep_tools(state: State, server: str, digests: Mapping[str, str], now_ms: int) -> None:
    """Make these the tools that are known of a server."""
    _write(state, "DELETE FROM tool WHERE server = ?", [(server,)])
    rows = [(server, name, digest, now_ms) for name, digest in digests.items()]
    _write(state, "INSERT OR REPLACE INTO tool VALUES (?, ?, ?, ?)", rows)


def _write(state: State, statement: str, rows: Sequence[Sequence[str | int]]) -> None:
    path = f"{state.root}/{NAME}"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        con = sqlite3.connect(path, timeout=2.0, isolation_level=None)
        try:
            con.execute("PRAGMA journal_mode = DELETE")
            con.executescript(_SCHEMA)
            con.execute("BEGIN IMMEDIATE")
            con.executemany(statement, rows)
            con.execute("COMMIT")
        finally:
            con.close()
    except (OSError, sqlite3.Error) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> BkError:
    return BkError(
        "the known MCP servers cannot be used", f"{NAME}: {error}", "move the file away to start with none known"
    )
