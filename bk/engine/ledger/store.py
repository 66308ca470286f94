"""The one writer of the ledger: appends, finds, and brings to disk.

Constraint that shapes all of this: closing any descriptor of a file drops every POSIX lock that the process holds on
it, and SQLite locks `audit.db` that way. So nothing here ever opens `audit.db` except SQLite itself; what is synced by
hand is the `-wal` file, which SQLite does not lock.
"""

from __future__ import annotations

import _thread
import os
import sqlite3
import time

from bk.engine.ledger.birth import begin_ledger
from bk.engine.ledger.chain import body_of, body_parts, entry_of, leaf_of, link
from bk.engine.ledger.errors import LedgerError, from_os, from_sqlite
from bk.engine.ledger.mark import Mark, Record, boot_id, hold, to_disk
from bk.engine.ledger.schema import check_version, connect
from bk.engine.ledger.seal import KeyFile
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.ledger.checkpoint import Checkpoint
    from bk.engine.model import Json
    from bk.engine.state import State

_HEAD = "SELECT seq, mac, epoch, segment, first FROM head"
_INSERT = "INSERT OR IGNORE INTO entry(seq, body, leaf, mac) VALUES(?, ?, ?, ?)"
_TIDY_EVERY = 500  # entries; about half of the WAL's own limit, so a writer hardly ever pays for it


class Head:
    """Where the chain ends, as one transaction sees and moves it; `macs` are the links it added."""

    __slots__ = ("epoch", "first", "key", "mac", "macs", "moved", "segment", "seq")

    def __init__(self, seq: int, mac: bytes, epoch: int, segment: int, first: int) -> None:
        self.seq = seq
        self.mac = mac
        self.epoch = epoch
        self.segment = segment
        self.first = first
        self.key = b""
        self.macs: list[bytes] = []
        self.moved = False


class Ledger:
    """An open ledger. Safe to share between the threads of a process; any number of processes may hold one."""

    __slots__ = (
        "_boot", "_con", "_epoch", "_inode", "_keeper", "_key", "_lock", "_mark", "_noted", "_redact", "_tidied",
        "_users", "_wal", "_written", "ident", "keyfile", "state",
    )  # fmt: skip

    def __init__(self, state: State, redact: Callable[[Json], Json] | None) -> None:
        self.state = state
        self.keyfile = KeyFile(f"{state.keys}/seal")
        self.ident = b""
        self._redact = redact
        self._lock = _thread.RLock()
        self._con: sqlite3.Connection | None = None
        self._keeper: sqlite3.Connection | None = None
        self._mark: Mark | None = None
        self._users = self._wal = -1
        self._epoch = -1
        self._key = b""
        self._inode = 0
        self._written = self._noted = self._tidied = 0
        self._boot = boot_id()

    @classmethod
    def open(cls, state: State, *, redact: Callable[[Json], Json] | None = None, create: bool = True) -> Ledger:
        """The installation's ledger, begun when there never was one; refuses one that is not what it was."""
        made = cls(state, redact)
        try:
            made._open(create)
        except sqlite3.Error as error:
            made.close()
            raise from_sqlite(error, state.audit) from error
        except OSError as error:
            made.close()
            raise from_os(error, error.filename or state.mark) from error
        except BaseException:
            made.close()
            raise
        return made

    def _open(self, begin: bool) -> None:
        self._users = hold(self.state.mark)
        self._mark = mark = Mark(self.state.mark, create=begin)
        if mark.empty() or mark.read().seq == 0:
            begin_ledger(self.state, mark, self._boot, allowed=begin)
        record = mark.read()
        if not os.path.exists(self.state.audit):
            raise LedgerError("missing", f"{self.state.audit}: the mark says that it holds {record.seq} entries")
        if not os.access(self.state.audit, os.W_OK):  # SQLite would leave a -wal behind that stays read-only
            raise LedgerError("readonly", f"{self.state.audit} cannot be written")
        self._con = con = connect(self.state.audit)
        if not check_version(con, self.state.audit):
            raise LedgerError("corrupt", f"{self.state.audit} is empty; the mark says {record.seq} entries")
        self._inode = os.stat(self.state.audit).st_ino
        self.ident = record.ledger
        mark.lock()  # a commit, or a new epoch, between two of the reads would look like damage
        try:
            self._compare(mark.read())
        finally:
            mark.unlock()

    def _compare(self, record: Record) -> None:
        """Refuse a database that has gone back behind the mark, or that holds another history."""
        head = self._read_head()
        path = self.state.audit
        con = self._sql()
        known = con.execute("SELECT value FROM meta WHERE key = 'ledger'").fetchone()
        if known is None or known[0] != record.ledger.hex():
            raise LedgerError("corrupt", f"{path} belongs to another installation")
        last = con.execute("SELECT seq, mac FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        if head.seq >= head.first and last != (head.seq, head.mac):
            cause = "rolled-back" if last is None or last[0] < head.seq else "corrupt"
            raise LedgerError(cause, f"{path}: its last entry is not the one that its head names")
        if head.seq < record.seq:
            if record.boot == self._boot or head.seq < self._marked().synced()[1]:
                raise LedgerError("rolled-back", f"{path} ends at {head.seq}, it had come to {record.seq}")
        elif record.seq:
            found = con.execute("SELECT mac FROM entry WHERE seq = ?", (record.seq,)).fetchone()
            if found is None and record.seq == head.first - 1:
                found = con.execute("SELECT before FROM segment WHERE number = ?", (head.segment,)).fetchone()
            if found is None or found[0] != record.mac:
                raise LedgerError("rolled-back", f"{path}: entry {record.seq} is not the one that was recorded")
        self._key_of(head.epoch)
        if head.seq < record.seq:
            self._say_lost(record)

    def _say_lost(self, record: Record) -> None:
        """A power cut may cost what was not yet on disk, and only then; it is recorded, not refused."""
        head = self.begin()
        try:
            if head.seq < record.seq:
                data = {
                    "verb": "tail lost",
                    "detail": f"tail lost in a power cut: seq {head.seq + 1}..{record.seq}",
                    "from": head.seq + 1,
                    "to": record.seq,
                    "mac": record.mac.hex(),
                }
                self.put(head, Entry("engine", "ledger", data, level="warn"))
                self._marked().set_synced(self._boot, head.seq - 1, lower=True)
            self.commit(head)
        except BaseException:
            self.abort()
            raise
        self._flush_wal()

    # ---- one transaction: begin, put …, commit or abort

    def begin(self) -> Head:
        """Take the write lock of all processes and see where the chain ends."""
        mark = self._marked()
        self._lock.acquire()
        try:
            mark.lock()
        except BaseException:
            self._lock.release()
            raise
        try:
            self._still_there()
            self._sql().execute("BEGIN IMMEDIATE")
            head = self._read_head()
            head.key = self._key_of(head.epoch)
        except BaseException:
            self.abort()
            raise
        return head

    def put(self, head: Head, entry: Entry, parts: tuple[bytes, bytes] | None = None) -> Entry:
        """Chain one entry; a call that is already recorded gives the recorded entry instead."""
        at = entry.at or time.time_ns() // 1_000_000
        seq = head.seq + 1
        body = body_of(parts or body_parts(entry, entry.data), at, seq)
        leaf = leaf_of(body)
        mac = link(head.key, head.mac, leaf)
        if self._sql().execute(_INSERT, (seq, body.decode(), leaf, mac)).rowcount == 0:
            held = self.find_call(entry.call)
            if held is None:
                raise LedgerError("corrupt", f"{self.state.audit} holds an entry {seq} that its head does not know")
            return held
        head.seq, head.mac = seq, mac
        head.macs.append(mac)
        return Entry(entry.kind, entry.actor, entry.data, level=entry.level, call=entry.call, at=at, seq=seq)

    def commit(self, head: Head) -> None:
        """Commit the transaction, then raise the mark: never the other way round, or a crash would cry wolf."""
        con = self._sql()
        if head.macs or head.moved:
            con.execute(
                "UPDATE head SET seq = ?, mac = ?, epoch = ?, segment = ?, first = ?",
                (head.seq, head.mac, head.epoch, head.segment, head.first),
            )
        con.execute("COMMIT")
        mark = self._marked()
        if head.macs or head.moved:
            record = Record(self.ident, self._boot, epoch=head.epoch, segment=head.segment, seq=head.seq, mac=head.mac)
            mark.raise_to(record, head.macs)
            self._written = head.seq
        mark.unlock()
        self._lock.release()

    def abort(self) -> None:
        """Undo the transaction and let others write; what was committed before stays."""
        try:
            if self._con is not None and self._con.in_transaction:
                self._con.execute("ROLLBACK")
        finally:
            self._marked().unlock()
            self._lock.release()

    # ---- what the rest of the program uses

    def append(self, entries: Sequence[Entry], *, sync: bool = False) -> list[Entry]:
        """Record these entries in one transaction; with `sync` they also survive a power cut from here on."""
        clean: list[tuple[Entry, tuple[bytes, bytes]]] = []
        for entry in entries:
            data = entry.data if self._redact is None else self._redact(entry.data)
            kept = Entry(entry.kind, entry.actor, data, level=entry.level, call=entry.call, at=entry.at)
            clean.append((kept, body_parts(kept, data)))
        try:
            head = self.begin()
            try:
                stored = [self.put(head, entry, parts) for entry, parts in clean]
                self.commit(head)
            except BaseException:
                self.abort()
                raise
            if sync:
                self._flush_wal()
        except sqlite3.Error as error:
            raise from_sqlite(error, self.state.audit) from error
        except OSError as error:
            raise from_os(error, error.filename or self.state.mark) from error
        return stored

    def find_call(self, call: str) -> Entry | None:
        """The entry that this request already has."""
        if not call:
            return None
        row = self._rows("SELECT body FROM entry WHERE call = ? AND call <> ''", (call,))
        return entry_of(row[0][0]) if row else None

    def entries(self, *, after: int = 0, limit: int = 100) -> list[Entry]:
        """Entries in order, from the one after `after`."""
        rows = self._rows("SELECT body FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [entry_of(row[0]) for row in rows]

    def head(self) -> tuple[int, bytes]:
        """The last sequence number and its chain value."""
        seq, mac, *_ = self._rows(_HEAD)[0]
        return seq, mac

    def sync(self) -> None:
        """Bring what was committed to disk, off the hot path; every 100 ms bounds what a power cut can cost."""
        written = self._written
        if written <= self._noted:
            return
        mark = self._marked()
        try:
            self._flush_wal()
            with self._lock:
                mark.lock()
                try:
                    mark.set_synced(self._boot, written)
                finally:
                    mark.unlock()
            mark.flush()
            self._noted = written
            if written - self._tidied >= _TIDY_EVERY:
                self.keeper().execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._tidied = written
        except sqlite3.Error as error:
            raise from_sqlite(error, self.state.audit) from error
        except OSError as error:
            raise from_os(error, error.filename or self.state.mark) from error

    def checkpoint(self) -> Checkpoint | None:
        """Sign what is new, if anything, and let the key evolve."""
        from bk.engine.ledger.checkpoint import sign_new

        return sign_new(self)

    def tidy(self, *, segment_entries: int, retention_days: int) -> None:
        """Close a segment that is long enough, drop files that are old enough; may take minutes, so not on a loop."""
        from bk.engine.ledger.segment import tidy

        tidy(self, entries=segment_entries, days=retention_days)

    def close(self) -> None:
        """Let go of every file; what was committed stays."""
        for con in (self._keeper, self._con):
            if con is not None:
                con.close()
        self._keeper = self._con = None
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        for fd in (self._wal, self._users):
            if fd >= 0:
                os.close(fd)
        self._wal = self._users = -1

    # ---- inside

    def keeper(self) -> sqlite3.Connection:
        """A second connection for long work, so that it never makes an append wait."""
        if self._keeper is None:
            self._keeper = connect(self.state.audit)
        return self._keeper

    def flushed(self) -> None:
        """Everything committed is on disk when this returns."""
        self._flush_wal()

    def look(self) -> Head:
        """Where the chain ends now; without the key, which another process may replace in the meantime."""
        with self._lock:
            return self._read_head()

    def key_of(self, epoch: int) -> bytes:
        """The present epoch's key, for a holder of the right to sign: for others it may change meanwhile."""
        with self._lock:
            return self._key_of(epoch)

    def forget_key(self) -> None:
        """Read the key file again before the next link is made."""
        self._epoch = -1

    def sql(self) -> sqlite3.Connection:
        """The writing connection, for a caller that is between `begin` and `commit`."""
        return self._sql()

    def _sql(self) -> sqlite3.Connection:
        if self._con is None:
            raise LedgerError("missing", "this ledger was closed", "open it again")
        return self._con

    def _marked(self) -> Mark:
        if self._mark is None:
            raise LedgerError("missing", "this ledger was closed", "open it again")
        return self._mark

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Json, ...]]:
        try:
            with self._lock:
                return self._sql().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise from_sqlite(error, self.state.audit) from error

    def _read_head(self) -> Head:
        row = self._sql().execute(_HEAD).fetchone()
        if row is None:
            raise LedgerError("corrupt", f"{self.state.audit} has no head")
        return Head(*row)

    def _key_of(self, epoch: int) -> bytes:
        if epoch != self._epoch:
            self._key = self.keyfile.key(epoch, self._started)
            self._epoch = epoch
        return self._key

    def _started(self, epoch: int) -> bool:
        return bool(self._sql().execute("SELECT 1 FROM seal WHERE epoch = ?", (epoch,)).fetchone())

    def _still_there(self) -> None:
        """A deleted file can be written for as long as it is open, and everything written is lost."""
        try:
            same = os.stat(self.state.audit).st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            raise LedgerError("missing", f"{self.state.audit} was removed or replaced while it was open")
        if os.fstat(self._marked().fd).st_nlink == 0:
            raise LedgerError("missing", f"{self.state.mark} was removed while it was open")

    def _flush_wal(self) -> None:
        if self._wal < 0:
            self._wal = os.open(f"{self.state.audit}-wal", os.O_RDONLY | os.O_CLOEXEC)
            to_disk(self.state.root)
        os.fdatasync(self._wal)
