"""Envelopes that were accepted, so that none is accepted twice.

A nonce is on disk before its envelope is accepted, and is kept until the envelope has expired. What a key may fill is
bounded: the envelopes of a key that would be forgotten first are refused from then on, so that nothing that was
forgotten can come back, not even when the clock is put back, and a key that floods harms only itself.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

NAME = "replay.db"
KEY_MAX = 10_000
KEYS_MAX = 256
WAIT_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
  key_id TEXT NOT NULL, nonce TEXT NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (key_id, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_until ON seen (key_id, until_ms);
CREATE TABLE IF NOT EXISTS forgotten (key_id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


class Replay:
    """The cache of one installation; use as a context manager. Raises OSError and sqlite3.Error."""

    __slots__ = ("_con", "_key_max", "path")

    def __init__(self, path: str, owner: int, *, key_max: int = KEY_MAX) -> None:
        self.path = path
        self._key_max = key_max
        _plain(path, owner)
        self._con = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        try:
            _wal(self._con)
            self._con.execute("PRAGMA synchronous = FULL")
            self._con.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        except BaseException:
            self._con.close()
            raise

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()

    def spend(self, key_id: str, nonce: str, until_ms: int, now_ms: int) -> str:
        """Spend a nonce; "" when it was new, else why it is refused: `replayed`, `expired` or `replay-cache`."""
        con = self._con
        con.execute("BEGIN IMMEDIATE")
        try:
            why = self._spend(key_id, nonce, until_ms, now_ms)
            con.execute("COMMIT")
        except BaseException:
            con.execute("ROLLBACK")
            raise
        return why

    def _spend(self, key_id: str, nonce: str, until_ms: int, now_ms: int) -> str:
        con = self._con
        floor = con.execute("SELECT until_ms FROM forgotten WHERE key_id = ?", (key_id,)).fetchone()
        if floor is not None and until_ms <= floor[0]:
            return "expired"
        if floor is None and con.execute("SELECT count(*) FROM forgotten").fetchone()[0] >= KEYS_MAX:
            return "replay-cache"
        try:
            con.execute("INSERT INTO seen (key_id, nonce, until_ms) VALUES (?, ?, ?)", (key_id, nonce, until_ms))
        except sqlite3.IntegrityError:
            return "replayed"
        con.execute("INSERT OR IGNORE INTO forgotten (key_id, until_ms) VALUES (?, -1)", (key_id,))
        self._forget(key_id, now_ms)
        return ""

    def _forget(self, key_id: str, now_ms: int) -> None:
        """Drop what has expired, and beyond the bound what expires first; what was dropped is refused from then on."""
        con = self._con
        many = con.execute("SELECT count(*) FROM seen WHERE key_id = ?", (key_id,)).fetchone()[0]
        floor = now_ms
        if many > self._key_max:
            keep = "SELECT until_ms FROM seen WHERE key_id = ? ORDER BY until_ms LIMIT 1 OFFSET ?"
            floor = max(floor, con.execute(keep, (key_id, many - self._key_max - 1)).fetchone()[0])
        last = con.execute(
            "SELECT max(until_ms) FROM seen WHERE key_id = ? AND until_ms <= ?", (key_id, floor)
        ).fetchone()[0]
        if last is not None:
            con.execute("DELETE FROM seen WHERE key_id = ? AND until_ms <= ?", (key_id, last))
            con.execute("UPDATE forgotten SET until_ms = max(until_ms, ?) WHERE key_id = ?", (last, key_id))

    def count(self) -> int:
        """How many nonces are kept."""
        return int(self._con.execute("SELECT count(*) FROM seen").fetchone()[0])


def opened(state: State) -> Replay:
    """This installation's cache."""
    return Replay(f"{state.root}/{NAME}", state.owner)


def _plain(path: str, owner: int) -> None:
    """The file, made if need be: plain, its owner's, nobody else's.

    It is looked at and never opened: closing any descriptor of a database gives up the locks of every thread on it.
    """
    with suppress(FileExistsError):
        os.mknod(path, 0o600 | stat.S_IFREG)
    info = os.lstat(path)
    if not stat.S_ISREG(info.st_mode) or info.st_uid not in (owner, os.geteuid()) or info.st_mode & 0o077:
        raise PermissionError(1, "it is not a plain file of its owner alone", path)


def _wal(con: sqlite3.Connection) -> None:
    """Switching to WAL asks for the file alone, and is refused at once when somebody else is just doing the same."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            con.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
