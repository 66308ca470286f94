"""What a segment's database holds, and the two ways to open one."""

from __future__ import annotations

import os
import sqlite3

from bk.engine.ledger.errors import LedgerError, from_sqlite

VERSION = 1

# What consoles filter on is generated from the body, so an indexed value can never differ from what was hashed. The
# one index is there because a request may be answered only once; every other would be paid for on each append.
SCHEMA = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE entry(
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  leaf BLOB NOT NULL,
  mac BLOB NOT NULL,
  at INTEGER GENERATED ALWAYS AS (json_extract(body, '$.at')) VIRTUAL,
  kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,
  level TEXT GENERATED ALWAYS AS (json_extract(body, '$.level')) VIRTUAL,
  actor TEXT GENERATED ALWAYS AS (json_extract(body, '$.actor')) VIRTUAL,
  call TEXT GENERATED ALWAYS AS (json_extract(body, '$.call')) VIRTUAL,
  event TEXT GENERATED ALWAYS AS (json_extract(body, '$.data.event')) VIRTUAL,
  harness TEXT GENERATED ALWAYS AS (json_extract(body, '$.data.harness')) VIRTUAL,
  tool TEXT GENERATED ALWAYS AS (json_extract(body, '$.data.tool')) VIRTUAL,
  session TEXT GENERATED ALWAYS AS (json_extract(body, '$.data.session')) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX entry_call ON entry(call) WHERE call <> '';
CREATE TABLE head(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  seq INTEGER NOT NULL, mac BLOB NOT NULL, epoch INTEGER NOT NULL, segment INTEGER NOT NULL, first INTEGER NOT NULL
) STRICT;
CREATE TABLE segment(
  number INTEGER PRIMARY KEY,
  first INTEGER NOT NULL, last INTEGER, before BLOB NOT NULL, epoch INTEGER NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('open', 'closed', 'archived', 'dropped', 'lost')),
  by INTEGER NOT NULL DEFAULT 0,
  folded INTEGER NOT NULL DEFAULT 0, peaks BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE TABLE checkpoint(
  seq INTEGER PRIMARY KEY, segment INTEGER NOT NULL, size INTEGER NOT NULL, epoch INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TABLE tile(segment INTEGER, number INTEGER, hash BLOB NOT NULL, PRIMARY KEY(segment, number))
  STRICT, WITHOUT ROWID;
CREATE TABLE seal(epoch INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
PRAGMA user_version = {VERSION};
"""

_WAL_PAGES = 4000  # a writer checkpoints the WAL itself only when no engine did so in time


def connect(path: str) -> sqlite3.Connection:
    """A connection that writes. COMMIT must not fsync: durability is the ledger's own fdatasync of the WAL."""
    try:
        con = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
        con.execute("PRAGMA synchronous = NORMAL")
        con.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    return con


def create(path: str, lines: str = "", *, alone: bool = False) -> sqlite3.Connection:
    """A new segment, readable by its owner alone from the first byte on; `alone` means one file without a -wal."""
    before = os.umask(0o077)
    try:
        con = connect(path)
        con.execute(f"PRAGMA journal_mode = {'OFF' if alone else 'WAL'}")
        con.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {lines} COMMIT;")
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    finally:
        os.umask(before)
    return con


def reader(path: str) -> sqlite3.Connection:
    """A connection that cannot write, also for a file on a medium that cannot be written."""
    if not os.path.isfile(path):
        raise LedgerError("missing", f"{path} does not exist")
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    still = os.path.exists(f"{path}-wal") or os.access(os.path.dirname(os.path.abspath(path)), os.W_OK)
    options = "mode=ro" if still else "mode=ro&immutable=1"
    try:
        con = sqlite3.connect(f"file:{quoted}?{options}", uri=True, isolation_level=None, check_same_thread=False)
        con.execute("PRAGMA query_only = ON")
        check_version(con, path)
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    return con


def check_version(con: sqlite3.Connection, path: str) -> int:
    """The file's format; 0 for a database that is still empty."""
    found: int = con.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise LedgerError("newer", f"{path} has format {found}, this bk knows {VERSION}")
    return found


def first_lines(ident: bytes, segment: int, first: int, before: bytes, epoch: int) -> str:
    """The rows that a new segment starts with, in SQL, so that they are committed with the schema."""
    return f"""
      INSERT INTO meta VALUES('ledger', '{ident.hex()}');
      INSERT INTO head VALUES(1, {first - 1}, x'{before.hex()}', {epoch}, {segment}, {first});
      INSERT INTO segment(number, first, before, epoch, state)
        VALUES({segment}, {first}, x'{before.hex()}', {epoch}, 'open');
    """
