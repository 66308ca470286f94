"""How often each rule had something to say lately: what keeps a rule, and what shows that one is never needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bk.engine.console.pages import jump
from bk.engine.errors import BkError
from bk.engine.ledger.schema import reader
from bk.engine.ledger.search import spans
from bk.engine.state import State

DAYS = 30
DAY_MS = 86_400_000
MOST = 500_000  # entries that are looked through at most, the newest
STEPS = 5_000
_HITS = """
SELECT json_extract(item.value, '$.rule'), count(*), max(entry.at)
FROM entry, json_each(CASE WHEN json_valid(entry.body) THEN entry.body ELSE '{}' END, '$.data.findings') AS item
WHERE entry.seq >= ? AND entry.seq <= ? AND entry.kind = 'decision' AND entry.level <> 'allow'
GROUP BY 1
"""


class Hit(NamedTuple):
    """How many calls a rule spoke up about, and when it last did."""

    calls: int
    last_ms: int


class Hits(NamedTuple):
    """By rule; `whole` says whether all of those days were looked through, or only the newest entries of them."""

    by_rule: Mapping[str, Hit]
    whole: bool


def hits(state: State, now_ms: int, wanted: Callable[[], bool] = lambda: True) -> Hits:
    """What the decisions of the last days name. For a worker: it opens its own connections."""
    files = spans(state)
    if not files:
        return Hits({}, True)
    since = jump(state, now_ms - DAYS * DAY_MS)
    start = max(since, files[-1][1] - MOST + 1)
    found: dict[str, Hit] = {}
    for before, last, path in files:
        if last < start or not wanted():
            continue
        con = reader(path)
        try:
            con.set_progress_handler(lambda: 0 if wanted() else 1, STEPS)
            for rule, count, at in con.execute(_HITS, (max(start, before + 1), last)):
                known = found.get(str(rule), Hit(0, 0))
                found[str(rule)] = Hit(known.calls + int(count), max(known.last_ms, int(at or 0)))
        except sqlite3.Error as error:
            raise BkError("the hits of the rules cannot be counted", f"{path}: {error}", "bk audit verify") from error
        finally:
            con.close()
    return Hits(found, start == since)
