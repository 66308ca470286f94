"""The ledger as it grows, read without ever holding a writer up: one read-only connection, pages by sequence number."""

from __future__ import annotations

import json
import os
import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bk.engine.errors import BkError
from bk.engine.ledger.query import Query, parse
from bk.engine.ledger.seek import seek
from bk.engine.ledger.verify import archives
from bk.engine.model import Entry
from bk.engine.state import State

PAGE = 256
MOST = 2**62
BOUNDS = "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)"  # each an index look-up
PAGES_KEPT = 16
NOTABLE = "kind IN ('incident', 'admin') OR (kind IN ('decision', 'responder') AND level IN ('block', 'quarantine'))"
NOTABLE_WINDOW = 200_000  # entries looked through for incidents: about half a second of one core


class Feed:
    """The current segment and the closed ones before it. `first` and `last` are 0 while there is no ledger."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._path = state.audit
        self._db: sqlite3.Connection | None = None
        self._older: list[tuple[int, int, str]] = []
        self._live = 0
        self._version = -1
        self._identity = (0, 0)
        self._pages: OrderedDict[int, dict[int, Entry]] = OrderedDict()
        self.first = 0
        self.last = 0
        self.problem: BkError | None = None

    def poll(self) -> bool:
        """Look for changes; True when there are some. Costs microseconds when there are none."""
        try:
            info = os.stat(self._path)
        except OSError:
            gone = self._db is not None
            self.close()
            return gone
        try:
            if self._db is None or self._identity != (info.st_dev, info.st_ino):
                self._open()
                self._identity = (info.st_dev, info.st_ino)
            assert self._db is not None
            version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
            if version == self._version:
                return False
            first, last = self._db.execute(BOUNDS).fetchone()
            self._version = version
        except sqlite3.Error as error:
            return self._broken(error)
        recovered, self.problem = self.problem is not None, None
        before = (self.first, self.last)
        if int(first or 0) != self._live:
            self._live = int(first or 0)
            self._older = self._closed()
        self.last = int(last) if last is not None else max((old[1] for old in self._older), default=0)
        self.first = self._older[0][0] if self._older else self._live
        if before[0] != self.first or before[1] > self.last:
            self._pages.clear()
        self._pages.pop(before[1] // PAGE, None)
        return recovered or before != (self.first, self.last)

    def entry(self, seq: int) -> Entry | None:
        """The entry with this number, or None when it is not there."""
        if not self.first <= seq <= self.last:
            return None
        number = seq // PAGE
        page = self._pages.get(number)
        if page is None:
            page = self._load(number)
            self._pages[number] = page
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page.get(seq)

    def notable(self, after: int = 0) -> list[Entry]:
        """The entries that incidents are made of, in order. For a worker thread: it opens its own connections."""
        sql = f"SELECT body FROM entry WHERE seq > ? AND seq <= ? AND ({NOTABLE}) ORDER BY seq"  # noqa: S608 - constants
        after = max(after, self.last - NOTABLE_WINDOW)
        return [_entry(row[0]) for path, upto in self._files(after) for row in _read(path, sql, (after, upto))]

    def search(
        self,
        query: Query,
        now_ms: int,
        *,
        after: int = 0,
        wanted: Callable[[], bool] = lambda: True,
        tell: Callable[[array[int], int], None] = lambda _found, _down_to: None,
    ) -> array[int]:
        """The numbers of all entries that match, ascending. For a worker thread: it opens its own connections.

        `tell` hears of the matches so far, newest first, and down to which entry everything was looked through: the
        first time long before the end. What it is given goes on growing, so it must take what it needs at once.
        """
        found = array("q")
        try:
            for step in seek(self._state, query, now_ms, after=after, wanted=wanted):
                found.extend(step.seqs)
                tell(found, step.down_to)
        except BkError as error:
            raise BkError("the search stopped", error.detail, "try it again, or run bk diag") from error
        if not wanted():
            raise BkError("the search stopped", "it was called off")
        found.reverse()
        return found

    def entries(self, seqs: Sequence[int]) -> list[Entry]:
        """The entries with these numbers, in this order; those that are not there are left out."""
        return [entry for entry in map(self.entry, seqs) if entry is not None]

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
        self._db = None
        self._version = -1
        self._pages.clear()
        self.first = self.last = 0

    def _open(self) -> None:
        self.close()
        self._live = 0
        self._older = self._closed()
        self._db = _connect(self._path)

    def _closed(self) -> list[tuple[int, int, str]]:
        """Closed segments, cut to what the live file, which keeps the last one for a while, no longer holds."""
        found = archives(self._state.root)
        if not self._live:
            return found
        return [(first, min(last, self._live - 1), path) for first, last, path in found if first < self._live]

    def _files(self, after: int) -> list[tuple[str, int]]:
        """The files that hold entries beyond `after`, oldest first, and up to which entry each counts."""
        return [(path, last) for _, last, path in self._older if last > after] + [(self._path, MOST)]

    def _load(self, number: int) -> dict[int, Entry]:
        low, high = number * PAGE, number * PAGE + PAGE
        sql = "SELECT seq, body FROM entry WHERE seq >= ? AND seq < ?"
        try:
            rows = [
                row
                for first, last, path in self._older
                if first < high and last >= low
                for row in _read(path, sql, (low, high))
            ]
            if self._db is not None:
                rows += self._db.execute(sql, (low, high)).fetchall()
        except (sqlite3.Error, BkError) as error:
            self._broken(error)
            return {}
        return {seq: _entry(body) for seq, body in rows}

    def _broken(self, error: Exception) -> bool:
        """Remember why the ledger cannot be read; True when that is news."""
        news = self.problem is None
        self.problem = BkError("the ledger cannot be read", f"{self._path}: {error}", "bk diag")
        self._version = -1
        return news


def _read(path: str, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
    """Rows over a connection of this thread's own; raises BkError when they cannot be had."""
    db = _connect(path)
    try:
        return db.execute(sql, params).fetchall()
    except sqlite3.Error as error:
        raise BkError("the ledger cannot be read", f"{path}: {error}", "bk diag") from error
    finally:
        db.close()


def parsed(text: str) -> Query:
    """The query in a filter; raises BkError that says what is wrong with it."""
    return parse(text)


def following(feed: Feed, since: int) -> Iterator[Entry]:
    """The entries after `since`, in order."""
    for seq in range(max(since + 1, feed.first), feed.last + 1):
        entry = feed.entry(seq)
        if entry is not None:
            yield entry


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=0.2, check_same_thread=False)
    db.execute("PRAGMA query_only = 1")
    return db


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _entry(body: bytes | str) -> Entry:
    """The entry in a stored body; text that is not one shows as an entry that says so."""
    try:
        said = json.loads(body)
        return Entry(
            str(said["kind"]),
            str(said["actor"]),
            said["data"] if isinstance(said["data"], dict) else {},
            level=str(said.get("level") or ""),
            call=str(said.get("call") or ""),
            at=int(said["at"]),
            seq=int(said["seq"]),
        )
    except (ValueError, KeyError, TypeError):
        return Entry("incident", "unreadable", {"title": "this entry was altered and cannot be read"}, level="block")
