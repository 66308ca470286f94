"""The words people filter the ledger with: `level:block agent:claude since:1h npm:left-pad "some text"`.

One language for `bk audit` and for the dashboard. Here a filter becomes SQL over the ledger itself; `seek` runs the
same filter over millions of entries with the help of a side index.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from bk.engine.errors import BkError
from bk.engine.ledger.clauses import KEYS as KEYS  # noqa: PLC0414 - surfaces name it from here
from bk.engine.ledger.clauses import SEQ_MAX, Clause, Needs, clause
from bk.engine.ledger.moments import Moment
from bk.engine.ledger.words import QueryError, words
from bk.engine.model import Entry

Bound = list[str | int]


class Query:
    """A parsed filter. `text` is what was typed; an empty one matches everything."""

    def __init__(self, text: str, clauses: Sequence[Clause]) -> None:
        self.text = text
        self._clauses = tuple(clauses)

    def where(self, now_ms: int) -> tuple[str, Bound]:
        """The SQL condition over the table `entry` and its parameters, as of now."""
        plain = [clause for clause in self._clauses if clause.plain]
        inside = [clause for clause in self._clauses if not clause.plain]
        parts = [clause.sql for clause in plain]
        if inside:  # CASE, not AND: only CASE is sure never to look into a body that is not JSON
            parts.append(f"CASE WHEN json_valid(body) THEN {' AND '.join(c.sql for c in inside)} ELSE 0 END")
        return " AND ".join(parts) or "1", _bound((*plain, *inside), now_ms)

    def facets(self, now_ms: int) -> tuple[str, Bound]:
        """What of the condition the side index knows: SQL over its table `facet`, "" when it knows none of it."""
        known = [clause for clause in self._clauses if clause.facet]
        return " AND ".join(clause.facet for clause in known), _bound(known, now_ms)

    @property
    def settled(self) -> bool:
        """Whether the side index knows all of the condition."""
        return all(clause.facet for clause in self._clauses)

    def needs(self) -> list[Needs]:
        """For each condition that says so: texts of which every matching body holds a whole group."""
        return [clause.needs for clause in self._clauses if clause.needs]


def parse(text: str) -> Query:
    """The filter that `text` says; raises QueryError that names the word that cannot be understood, and its place."""
    clauses = []
    for word in words(text):
        try:
            clauses.append(clause(word))
        except QueryError:
            raise
        except BkError as error:  # a time that is none
            raise QueryError(error.title, word.shown, error.next_step, word.at, len(word.shown)) from error
    clauses.sort(key=lambda each: "EXISTS" in each.sql)  # the cheap ones first: they often spare the rest
    return Query(text.strip(), clauses)


def run(
    connection: sqlite3.Connection,
    query: Query,
    now_ms: int,
    *,
    after: int = 0,
    before: int = 0,
    limit: int = 100,
    oldest_first: bool = False,
) -> list[Entry]:
    """Entries that match between `after` and `before` (0: no bound), the newest first unless told otherwise."""
    sql, params = query.where(now_ms)
    order = "ASC" if oldest_first else "DESC"
    select = f"SELECT seq, body FROM entry WHERE seq > ? AND seq < ? AND {sql} ORDER BY seq {order} LIMIT ?"  # noqa: S608
    rows = connection.execute(select, [after, before or SEQ_MAX, *params, limit])
    return [stored(seq, body) for seq, body in rows]


def stored(seq: int, body: str | bytes) -> Entry:
    """The entry that a row holds. A body that cannot be read is shown as such, not raised: it is evidence."""
    try:
        said = json.loads(body)
        return Entry(
            str(said["kind"]),
            str(said["actor"]),
            dict(said["data"]),
            level=str(said["level"]),
            call=str(said["call"]),
            at=int(said["at"]),
            seq=seq,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        head = body[:200] if isinstance(body, str) else bytes(body[:200]).decode(errors="replace")
        return Entry("unreadable", "", {"body": head}, seq=seq)


def _bound(clauses: Sequence[Clause], now_ms: int) -> Bound:
    params = [value for each in clauses for value in each.params]
    return [value.at(now_ms) if isinstance(value, Moment) else value for value in params]
