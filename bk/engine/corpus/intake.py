"""From the ledger to the corpus: what is security-relevant of what happened, once, whoever recorded it.

The ledger has every decision before its answer leaves, from every surface, so nobody else needs to write here. An
event's id is a hash of the entry that it was made from; following the same entries again adds nothing.
"""

from __future__ import annotations

import os
import sqlite3

from bk.engine.corpus.due import LEDGER
from bk.engine.corpus.happened import event_of
from bk.engine.corpus.marks import Marks
from bk.engine.corpus.rows import fits
from bk.engine.corpus.shapes import ACTOR
from bk.engine.ledger.chain import entry_of, leaf_of
from bk.engine.ledger.errors import from_sqlite
from bk.engine.ledger.schema import reader
from bk.engine.ledger.verify import archives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bk.engine.corpus.shapes import Event
    from bk.engine.corpus.store import Corpus
    from bk.engine.model import Entry, Json
    from bk.engine.state import State

    Row = tuple[int, bytes]

PAGE = 500
_ROWS = "SELECT seq, CAST(body AS BLOB) FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"


class Taken:
    """What an intake came to; `whole` is False when it stopped before the ledger's end."""

    __slots__ = ("entries", "events", "unreadable", "whole")

    def __init__(self) -> None:
        self.entries = self.events = self.unreadable = 0
        self.whole = True


def intake(
    state: State,
    corpus: Corpus,
    *,
    redact: Callable[[Json], Json],
    enough: Callable[[], bool] = lambda: False,
) -> Taken:
    """Follow the ledger from where it was left, page by page, each page with its cursor in one transaction."""
    taken = Taken()
    ledger = _identity(state)
    if not ledger:
        return taken
    at, followed = corpus.cursor(LEDGER)
    if followed != ledger:
        at = 0  # another ledger: its entries are other events
    marks = Marks(state)
    for rows in _pages(state, at):
        events = list(_events(rows, redact, marks, taken))
        with corpus.transaction():
            taken.events += corpus.record(event for event, _ in events if event is not None)
            _uptime(corpus, [entry for _, entry in events])
            corpus.advance(LEDGER, rows[-1][0], ledger)
        taken.entries += len(rows)
        if enough():
            taken.whole = len(rows) < PAGE
            break
    return taken


def _events(
    rows: list[Row], redact: Callable[[Json], Json], marks: Marks, taken: Taken
) -> Iterator[tuple[Event | None, Entry]]:
    """What each readable entry says happened. One that cannot be read, or says more than an event may hold, is
    counted: it must not stop what follows."""
    for _, body in rows:
        try:
            entry = entry_of(body)
            found = event_of(entry, leaf_of(body).hex()) if entry.actor != ACTOR else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            taken.unreadable += 1
            continue
        if found is not None:
            marks.on(found)  # of the folder as it is, before a secret in its name is taken out
            found.behaviour = redact(found.behaviour)
            found.decision = redact(found.decision)
            found.context = redact(found.context)
            if not fits(found):
                taken.unreadable += 1
                found = None
        yield found, entry


def _uptime(corpus: Corpus, entries: list[Entry]) -> None:
    """When an engine ran: from its start to its stop. One that was killed ran until the last entry before the next
    start, and one that may still run until the last entry there is."""
    if not entries:
        return
    now = corpus.running()
    start, last = now or (0, 0)
    for entry in entries:
        event = entry.data.get("event") if entry.kind == "engine" else ""
        if event == "start":
            if start:
                corpus.ran(start, last, still=False)
            start = last = entry.at
        elif start:
            last = max(last, entry.at)
            if event == "stop":
                corpus.ran(start, last, still=False)
                start = 0
    if start:
        corpus.ran(start, last, still=True)


def _identity(state: State) -> str:
    """Which ledger this is; "" when none was begun."""
    if not os.path.exists(state.audit) and not os.path.exists(state.mark):
        return ""
    con = reader(state.audit)
    try:
        row = con.execute("SELECT value FROM meta WHERE key = 'ledger'").fetchone()
        return str(row[0]) if row else ""
    except sqlite3.Error as error:
        raise from_sqlite(error, state.audit) from error
    finally:
        con.close()


def _pages(state: State, after: int) -> Iterator[list[Row]]:
    """The entries after one, oldest first, from closed segments and then the current one."""
    files = [path for _, last, path in archives(state.root) if last > after and not _holds(state.audit, after + 1)]
    for path in (*files, state.audit):
        while rows := _page(path, after):
            yield rows
            after = rows[-1][0]


def _page(path: str, after: int) -> list[Row]:
    con = reader(path)  # opened for each page, so that no reader holds the ledger's log open
    try:
        return con.execute(_ROWS, (after, PAGE)).fetchall()
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    finally:
        con.close()


def _holds(path: str, seq: int) -> bool:
    """Whether the current segment's file still has this entry; a closed segment stays in it for a while."""
    con = reader(path)
    try:
        return con.execute("SELECT 1 FROM entry WHERE seq = ?", (seq,)).fetchone() is not None
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    finally:
        con.close()
