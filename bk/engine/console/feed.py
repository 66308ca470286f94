"""The ledger as it grows, read without ever holding a writer up: one read-only connection, pages by sequence number."""

from __future__ import annotations

import json
import os
import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator

from bk.engine.errors import BkError
from bk.engine.ledger.query import Query, parse
from bk.engine.model import Entry
from bk.engine.state import State

PAGE = 256
PAGES_KEPT = 64
NOTABLE = "kind IN ('incident', 'admin') OR (kind = 'decision' AND level IN ('block', 'quarantine'))"
NOTABLE_WINDOW = 200_000  # entries looked through for incidents: about half a second of one core
STEPS = 20_000  # virtual machine steps between two looks at whether a search is still wanted


class Feed:
    """What the current ledger segment holds. `first` and `last` are 0 while there is no ledger."""

    def __init__(self, state: State) -> None:
        self._path = state.audit
        self._db: sqlite3.Connection | None = None
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
            bounds = self._db.execute("SELECT min(seq), max(seq) FROM entry").fetchone()
            self._version = version
        except sqlite3.Error as error:
            return self._broken(error)
        recovered, self.problem = self.problem is not None, None
        before = (self.first, self.last)
        self.first, self.last = (int(bounds[0]), int(bounds[1])) if bounds[0] is not None else (0, 0)
        if before[0] != self.first or before[1] > self.last:
            self._pages.clear()
        self._pages.pop(before[1] // PAGE, None)
        return recovered or before != (self.first, self.last)

    def entry(self, seq: int) -> Entry | None:
        """The entry with this number, or None when it is not there."""
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
        """The entries that incidents are made of, in order. For a worker thread: it opens its own connection."""
        db = _connect(self._path)
        try:
            rows = db.execute(
                f"SELECT body FROM entry WHERE seq > ? AND seq > ? AND ({NOTABLE}) ORDER BY seq",  # noqa: S608 - constant
                (after, self.last - NOTABLE_WINDOW),
            ).fetchall()
        except sqlite3.Error as error:
            raise BkError("the ledger cannot be read", f"{self._path}: {error}", "bk diag") from error
        finally:
            db.close()
        return [_entry(row[0]) for row in rows]

    def search(
        self, query: Query, now_ms: int, *, after: int = 0, wanted: Callable[[], bool] = lambda: True
    ) -> array[int]:
        """The numbers of all entries that match, ascending. For a worker thread: it opens its own connection."""
        where, params = query.where(now_ms)
        db = _connect(self._path)
        try:
            db.set_progress_handler(lambda: 0 if wanted() else 1, STEPS)
            found = array("q")
            sql = f"SELECT seq FROM entry WHERE seq > ? AND ({where or '1'}) ORDER BY seq"  # noqa: S608 - from parse()
            for row in db.execute(sql, (after, *params)):
                found.append(row[0])
            return found
        except sqlite3.Error as error:
            raise BkError("the search stopped", str(error), "try it again, or narrow it") from error
        finally:
            db.close()

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
        self._db = _connect(self._path)

    def _load(self, number: int) -> dict[int, Entry]:
        if self._db is None:
            return {}
        bounds = (number * PAGE, number * PAGE + PAGE)
        try:
            rows = self._db.execute("SELECT seq, body FROM entry WHERE seq >= ? AND seq < ?", bounds).fetchall()
        except sqlite3.Error as error:
            self._broken(error)
            return {}
        return {seq: _entry(body) for seq, body in rows}

    def _broken(self, error: sqlite3.Error) -> bool:
        """Remember why the ledger cannot be read; True when that is news."""
        news = self.problem is None
        self.problem = BkError("the ledger cannot be read", f"{self._path}: {error}", "bk diag")
        self._version = -1
        return news


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
