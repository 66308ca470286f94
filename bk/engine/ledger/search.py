"""The side index: what lets a filter over millions of entries answer at once. Nothing depends on it.

It lies beside the ledger in a file of its own, is made from the entries alone and never by an append, and holds per
entry the columns that people filter and sort by, and per block of entries the bitmap of `grams`. A file that is
missing, damaged, of another ledger or of another version is made anew; verification never looks at it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence

from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.grams import bitmap
from bk.engine.ledger.schema import reader
from bk.engine.ledger.verify import archives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

NAME = "search.db"
VERSION = 1
BLOCK = 128
FACETS = ("kind", "level", "actor", "harness", "tool", "session")
SORTED = ("kind", "level", "harness", "tool")
_CACHE_KB = 8_000
_BATCH = 16  # blocks in one transaction
_WORDS_HELD = 20_000
_SCHEMA = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE facet(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL,
  {", ".join(f"{name} INTEGER" for name in FACETS)}) STRICT;
CREATE TABLE block(number INTEGER PRIMARY KEY, last INTEGER NOT NULL, mac BLOB NOT NULL, bits BLOB NOT NULL) STRICT;
{" ".join(f"CREATE INDEX facet_{name} ON facet({name});" for name in SORTED)}
PRAGMA user_version = {VERSION};
"""
_ROWS = "SELECT seq, mac, CAST(body AS BLOB) FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq"
_COLUMNS = (
    "SELECT seq, at, kind, level, actor, harness, tool, session FROM entry "
    "WHERE seq > ? AND seq <= ? AND json_valid(body) ORDER BY seq"
)
_UPTO = "SELECT value FROM meta WHERE key = 'upto'"
_PUT = "INSERT OR REPLACE INTO facet VALUES(?, ?, ?, ?, ?, ?, ?, ?)"

Span = tuple[int, int, str]


def path_of(state: State) -> str:
    """Where the side index is kept."""
    return f"{state.root}/{NAME}"


def spans(state: State) -> list[Span]:
    """The files of the ledger, oldest first: (the entry before its first, its last entry, path).

    The current file keeps a closed segment's entries for a while; the segment's own file counts for those.
    """
    closed = archives(state.root) if os.path.isdir(state.root) else []
    found = [(first - 1, last, path) for first, last, path in closed]
    if os.path.exists(state.audit):
        found.append((closed[-1][1] if closed else 0, newest(state.audit), state.audit))
    return [span for span in found if span[1] > span[0]]


def newest(path: str) -> int:
    """The number of a file's last entry, 0 when it has none."""
    con = reader(path)
    try:
        return int(con.execute("SELECT max(seq) FROM entry").fetchone()[0] or 0)
    finally:
        con.close()


class Index:
    """The side index, opened for reading. `upto` is the last entry that it knows."""

    def __init__(self, con: sqlite3.Connection, upto: int) -> None:
        self.con = con
        self.upto = upto

    @classmethod
    def open(cls, state: State, files: Sequence[Span] | None = None) -> Index | None:
        """The index when there is one that fits this ledger; None otherwise, and never an error."""
        path = path_of(state)
        if not os.path.isfile(path):
            return None
        try:
            con = reader(path)
        except LedgerError:
            return None
        try:
            con.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            upto = _fits(con, spans(state) if files is None else files)
            if upto is not None:
                return cls(con, upto)
        except (sqlite3.Error, LedgerError, OSError):
            pass  # whatever is wrong with it: the ledger itself is read instead, and the next catch-up makes it anew
        con.close()
        return None

    def close(self) -> None:
        """Let go of the file."""
        self.con.close()


def known(state: State) -> int:
    """The last entry that the index knows, 0 when there is none that fits."""
    index = Index.open(state)
    if index is None:
        return 0
    index.close()
    return index.upto


def whole_blocks(seq: int) -> int:
    """The last entry that an index can know while this one is the newest: a block is taken in when it is full."""
    return seq // BLOCK * BLOCK


def catch_up(
    state: State,
    *,
    wanted: Callable[[], bool] = lambda: True,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Take in the entries that are new; returns the last one that is known now.

    For a worker thread or an idle moment: it opens its own connections, and stops when it is not wanted any more.
    Where another process is at it already, or the disk is full, it leaves things as they are.
    """
    try:
        return extend(state, wanted=wanted, tell=tell)
    except (sqlite3.Error, LedgerError, OSError):
        return known(state)  # the ledger itself is still read


def extend(
    state: State,
    *,
    wanted: Callable[[], bool] = lambda: True,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """The same for who must know why it went no further: raises sqlite3.Error, LedgerError or OSError."""
    files = spans(state)
    goal = whole_blocks(files[-1][1]) if files else 0
    index = Index.open(state, files)
    upto = index.upto if index is not None else 0
    if index is not None:
        index.close()
    if upto >= goal:
        return upto
    try:
        return _build(state, files, _ledger(files), goal, fresh=index is None, wanted=wanted, tell=tell)
    except sqlite3.OperationalError:
        raise  # locked by another process that does the same, or no room: what there is stays
    except sqlite3.DatabaseError:
        _remove(path_of(state))  # damaged where opening it did not see it: made anew the next time
        raise


def _build(
    state: State,
    files: Sequence[Span],
    ident: str,
    goal: int,
    *,
    fresh: bool,
    wanted: Callable[[], bool],
    tell: Callable[[int, int], None],
) -> int:
    path = path_of(state)
    if fresh:
        _remove(path)
    con = _writer(path, ident)
    try:
        upto = int(con.execute(_UPTO).fetchone()[0])
        upto = max(upto, files[0][0] // BLOCK * BLOCK)
        words = {text: ident for ident, text in con.execute("SELECT id, text FROM word")}
        while upto < goal and wanted():
            end = min(goal, upto + BLOCK * _BATCH)
            con.execute("BEGIN IMMEDIATE")
            try:
                there = int(con.execute(_UPTO).fetchone()[0])
                if there > upto:  # somebody else takes entries in too
                    upto = there
                    con.execute("ROLLBACK")
                    continue
                _take(con, files, words, upto, end)
                con.execute("UPDATE meta SET value = ? WHERE key = 'upto'", (str(end),))
                con.execute("DELETE FROM facet WHERE seq <= ?", (files[0][0],))
                con.execute("DELETE FROM block WHERE number < ?", (files[0][0] // BLOCK,))
                con.execute("COMMIT")
            except BaseException:
                if con.in_transaction:
                    con.execute("ROLLBACK")
                raise
            upto = end
            tell(upto, goal)
        return upto
    finally:
        con.close()


def _take(con: sqlite3.Connection, files: Sequence[Span], words: dict[str, int], after: int, upto: int) -> None:
    """Take in whole blocks, whichever files their entries are in."""
    bodies: dict[int, list[bytes]] = {}
    ends: dict[int, tuple[int, bytes]] = {}
    for before, last, path in files:
        if before >= upto or last <= after:
            continue
        source = reader(path)
        try:
            low, high = max(before, after), min(last, upto)
            for seq, mac, body in source.execute(_ROWS, (low, high)):
                number = (seq - 1) // BLOCK
                bodies.setdefault(number, []).append(body)
                ends[number] = (seq, mac)
            rows = [
                (row[0], row[1], *(_word(con, words, value) for value in row[2:]))
                for row in source.execute(_COLUMNS, (low, high))
                if isinstance(row[1], int)
            ]
        finally:
            source.close()
        con.executemany(_PUT, rows)
    for number, held in bodies.items():
        last, mac = ends[number]
        con.execute("INSERT OR REPLACE INTO block VALUES(?, ?, ?, ?)", (number, last, mac, bitmap(held)))


def _word(con: sqlite3.Connection, words: dict[str, int], value: object) -> int | None:
    """The number of a word, given to it when it is met for the first time; only text is one."""
    if not isinstance(value, str):
        return None
    known = words.get(value)
    if known is None:
        made = con.execute("INSERT INTO word(text) VALUES(?) ON CONFLICT DO NOTHING", (value,))
        if made.rowcount:
            known = int(made.lastrowid or 0)
        else:
            known = int(con.execute("SELECT id FROM word WHERE text = ?", (value,)).fetchone()[0])
        if len(words) >= _WORDS_HELD:
            words.clear()
        words[value] = known
    return known


def _fits(con: sqlite3.Connection, files: Sequence[Span]) -> int | None:
    """The last entry an index knows; None when it is of another ledger, or of one that has gone back since."""
    if con.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        return None
    meta = dict(con.execute("SELECT key, value FROM meta"))
    if meta.get("ledger") != _ledger(files):
        return None
    upto = int(meta["upto"])
    row = con.execute("SELECT last, mac FROM block ORDER BY number DESC LIMIT 1").fetchone()
    if row is None:
        return upto
    for before, last, path in reversed(files):
        if before < row[0] <= last:
            held = reader(path)
            try:
                found = held.execute("SELECT mac FROM entry WHERE seq = ?", (row[0],)).fetchone()
            finally:
                held.close()
            return upto if found is not None and found[0] == row[1] else None
    return None


def _ledger(files: Sequence[Span]) -> str:
    """The name of the ledger that these files are of."""
    if not files:
        return ""
    con = reader(files[-1][2])
    try:
        row = con.execute("SELECT value FROM meta WHERE key = 'ledger'").fetchone()
    finally:
        con.close()
    text = str(row[0]) if row else ""
    return text if text.isalnum() else ""


def _writer(path: str, ident: str) -> sqlite3.Connection:
    before = os.umask(0o077)
    try:
        con = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
        try:
            con.execute("PRAGMA synchronous = NORMAL")
            con.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            if con.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                con.execute("PRAGMA journal_mode = WAL")
                con.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA}INSERT INTO meta VALUES('ledger', '{ident}'), ('upto', '0'); COMMIT;"
                )
        except BaseException:
            con.close()
            raise
    finally:
        os.umask(before)
    return con


def _remove(path: str) -> None:
    for name in (path, f"{path}-wal", f"{path}-shm"):
        try:
            os.unlink(name)
        except FileNotFoundError:
            continue
