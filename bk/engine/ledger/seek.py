"""A filter over a ledger of any size: matches come newest first, in batches, the first of them at once.

The side index says where a match can be; the entries themselves say whether it is one, unless all that was asked for
are columns that the index holds. What the index does not know yet, or when there is none, is read from the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

from bk.engine.ledger.errors import from_sqlite
from bk.engine.ledger.grams import may_hold, places
from bk.engine.ledger.query import Query
from bk.engine.ledger.schema import reader
from bk.engine.ledger.search import BLOCK, Index, Span, spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

FIRST = 2_048  # entries looked through in the first step; each further step is twice as long
LONGEST = 65_536
SETTLED_STEP = 8  # how much further a step goes that needs no entries
STEPS = 2_000  # virtual machine steps between two looks at whether a search is still wanted
_IN = "SELECT seq FROM entry WHERE seq IN (SELECT value FROM json_each(?)) AND ({where}) ORDER BY seq DESC"
_BETWEEN = "SELECT seq FROM entry WHERE seq BETWEEN ? AND ? AND ({where}) ORDER BY seq DESC"
_FACETS = "SELECT seq FROM facet WHERE seq BETWEEN ? AND ? AND ({where}) ORDER BY seq DESC"
_BLOCKS = "SELECT number, bits FROM block WHERE number BETWEEN ? AND ? ORDER BY number DESC"

Groups = list[list[int]]


class Step:
    """What one step found: matching numbers, newest first; all entries from `down_to` upwards were looked through."""

    __slots__ = ("down_to", "seqs")

    def __init__(self, seqs: list[int], down_to: int) -> None:
        self.seqs = seqs
        self.down_to = down_to


def seek(
    state: State,
    query: Query,
    now_ms: int,
    *,
    after: int = 0,
    before: int = 0,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[Step]:
    """Matches between `after` and `before` (0: no bound), newest first; ends early when it is no longer wanted.

    For a worker thread: it opens its own connections. Raises LedgerError when an entry cannot be read.
    """
    files = spans(state)
    index = Index.open(state, files)
    plan = _Plan(query, now_ms, wanted)
    try:
        for begin, last, path in reversed(files):
            low, high = max(begin, after) + 1, min(last, before - 1) if before else last
            if low <= high:
                yield from plan.through((low, high, path), index)
            if not wanted():
                return
    finally:
        if index is not None:
            index.close()


class _Plan:
    def __init__(self, query: Query, now_ms: int, wanted: Callable[[], bool]) -> None:
        self._where, self._params = query.where(now_ms)
        self._facets, self._known = query.facets(now_ms)
        self._settled = query.settled
        self._needs = [groups for groups in (_bits(need) for need in query.needs()) if groups]
        self._wanted = wanted

    def through(self, span: Span, index: Index | None) -> Iterator[Step]:
        """One file, from its end to its beginning."""
        low, high, path = span
        length = FIRST
        try:
            con = reader(path)
            con.set_progress_handler(lambda: 0 if self._wanted() else 1, STEPS)
            if index is not None:
                index.con.set_progress_handler(lambda: 0 if self._wanted() else 1, STEPS)
        except sqlite3.Error as error:
            raise from_sqlite(error, path) from error
        try:
            while high >= low and self._wanted():
                if index is None or high > index.upto:
                    start = max(low, high - length + 1, index.upto + 1 if index is not None else 0)
                    found = self._scan(con, start, high)
                else:
                    start = max(low, high - length * (SETTLED_STEP if self._settled else 1) + 1)
                    found = self._indexed(con, index, start, high)
                yield Step(found, start)
                high = start - 1
                length = min(length * 2, LONGEST)
        except sqlite3.OperationalError as error:
            if self._wanted():
                raise from_sqlite(error, path) from error
        except sqlite3.Error as error:
            raise from_sqlite(error, path) from error
        finally:
            con.close()

    def _scan(self, con: sqlite3.Connection, low: int, high: int) -> list[int]:
        return _column(con.execute(_BETWEEN.format(where=self._where), [low, high, *self._params]))

    def _indexed(self, con: sqlite3.Connection, index: Index, low: int, high: int) -> list[int]:
        try:
            if self._settled and self._facets:
                return _column(index.con.execute(_FACETS.format(where=self._facets), [low, high, *self._known]))
            where = self._blocks(index, low, high) if self._needs else [(low, high)]
            if not self._facets:
                ranges = where
            else:
                some = [seq for first, last in where for seq in self._listed(index, first, last)]
                return self._checked(con, some)
        except sqlite3.DatabaseError as error:
            if not self._wanted() and isinstance(error, sqlite3.OperationalError):
                raise
            return self._scan(con, low, high)  # the index is damaged: the ledger itself is read
        return [seq for first, last in ranges for seq in self._scan(con, first, last)]

    def _listed(self, index: Index, low: int, high: int) -> list[int]:
        return _column(index.con.execute(_FACETS.format(where=self._facets), [low, high, *self._known]))

    def _checked(self, con: sqlite3.Connection, some: Sequence[int]) -> list[int]:
        found: list[int] = []
        for at in range(0, len(some), FIRST):
            listed = "[" + ",".join(map(str, some[at : at + FIRST])) + "]"
            found += _column(con.execute(_IN.format(where=self._where), [listed, *self._params]))
        return found

    def _blocks(self, index: Index, low: int, high: int) -> list[tuple[int, int]]:
        """The stretches that may hold a match, the newest first; neighbours are one stretch."""
        found: list[tuple[int, int]] = []
        for number, bits in index.con.execute(_BLOCKS, ((low - 1) // BLOCK, (high - 1) // BLOCK)):
            if all(any(may_hold(bits, group) for group in groups) for groups in self._needs):
                first, last = max(low, number * BLOCK + 1), min(high, (number + 1) * BLOCK)
                if found and found[-1][0] == last + 1:
                    found[-1] = (first, found[-1][1])
                else:
                    found.append((first, last))
        return found


def _bits(need: Sequence[Sequence[str]]) -> Groups:
    """A condition's alternatives as bits; none at all when one of them says nothing."""
    groups = [sorted({place for text in group for place in places(text)}) for group in need]
    return groups if all(groups) else []


def _column(rows: sqlite3.Cursor) -> list[int]:
    return [row[0] for row in rows]
