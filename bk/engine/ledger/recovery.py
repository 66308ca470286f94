"""Going on after damage: the bad file is set aside, never deleted, and a new segment begins by naming what was lost."""

from __future__ import annotations

import os
import sqlite3
import time

from bk.engine.errors import BkError
from bk.engine.ledger.chain import ORIGIN, body_of, body_parts, leaf_of, link
from bk.engine.ledger.checkpoint import notes_path
from bk.engine.ledger.errors import LedgerError, from_os, from_sqlite
from bk.engine.ledger.mark import Mark, Record, boot_id, hold, to_disk
from bk.engine.ledger.note import public_key
from bk.engine.ledger.schema import create, first_lines, reader
from bk.engine.ledger.seal import KeyFile
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import archives, verify
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

_CURABLE = ("missing", "corrupt", "rolled-back")


class Recovered:
    """What a recovery did: why, which entries are lost, what was set aside, and the entry that says so."""

    __slots__ = ("aside", "cause", "detail", "lost", "seq")

    def __init__(self, cause: str, detail: str, lost: tuple[int, int], *, aside: list[str], seq: int) -> None:
        self.cause = cause
        self.detail = detail
        self.lost = lost
        self.aside = aside
        self.seq = seq


class _Known:
    """The most that is still known of the ledger, from every place that remembers it."""

    def __init__(self, state: State) -> None:
        self.ident = b""
        self.last = 0
        self.segment = 0
        self.epoch = -1
        self.mac = ORIGIN
        self.kept: list[tuple[int, int, int, bytes, int, bytes]] = []
        self._archives(state)
        self._notes(state)
        self._database(state)
        self._mark(state)
        public = public_key(state.keys)
        if not self.ident and public is not None:
            self.ident = bytes.fromhex(public.name.rpartition("/")[2])

    def _see(self, last: int, segment: int, epoch: int, mac: bytes | None) -> None:
        if last >= self.last and mac is not None:
            self.mac = mac
        self.last = max(self.last, last)
        self.segment = max(self.segment, segment)
        self.epoch = max(self.epoch, epoch)

    def _archives(self, state: State) -> None:
        for first, last, path in archives(state.root):
            try:
                con = reader(path)
            except LedgerError:
                continue
            try:
                self._read(con)
                row = con.execute(
                    "SELECT number, s.first, last, before, s.epoch, mac FROM segment s JOIN head h ON segment = number"
                ).fetchone()
                if row is not None and row[1:3] == (first, last):
                    self.kept.append(row)
            except sqlite3.Error:
                continue
            finally:
                con.close()

    def _database(self, state: State) -> None:
        try:
            con = reader(state.audit)
        except LedgerError:
            return
        try:
            self._read(con)
        except sqlite3.Error:
            return
        finally:
            con.close()

    def _read(self, con: sqlite3.Connection) -> None:
        meta = con.execute("SELECT value FROM meta WHERE key = 'ledger'").fetchone()
        seq, mac, epoch, segment = con.execute("SELECT seq, mac, epoch, segment FROM head").fetchone()
        self.ident = bytes.fromhex(meta[0])
        self._see(seq, segment, epoch, mac)

    def _notes(self, state: State) -> None:
        try:
            with open(notes_path(state), encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            return
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "seq" and rest.isdecimal():
                self._see(int(rest), 0, 0, None)
            elif word == "seal" and rest.partition(" ")[0].isdecimal():
                self._see(0, 0, int(rest.partition(" ")[0]) + 1, None)
            elif line.startswith("bk/") and line.rpartition("/")[2].isdecimal():
                self._see(0, int(line.rpartition("/")[2]), 0, None)

    def _mark(self, state: State) -> None:
        try:
            mark = Mark(state.mark)
        except LedgerError:
            return
        try:
            record = mark.read()
        except LedgerError:
            return
        finally:
            mark.close()
        self.ident = record.ledger
        self._see(record.seq, record.segment, record.epoch, record.mac)


def diagnose(state: State) -> LedgerError | None:
    """Why the ledger must not be used as it is; None when it opens and verifies."""
    try:
        Ledger.open(state, create=False).close()
    except LedgerError as error:
        return error
    report = verify(state)
    if report.ok:
        return None
    first = report.problems[0]
    for start, stop, path in archives(state.root):
        if start <= first.seq <= stop and report.problems[-1].seq <= stop:
            raise BkError("a closed segment's file is not what it was", f"{path}: {first}", "restore it from a copy")
    return LedgerError("corrupt", str(first))


def recover(state: State, *, actor: str = "admin") -> Recovered | None:
    """Set a damaged ledger aside and begin a new segment after it; None for one that opens and verifies."""
    wrong = diagnose(state)
    if wrong is None:
        return None
    if wrong.cause not in _CURABLE:
        raise wrong
    users = hold(state.mark, alone=True)
    try:
        return _recover(state, wrong, actor)
    except OSError as error:
        raise from_os(error, error.filename or state.root) from error
    except sqlite3.Error as error:
        raise from_sqlite(error, state.audit) from error
    finally:
        os.close(users)


def _recover(state: State, wrong: LedgerError, actor: str) -> Recovered:
    known = _Known(state)
    if not known.ident and not known.last and wrong.cause == "missing" and not os.path.exists(state.audit):
        raise wrong
    ident = known.ident or os.urandom(16)
    segment, seq = known.segment + 1, known.last + 1
    keyfile = KeyFile(f"{state.keys}/seal")
    epoch, key, fresh = _key(keyfile, known.epoch)
    lost = (max((row[2] for row in known.kept), default=0) + 1, known.last)
    aside = _names_aside(state)
    data = {
        "verb": "recovered",
        "cause": wrong.cause,
        "detail": wrong.detail,
        "lost": {"from": lost[0], "to": lost[1]},
        "mark": {"seq": known.last, "mac": known.mac.hex(), "segment": known.segment},
        "set_aside": [os.path.basename(new) for _, new in aside],
    }
    entry = Entry("segment", actor, data, level="warn")
    body = body_of(body_parts(entry, data), time.time_ns() // 1_000_000, seq)
    leaf = leaf_of(body)
    mac = link(key, known.mac, leaf)
    fresh_path = f"{state.audit}.new"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(fresh_path + suffix):
            os.unlink(fresh_path + suffix)
    if fresh:
        keyfile.settle(epoch, key)
    con = create(fresh_path, first_lines(ident, segment, seq, known.mac, epoch))
    try:
        con.execute("BEGIN")
        con.execute("INSERT INTO entry(seq, body, leaf, mac) VALUES(?, ?, ?, ?)", (seq, body.decode(), leaf, mac))
        con.execute("UPDATE head SET seq = ?, mac = ?", (seq, mac))
        con.executemany(
            "INSERT INTO segment(number, first, last, before, epoch, state, by) VALUES(?, ?, ?, ?, ?, ?, ?)",
            _past(known, segment, seq, epoch),
        )
        if fresh:
            con.execute("INSERT INTO seal(epoch, seq) VALUES(?, ?)", (epoch, seq))
        con.execute("COMMIT")
    finally:
        con.close()
    to_disk(fresh_path)
    for old, new in aside:
        os.rename(old, new)
    os.rename(fresh_path, state.audit)
    to_disk(state.root)
    record = Record(ident, boot_id(), epoch=epoch, segment=segment, seq=seq, mac=mac)
    mark = Mark(state.mark, create=True)
    try:
        mark.begin(record)
        mark.raise_to(record, [mac])
        mark.flush()
    finally:
        mark.close()
    return Recovered(wrong.cause, wrong.detail, lost, aside=[new for _, new in aside], seq=seq)


def _past(known: _Known, segment: int, seq: int, epoch: int) -> list[tuple[object, ...]]:
    """A row for every earlier segment: its file is there, or this recovery declares the gap lost."""
    rows: list[tuple[object, ...]] = []
    at, mac = 1, ORIGIN
    for number, first, last, before, began, end in sorted(known.kept):
        if first > at:
            rows.append((number - 1, at, first - 1, mac, began, "lost", seq))
        rows.append((number, first, last, before, began, "archived", 0))
        at, mac = last + 1, end
    if seq > at:
        rows.append((segment - 1, at, seq - 1, mac, epoch, "lost", seq))
    return rows


def _key(keyfile: KeyFile, epoch: int) -> tuple[int, bytes, bool]:
    """The key to go on with: the one on file, or a fresh one when it is gone or younger than what it should seal."""
    try:
        slots = keyfile.slots()
    except LedgerError:
        slots = {}
    held = [(number, key) for number, (key, fresh) in slots.items() if not fresh]
    if held and max(held)[0] >= epoch:
        number, key = max(held)
        return number, key, False
    return max(epoch, 0) + 1, os.urandom(32), True


def _names_aside(state: State) -> list[tuple[str, str]]:
    """Old and new names; the suffixes stay behind, so that SQLite still finds the parts of one database."""
    bad = f"{state.audit}.bad-{time.time_ns() // 1_000_000}"
    return [(state.audit + end, bad + end) for end in ("", "-wal", "-shm") if os.path.exists(state.audit + end)]
