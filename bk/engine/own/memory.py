"""What was ever accepted from the signed list, kept in the ledger: deleting our copy of the list forgets nothing.

Such an entry carries a `call` of its own, which the ledger indexes: it is found without reading the record through,
also in segments that were closed.
"""

from __future__ import annotations

import os
import re
import sqlite3

from bk.engine.ledger.chain import entry_of
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.schema import reader
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bk.engine.model import Json
    from bk.engine.state import State

ACCEPTED, REFUSED, OVERRULED, NOTED = "accepted", "refused", "overruled", "noted"
MARK = "bk-self:"
TOLD = "bk-self-told:"
_END = "bk-self;"  # the first text after everything that begins with MARK
_RANGE = "SELECT body FROM entry WHERE call >= ? AND call < ? AND call <> '' ORDER BY seq"
_ONE = "SELECT 1 FROM entry WHERE call = ? AND call <> ''"
_CLOSED = re.compile(r"audit-(\d+)-\d+\.db", re.ASCII)


class Memory:
    """What the ledger knows under one key: the highest serial and what was accepted with it, whether something that
    was not signed has been offered since, and which listings a person overruled."""

    __slots__ = ("accepted", "overruled", "refused", "serial")

    def __init__(self) -> None:
        self.serial = 0
        self.accepted: Entry | None = None
        self.refused: Entry | None = None
        self.overruled: list[Entry] = []

    def released(self, ident: str, serial: int) -> bool:
        """Whether a person released this machine from this very listing."""
        return any(each.data.get("entry") == ident and each.data.get("serial") == serial for each in self.overruled)


def recall(state: State, key: str) -> Memory:
    """Everything that is remembered under a key (its short form); raises LedgerError when it cannot be told."""
    made = Memory()
    for entry in _entries(state):
        said = entry.data
        if said.get("key") != key:
            continue
        word, serial = said.get("outcome"), said.get("serial")
        if word == ACCEPTED and isinstance(serial, int) and serial >= made.serial:
            made.serial, made.accepted, made.refused = serial, entry, None
        elif word == REFUSED:
            made.refused = entry
        elif word == OVERRULED:
            made.overruled.append(entry)
    return made


def keep(state: State, data: Mapping[str, Json], now_ms: int, values: Mapping[str, Json], *, actor: str) -> None:
    """Remember an outcome. `data` holds `outcome`, `key` and `serial`, and is what people read in the record."""
    word = str(data["outcome"])
    kind = "admin" if word == OVERRULED else "catalog"
    level = {ACCEPTED: "", OVERRULED: ""}.get(word, "warn")
    call = f"{MARK}{now_ms:016}:{word}:{os.urandom(4).hex()}" if word != NOTED else ""
    made = Entry(kind, actor, {"event": "self", **data}, level=level, call=call)
    ledger = Ledger.open(state, redact=redactor(values.get("audit.redact_patterns", [])))
    try:
        ledger.append([made], sync=True)
    finally:
        ledger.close()


def was_told(state: State, call: str) -> bool:
    """Whether an entry with this mark is in the record already; raises LedgerError when that cannot be told."""
    return any(_rows(con, _ONE, (call,)) for con in _files(state))


def _entries(state: State) -> Iterator[Entry]:
    """What was remembered, oldest first; an entry that was copied into a closed segment comes twice."""
    for con in _files(state):
        for row in _rows(con, _RANGE, (MARK, _END)):
            try:
                yield entry_of(row[0])
            except (ValueError, LookupError, TypeError) as error:
                raise LedgerError("corrupt", f"an entry about the list cannot be read: {error}") from error


def _rows(con: sqlite3.Connection, sql: str, values: tuple[str, ...]) -> list[tuple[Any]]:
    try:
        rows: list[tuple[Any]] = con.execute(sql, values).fetchall()
    except sqlite3.Error as error:
        raise LedgerError("corrupt", f"what was accepted before cannot be told: {error}") from error
    return rows


def _files(state: State) -> Iterator[sqlite3.Connection]:
    """Every part of the ledger, oldest first. A closed segment that cannot be read is as one that was dropped for its
    age: `bk audit verify` names it, and what it held is repeated in the live part as time goes by."""
    if not os.path.exists(state.audit):
        return
    found = [(int(match[1]), name) for name in os.listdir(state.root) if (match := _CLOSED.fullmatch(name))]
    for path in (*(f"{state.root}/{name}" for _, name in sorted(found)), state.audit):
        try:
            con = reader(path)
        except LedgerError:
            if path == state.audit:
                raise
            continue
        try:
            if _rows(con, "PRAGMA user_version", ()) != [(0,)]:  # 0: another process is just beginning it
                yield con
        finally:
            con.close()
