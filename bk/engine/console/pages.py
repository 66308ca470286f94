"""Pages of a ledger of any size: by filter, up and down from a number, by time, by column, and how many there are.

Nothing here holds the table in memory. A page is found by number (never by counting rows from the start), and the side
index that makes filters fast is kept by whoever has a moment: `keep_index` belongs in a worker thread.
"""

from __future__ import annotations

import sqlite3
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.errors import from_sqlite
from bk.engine.ledger.query import Query, parse, stored
from bk.engine.ledger.schema import reader
from bk.engine.ledger.search import Index, Span, catch_up, spans
from bk.engine.ledger.seek import FIRST, LONGEST, seek
from bk.engine.model import WORDS, Entry
from bk.engine.state import State

OLDER, NEWER = "older", "newer"
COLUMNS = {"level": "level", "kind": "kind", "agent": "harness", "tool": "tool"}  # what can be sorted by, besides time
COUNT_S = 0.25
IN_PASSING_S = 0.3
_SOME = "SELECT seq, body FROM entry WHERE seq IN (SELECT value FROM json_each(?))"
_GROUP = "SELECT seq FROM facet WHERE {column} IS ? AND seq < ? ORDER BY seq DESC LIMIT ?"
_NEXT = "SELECT seq FROM entry WHERE seq > ? AND seq < ? ORDER BY seq {order} LIMIT ?"
_TOGETHER = 20_000
MOST = 2**62


class Page(NamedTuple):
    """Entries, newest first; `more` says whether others follow in the direction that was asked for."""

    entries: list[Entry]
    more: bool


class Count(NamedTuple):
    """How many match: all of them when `exact`, else at least `found` and probably about `about`."""

    found: int
    about: int
    exact: bool


def page(
    state: State, text: str = "", *, anchor: int = 0, direction: str = OLDER, limit: int = 100, now_ms: int = 0
) -> Page:
    """The entries that match below `anchor` (0: from the newest on), or with `newer` those next above it."""
    query, now = parse(text), now_ms or time.time_ns() // 1_000_000
    if direction == OLDER:
        seqs = _older(state, query, now, anchor, limit + 1)
    elif direction == NEWER:
        seqs = _newer(state, query, now, anchor, limit + 1)
    else:
        raise BkError("a page in which direction?", direction, f"{OLDER} or {NEWER}", code=USAGE)
    more = len(seqs) > limit
    kept = seqs[:limit] if direction == OLDER else seqs[-limit:]
    return Page(entries(state, kept), more)


def entries(state: State, seqs: Sequence[int]) -> list[Entry]:
    """The entries with these numbers, in this order; those that are not there are left out."""
    held: dict[int, Entry] = {}
    for before, last, path in spans(state):
        here = [seq for seq in seqs if before < seq <= last]
        if not here:
            continue
        con = reader(path)
        try:
            rows = con.execute(_SOME, ("[" + ",".join(map(str, here)) + "]",)).fetchall()
        except sqlite3.Error as error:
            raise from_sqlite(error, path) from error
        finally:
            con.close()
        held.update((seq, stored(seq, body)) for seq, body in rows)
    return [held[seq] for seq in seqs if seq in held]


def count(state: State, text: str = "", *, within_s: float = COUNT_S, now_ms: int = 0) -> Count:
    """How many entries match; where looking through all would take longer than `within_s`, an estimate."""
    query, now = parse(text), now_ms or time.time_ns() // 1_000_000
    files = spans(state)
    every = sum(last - before for before, last, _ in files)
    if not query.text:
        return Count(every, every, True)
    until = time.monotonic() + within_s
    found = array("q", (0, 0))  # how many match, and of how many that were looked at
    done = not files
    for step in seek(state, query, now, wanted=lambda: not found[1] or time.monotonic() < until):
        found[0] += len(step.seqs)
        found[1] = sum(last - max(before, step.down_to - 1) for before, last, _ in files if last >= step.down_to)
        done = step.down_to <= files[0][0] + 1
    many, looked = found
    return Count(many, many if done or not looked else max(many, many * every // looked), done)


def jump(state: State, at_ms: int) -> int:
    """The first entry that is not older than this moment; the newest when all are, 0 when there is none.

    Entries are in the order in which they were recorded; where a clock was set back, the first stretch counts.
    """
    files = spans(state)
    for before, last, path in files:
        con = reader(path)
        try:
            if _at(con, before, last)[0] < at_ms and path != files[-1][2]:
                continue
            low, high = before + 1, last
            while low < high:
                middle = (low + high) // 2
                if _at(con, low - 1, middle)[0] < at_ms:
                    low = middle + 1
                else:
                    high = middle
            return low
        except sqlite3.Error as error:
            raise from_sqlite(error, path) from error
        finally:
            con.close()
    return 0


def ordered(
    state: State,
    column: str,
    *,
    descending: bool = True,
    within: Sequence[int] | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[array[int]]:
    """Entry numbers sorted by a column, the newest first among equals, in batches; `within` limits it to those.

    Levels go by severity, everything else by its name; entries without a value come last, and those that the side
    index does not know yet before all others.
    """
    if column not in COLUMNS:
        known = ", ".join(COLUMNS)
        raise BkError(
            f"nothing is sorted by {column[:40]!r}", "", f"one of: {known}; time is the order itself", code=USAGE
        )
    index = Index.open(state)
    upto = index.upto if index is not None else 0
    chosen = None if within is None else set(within)
    try:
        files = spans(state)
        fresh = array("q", range(files[-1][1], max(upto, files[0][0]), -1)) if files else array("q")
        yield array("q", (seq for seq in fresh if chosen is None or seq in chosen))
        if index is None:
            return
        for ident in _words(index.con, COLUMNS[column], descending):
            below = upto + 1
            while below and wanted():
                sql = _GROUP.format(column=COLUMNS[column])
                rows = index.con.execute(sql, (ident, below, _TOGETHER)).fetchall()
                below = rows[-1][0] if len(rows) == _TOGETHER else 0
                yield array("q", (seq for (seq,) in rows if chosen is None or seq in chosen))
    except sqlite3.Error as error:
        raise BkError("the side index cannot be read", str(error), "it is made anew; sort again") from error
    finally:
        if index is not None:
            index.close()


def keep_index(
    state: State,
    *,
    wanted: Callable[[], bool] = lambda: True,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Bring the side index up to date, for a worker thread; `tell` hears how far it is. Never raises for its state."""
    return catch_up(state, wanted=wanted, tell=tell)


def keep_index_in_passing(state: State) -> None:
    """The same for a command that has just answered: a little each time, so that nobody ever waits for it."""
    until = time.monotonic() + IN_PASSING_S
    catch_up(state, wanted=lambda: time.monotonic() < until)


def _older(state: State, query: Query, now: int, anchor: int, limit: int) -> list[int]:
    if not query.text:
        return _plain(reversed(spans(state)), 0, anchor or MOST, "DESC", limit)
    found: list[int] = []
    for step in seek(state, query, now, before=anchor, wanted=lambda: len(found) < limit):
        found.extend(step.seqs)
        if len(found) >= limit:
            break
    return found[:limit]


def _newer(state: State, query: Query, now: int, anchor: int, limit: int) -> list[int]:
    """The matches next above the anchor, newest first: windows upwards, each read downwards."""
    files = spans(state)
    if not query.text:
        return _plain(files, anchor, MOST, "ASC", limit)[::-1]
    top = files[-1][1] if files else 0
    found: list[int] = []
    low, length = anchor, FIRST
    while low < top and len(found) < limit:
        high = min(top, low + length)
        window = [seq for step in seek(state, query, now, after=low, before=high + 1) for seq in step.seqs]
        found = window + found
        low, length = high, min(length * 2, LONGEST)
    return found[-limit:] if limit else []


def _plain(files: Iterable[Span], after: int, below: int, order: str, limit: int) -> list[int]:
    """The numbers next to a place, with no filter."""
    found: list[int] = []
    for begin, last, path in files:
        low, high = max(after, begin), min(below, last + 1)
        if low + 1 < high and len(found) < limit:
            con = reader(path)
            try:
                rows = con.execute(_NEXT.format(order=order), (low, high, limit - len(found)))
                found += [seq for (seq,) in rows]
            except sqlite3.Error as error:
                raise from_sqlite(error, path) from error
            finally:
                con.close()
    return found


def _at(con: sqlite3.Connection, after: int, upto: int) -> tuple[int, int]:
    """When the last entry up to a number was recorded, and its number: some numbers may be missing."""
    sql = "SELECT at, seq FROM entry WHERE seq > ? AND seq <= ? AND json_valid(body) ORDER BY seq DESC LIMIT 1"
    row = con.execute(sql, (after, upto)).fetchone()
    return (int(row[0] or 0), int(row[1])) if row else (0, upto)


def _words(con: sqlite3.Connection, column: str, descending: bool) -> list[int | None]:
    """The values of a column in the order they are shown in; None stands for having none."""
    sql = f"SELECT text, id FROM word WHERE EXISTS (SELECT 1 FROM facet WHERE {column} = word.id)"  # noqa: S608 - from COLUMNS
    named = con.execute(sql).fetchall()
    if column == "level":
        ranks = {word: rank for rank, word in enumerate(WORDS)}
        named.sort(key=lambda row: ranks.get(row[0], -1), reverse=descending)
    else:
        named.sort(key=lambda row: row[0].lower(), reverse=descending)
    return [*(row[1] for row in named), None]
