"""Where exceptions are kept: a small database, read only when a call would otherwise be stopped or warned of.

What cannot be read grants nothing.
"""

from __future__ import annotations

import os
import sqlite3

from bk.engine.errors import BkError
from bk.engine.grants.grant import Grant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.state import State

NAME = "grants.db"
MAX_LIVE = 500
_LIVE = (
    "SELECT ident, kind, rule, project, path, agent, call, until_ms, reason, by, at_ms FROM grants"
    " WHERE ended_ms = 0 ORDER BY at_ms LIMIT ?"
)
_ALL = (
    "SELECT ident, kind, rule, project, path, agent, call, until_ms, reason, by, at_ms, ended_ms, spent FROM grants"
    " ORDER BY at_ms DESC, ident"
)
_ADD = (
    "INSERT INTO grants (ident, kind, rule, project, path, agent, call, until_ms, reason, by, at_ms)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?)"
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS grants (
  ident TEXT PRIMARY KEY, kind TEXT NOT NULL, rule TEXT NOT NULL, project TEXT NOT NULL, path TEXT NOT NULL,
  agent TEXT NOT NULL, call TEXT NOT NULL, until_ms INTEGER NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL,
  at_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0, spent TEXT NOT NULL DEFAULT ''
) STRICT
"""


def path_of(state: State) -> str:
    """The database's place."""
    return f"{state.root}/{NAME}"


def live(state: State) -> tuple[Grant, ...]:
    """The grants that have not been revoked or spent; none when the store is absent or cannot be read."""
    path = path_of(state)
    try:
        info = os.lstat(path)
        if info.st_uid != state.owner or info.st_mode & 0o022 or os.path.islink(path):
            return ()
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.25)
    except (OSError, sqlite3.Error):
        return ()
    try:
        rows = connection.execute(_LIVE, (MAX_LIVE,)).fetchall()
    except sqlite3.Error:
        return ()
    finally:
        connection.close()
    return tuple(_grant(row) for row in rows)


def everything(state: State) -> list[tuple[Grant, int, str]]:
    """Every grant with when it ended (0: it has not) and the request that spent it; newest first."""
    if not os.path.exists(path_of(state)):
        return []
    connection = _open(state)
    try:
        rows = connection.execute(_ALL).fetchall()
    finally:
        connection.close()
    return [(_grant(row[:11]), row[11], row[12]) for row in rows]


def add(state: State, grant: Grant) -> None:
    """Keep a new grant."""
    connection = _open(state)
    try:
        with connection:
            alive = connection.execute("SELECT count(*) FROM grants WHERE ended_ms = 0").fetchone()[0]
            if alive >= MAX_LIVE:
                raise BkError("there are too many exceptions", f"{alive} are in force", "bk allow revoke ID")
            connection.execute(
                _ADD,
                (
                    grant.ident, grant.kind, grant.rule, grant.project, grant.path, grant.agent, grant.call,
                    grant.until_ms, grant.reason, grant.by, grant.at_ms,
                ),
            )  # fmt: skip
    except sqlite3.Error as error:
        raise _broken(error) from error
    finally:
        connection.close()


def end(state: State, ident: str, now_ms: int) -> bool:
    """Revoke a grant; whether it was in force."""
    connection = _open(state)
    try:
        with connection:
            done = connection.execute(
                "UPDATE grants SET ended_ms = ? WHERE ident = ? AND ended_ms = 0", (now_ms, ident)
            )
            return done.rowcount == 1
    except sqlite3.Error as error:
        raise _broken(error) from error
    finally:
        connection.close()


def spend(state: State, idents: Sequence[str], request: str, now_ms: int) -> bool:
    """Use up one-time grants for one request, all or none. The same request may come again and finds them its own."""
    try:
        connection = _open(state)
    except BkError:
        return False
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for ident in idents:
                done = connection.execute(
                    "UPDATE grants SET ended_ms = ?, spent = ? WHERE ident = ? AND (ended_ms = 0 OR spent = ?)",
                    (now_ms, request, ident, request),
                )
                if done.rowcount != 1:
                    raise _TakenError
    except (sqlite3.Error, _TakenError):
        return False
    finally:
        connection.close()
    return True


def new_ident() -> str:
    """An identifier that a person can type."""
    return f"g-{os.urandom(4).hex()}"


class _TakenError(Exception):
    """A grant was used by another request first."""


def _grant(row: Sequence[str | int]) -> Grant:
    ident, kind, rule, project, path, agent, call, until_ms, reason, by, at_ms = row
    return Grant(
        str(ident),
        str(kind),
        str(rule),
        project=str(project),
        path=str(path),
        agent=str(agent),
        call=str(call),
        until_ms=int(until_ms),
        reason=str(reason),
        by=str(by),
        at_ms=int(at_ms),
    )


def _open(state: State) -> sqlite3.Connection:
    path = path_of(state)
    try:
        if os.path.islink(path):
            raise BkError("the exceptions cannot be used", f"{path} is a symbolic link", "remove it")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.close(fd)
        connection = sqlite3.connect(path, timeout=2.0, isolation_level=None)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise _broken(error) from error
    return connection


def _broken(error: Exception) -> BkError:
    return BkError(
        "the exceptions cannot be used",
        f"{NAME}: {error}",
        "nothing is granted until it can be read; move the file away to start with none",
    )
