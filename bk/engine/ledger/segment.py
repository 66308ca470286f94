"""Closing a segment and beginning the next, keeping closed ones as files, and dropping the oldest.

The live file is never renamed: processes that hold it open would go on writing its old `-wal`, which belongs by name to
the new file. Instead a closed segment is copied out into a file of its own, and its entries are taken out of the live
file one rotation later, so that consoles and repeated calls still find the recent past.
"""

from __future__ import annotations

import os
import sqlite3
import time

from bk.engine.ledger.checkpoint import Signing
from bk.engine.ledger.errors import from_os, from_sqlite
from bk.engine.ledger.mark import to_disk
from bk.engine.ledger.schema import create, reader
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.ledger.store import Ledger

_COPY = 500
_DELETE = 200
_DAY_MS = 86_400_000
_TABLES = {
    "meta": "SELECT * FROM meta",
    "seal": "SELECT * FROM seal",
    "tile": "SELECT * FROM tile WHERE segment = :number",
    "checkpoint": "SELECT * FROM checkpoint WHERE segment = :number",
    "segment": "SELECT number, first, last, before, epoch, 'closed', by, folded, peaks FROM segment "
    "WHERE number = :number",
    "head": "SELECT 1, s.last, (SELECT mac FROM entry WHERE seq = s.last), "
    "coalesce((SELECT max(epoch) + 1 FROM checkpoint WHERE segment = s.number), s.epoch), s.number, s.first "
    "FROM segment s WHERE number = :number",
}


def rotate(ledger: Ledger, *, actor: str = "ledger") -> str | None:
    """Sign and close the current segment and begin the next; returns the closed one's file, None when it is empty."""
    try:
        seen = ledger.look()
        if seen.seq < seen.first:
            return None
        with Signing(ledger) as signing:
            head, fold = signing.caught_up()
            try:
                con = ledger.sql()
                number, first, last, mac = head.segment, head.first, head.seq, head.mac
                row = con.execute("SELECT note FROM checkpoint WHERE seq = ?", (last,)).fetchone()
                note = row[0] if row else signing.sign(head, fold).note
                con.execute("UPDATE segment SET state = 'closed', last = ? WHERE number = ?", (last, number))
                con.execute(
                    "INSERT INTO segment(number, first, before, epoch, state) VALUES(?, ?, ?, ?, 'open')",
                    (number + 1, last + 1, mac, head.epoch),
                )
                head.segment, head.first = number + 1, last + 1
                previous = {"segment": number, "first": first, "last": last, "mac": mac.hex(), "note": note}
                data = {"verb": "begun", "previous": previous, "public_key": str(signing.public)}
                signing.named_at(number + 1, ledger.put(head, Entry("segment", actor, data)).seq)
                ledger.commit(head)
            except BaseException:
                ledger.abort()
                raise
            signing.settle()
            _finish(ledger)
    except sqlite3.Error as error:
        raise from_sqlite(error, ledger.state.audit) from error
    except OSError as error:
        raise from_os(error, error.filename or ledger.state.root) from error
    return file_of(ledger, first, last)


def tidy(ledger: Ledger, *, entries: int, days: int) -> None:
    """What is due now: close a segment that is long enough, finish what was interrupted, drop what is old enough."""
    seen = ledger.look()
    if seen.seq - seen.first + 1 >= entries:
        rotate(ledger)
    elif ledger.keeper().execute("SELECT 1 FROM segment WHERE state = 'closed'").fetchone():
        finish(ledger)
    retention(ledger, days)


def file_of(ledger: Ledger, first: int, last: int) -> str:
    """Where a closed segment is kept."""
    return f"{ledger.state.root}/audit-{first}-{last}.db"


def finish(ledger: Ledger) -> None:
    """Go on with what a crash or a full disk interrupted after a rotation."""
    with Signing(ledger):
        _finish(ledger)


def _finish(ledger: Ledger) -> None:
    con = ledger.keeper()
    for number, first, last in con.execute(
        "SELECT number, first, last FROM segment WHERE state = 'closed' ORDER BY number"
    ).fetchall():
        _keep(con, number, first, last, file_of(ledger, first, last))
        _change(ledger, "UPDATE segment SET state = 'archived' WHERE number = ?", number)
    current = ledger.look().segment
    for number, first, last in con.execute(
        "SELECT number, first, last FROM segment WHERE state = 'archived' AND number < ? ORDER BY number",
        (current - 1,),
    ).fetchall():
        while con.execute("SELECT 1 FROM entry WHERE seq BETWEEN ? AND ? LIMIT 1", (first, last)).fetchone():
            _change(
                ledger,
                "DELETE FROM entry WHERE seq IN (SELECT seq FROM entry WHERE seq BETWEEN ? AND ? LIMIT ?)",
                first,
                last,
                _DELETE,
            )
        _change(ledger, "DELETE FROM tile WHERE segment = ?", number)
        _change(ledger, "DELETE FROM checkpoint WHERE segment = ?", number)


def _change(ledger: Ledger, sql: str, *values: object) -> None:
    head = ledger.begin()
    try:
        ledger.sql().execute(sql, values)
        ledger.commit(head)
    except BaseException:
        ledger.abort()
        raise


def _keep(con: sqlite3.Connection, number: int, first: int, last: int, path: str) -> None:
    """Copy a closed segment into a single file that needs no -wal beside it; it appears whole or not at all."""
    part = f"{path}.part"
    for name in (part, f"{part}-journal"):
        if os.path.exists(name):
            os.unlink(name)
    out = create(part, alone=True)
    try:
        out.execute("BEGIN")
        for table, sql in _TABLES.items():
            rows = con.execute(sql, {"number": number}).fetchall()
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                out.executemany(f"INSERT INTO {table} VALUES({marks})", rows)
        at = first
        while at <= last:
            rows = con.execute(
                "SELECT seq, body, leaf, mac FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq",
                (at, min(at + _COPY - 1, last)),
            ).fetchall()
            out.executemany("INSERT INTO entry(seq, body, leaf, mac) VALUES(?, ?, ?, ?)", rows)
            at += _COPY
        out.execute("COMMIT")
    finally:
        out.close()
    to_disk(part)
    os.replace(part, path)
    to_disk(os.path.dirname(path))


def retention(ledger: Ledger, days: int, *, actor: str = "ledger", now_ms: int = 0) -> list[str]:
    """Drop the oldest closed segments whose last entry is older than this; the ledger says so before a file goes."""
    old = (now_ms or time.time_ns() // 1_000_000) - days * _DAY_MS
    current = ledger.look().segment
    rows = ledger.keeper().execute(
        "SELECT number, first, last FROM segment WHERE state = 'archived' AND number < ? ORDER BY number",
        (current - 1,),
    )
    going: list[tuple[int, str, dict[str, object]]] = []
    for number, first, last in rows.fetchall():
        path = file_of(ledger, first, last)
        if not os.path.exists(path):
            break
        at, note = _closing(path)
        if at >= old:
            break
        going.append((number, path, {"segment": number, "first": first, "last": last, "note": note}))
    if going:
        head = ledger.begin()
        try:
            data = {"verb": "dropped", "days": days, "segments": [told for _, _, told in going]}
            said = ledger.put(head, Entry("segment", actor, data))
            for number, _, _ in going:
                ledger.sql().execute(
                    "UPDATE segment SET state = 'dropped', by = ? WHERE number = ?", (said.seq, number)
                )
            ledger.commit(head)
        except BaseException:
            ledger.abort()
            raise
        ledger.flushed()
    gone = ledger.keeper().execute("SELECT first, last FROM segment WHERE state = 'dropped' ORDER BY number").fetchall()
    for first, last in gone:
        path = file_of(ledger, first, last)
        if os.path.exists(path):
            os.unlink(path)
    return [path for _, path, _ in going]


def _closing(path: str) -> tuple[int, str]:
    con = reader(path)
    try:
        at = con.execute("SELECT at FROM entry ORDER BY seq DESC LIMIT 1").fetchone()[0]
        note = con.execute("SELECT note FROM checkpoint ORDER BY seq DESC LIMIT 1").fetchone()[0]
    finally:
        con.close()
    return at, note
