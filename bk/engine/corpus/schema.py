"""What `corpus.db` holds, and the one way to open it: made whole or not at all, never made anew over a damaged one."""

from __future__ import annotations

import os
import sqlite3

from bk.engine.errors import DEGRADED, TAMPERED, BkError

VERSION = 1
WAIT_S = 15.0
NAME = "corpus.db"
_RECOVER = "move the file away: what happened comes back from the ledger, what people labelled does not"

# `event` and `label` are evidence: the triggers hold even for somebody who has only sqlite3 at hand, also against
# REPLACE, which deletes without asking the trigger for deletions.
SCHEMA = f"""
CREATE TABLE event(
  id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, surface TEXT NOT NULL, level TEXT NOT NULL, session TEXT NOT NULL,
  cluster TEXT NOT NULL, purls TEXT NOT NULL, behaviour TEXT NOT NULL, decision TEXT NOT NULL, context TEXT NOT NULL
) STRICT;
CREATE INDEX event_at ON event(at_ms DESC, id DESC);
CREATE INDEX event_cluster ON event(cluster, at_ms);
CREATE INDEX event_trouble ON event(cluster, at_ms) WHERE level <> 'allow';
CREATE INDEX event_session ON event(session, at_ms) WHERE session <> '';
CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'an event is never changed'); END;
CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'an event is never deleted'); END;
CREATE TRIGGER event_once BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
  BEGIN SELECT raise(IGNORE); END;
CREATE TABLE label(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL, cluster TEXT NOT NULL,
  true_label TEXT NOT NULL CHECK(true_label IN ('malicious', 'benign', 'policy_correct', 'unresolved')),
  source TEXT NOT NULL, confidence TEXT NOT NULL CHECK(confidence IN ('high', 'medium', 'weak')),
  evidence TEXT NOT NULL, actor TEXT NOT NULL, human INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  supersedes TEXT NOT NULL
) STRICT;
CREATE INDEX label_cluster ON label(cluster);
CREATE INDEX label_human ON label(cluster) WHERE human = 1;
CREATE TRIGGER label_kept BEFORE UPDATE ON label BEGIN SELECT raise(ABORT, 'a label is never changed'); END;
CREATE TRIGGER label_stays BEFORE DELETE ON label BEGIN SELECT raise(ABORT, 'a label is never deleted'); END;
CREATE TRIGGER label_once BEFORE INSERT ON label
  WHEN EXISTS (SELECT 1 FROM label WHERE id = NEW.id OR seq = NEW.seq) BEGIN SELECT raise(IGNORE); END;
CREATE TABLE cluster(
  id TEXT PRIMARY KEY, surface TEXT NOT NULL, key TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
  n INTEGER NOT NULL, purls INTEGER NOT NULL, true_label TEXT NOT NULL, label TEXT NOT NULL,
  generation INTEGER NOT NULL, judged_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, gone TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX cluster_order ON cluster(judged_ms, first_ms, id) WHERE purls > 0;
CREATE INDEX cluster_due ON cluster(due_ms) WHERE due_ms > 0;
CREATE INDEX cluster_label ON cluster(true_label, last_ms) WHERE true_label <> 'unresolved';
CREATE TABLE package(
  purl TEXT NOT NULL, cluster TEXT NOT NULL, PRIMARY KEY(purl, cluster)
) STRICT, WITHOUT ROWID;
CREATE INDEX package_cluster ON package(cluster);
CREATE TABLE overlay_entry(
  id TEXT PRIMARY KEY, purl TEXT NOT NULL, ecosystem TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
  severity TEXT NOT NULL, reason TEXT NOT NULL, label TEXT NOT NULL, tier TEXT NOT NULL, created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, created_by TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('active', 'expired', 'revoked')), ended_by TEXT NOT NULL,
  ended_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX overlay_active ON overlay_entry(ecosystem, name, version) WHERE state = 'active';
CREATE TABLE envelope(
  id TEXT PRIMARY KEY, label TEXT NOT NULL, issuer TEXT NOT NULL, key_id TEXT NOT NULL, nonce TEXT NOT NULL,
  at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX envelope_nonce ON envelope(key_id, nonce);
CREATE TABLE running(start_ms INTEGER PRIMARY KEY, end_ms INTEGER NOT NULL, open INTEGER NOT NULL) STRICT;
CREATE TABLE cursor(name TEXT PRIMARY KEY, at INTEGER NOT NULL, said TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""  # noqa: S608 - our own number


def opened(path: str, *, write: bool) -> sqlite3.Connection:
    """A connection to the corpus. A reader of one that was never begun gets an empty one that is nowhere."""
    try:
        if write:
            if not os.path.lexists(path):
                _begun(path)
            con = sqlite3.connect(f"file:{_quoted(path)}?mode=rw", uri=True, timeout=WAIT_S, isolation_level=None)
            con.execute("PRAGMA synchronous = NORMAL")
        elif os.path.lexists(path):
            con = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=WAIT_S, isolation_level=None)
        else:
            con = sqlite3.connect(":memory:", isolation_level=None)
            con.executescript(SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise broken(error, path) from error
    try:
        _checked(con, path)
    except sqlite3.Error as error:
        con.close()
        raise broken(error, path) from error
    except BaseException:
        con.close()
        raise
    return con


def broken(error: OSError | sqlite3.Error, path: str) -> BkError:
    """What an error of the disk or of SQLite means for a person."""
    if isinstance(error, OSError):
        return BkError("the corpus cannot be used", f"{path}: {error.strerror}", "free the disk, or make it writable")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _full(path)):
        return BkError("the disk that holds the corpus is full", path, "free space on it; nothing is half written",
                       code=DEGRADED)  # fmt: skip
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return BkError("the corpus cannot be written", f"{path}: {error}", "make it writable for its owner",
                       code=DEGRADED)  # fmt: skip
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BkError("the corpus is being written by somebody else", path, "try again", code=DEGRADED)
    return BkError("the corpus is damaged", f"{path}: {error}", _RECOVER, code=TAMPERED)


def _full(path: str) -> bool:
    """An I/O error hides its reason, so the disk is asked."""
    try:
        room = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < 65536 or (room.f_files > 0 and room.f_favail == 0)


def _begun(path: str) -> None:
    """Make an empty corpus aside and give it its name only when it is whole; the first of several wins."""
    aside = f"{path}.{os.getpid()}.new"
    if os.path.lexists(aside):
        os.unlink(aside)
    os.close(os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    try:
        con = sqlite3.connect(aside, isolation_level=None)
        try:
            con.execute("PRAGMA journal_mode = WAL")
            con.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        finally:
            con.close()
        try:
            os.link(aside, path)
        except FileExistsError:
            return
    finally:
        os.unlink(aside)


def _checked(con: sqlite3.Connection, path: str) -> None:
    version = con.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        told = f"{path} has layout {version}, this bk knows {VERSION}"
        raise BkError("the corpus was written by a newer bk", told, "install that version again", code=DEGRADED)
    if version != VERSION:
        raise BkError("the corpus is damaged", f"{path} holds no layout", _RECOVER, code=TAMPERED)
    con.execute("SELECT at FROM cursor LIMIT 1").fetchall()
    con.execute("SELECT id FROM event LIMIT 1").fetchall()
    con.execute("SELECT id FROM label LIMIT 1").fetchall()


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
