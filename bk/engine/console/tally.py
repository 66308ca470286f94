"""How many verdicts of each kind, minute by minute: what the pictures of the dashboard are drawn from."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable

from bk.engine.errors import BkError
from bk.engine.ledger.schema import reader
from bk.engine.model import Entry
from bk.engine.state import State

MINUTE = 60_000
DAY_MINUTES = 24 * 60
STEPS = 5_000
# entries carry times that hardly ever run backwards, so a day's first entry is found by halving
_AT = "SELECT at FROM entry WHERE seq = (SELECT min(seq) FROM entry WHERE seq >= ?)"
_COUNT = "SELECT at / 60000, level, count(*) FROM entry WHERE seq >= ? AND kind = 'decision' GROUP BY 1, 2"

_SIGNED = (
    "SELECT seq, (SELECT at FROM entry WHERE entry.seq = checkpoint.seq) FROM checkpoint ORDER BY seq DESC LIMIT 1"
)


class Tally:
    """Decisions of the last day by minute and level. Made once from the ledger, then kept up entry by entry."""

    def __init__(self) -> None:
        self._minutes: dict[int, Counter[str]] = {}
        self.last = 0

    def absorb(self, entries: Iterable[Entry]) -> None:
        """Take in new entries, in order."""
        for entry in entries:
            if entry.seq > self.last:
                self.last = entry.seq
                if entry.kind == "decision":
                    self.add(entry.at // MINUTE, entry.level, 1)

    def add(self, minute: int, level: str, count: int) -> None:
        """So many more of a level in a minute."""
        self._minutes.setdefault(minute, Counter())[level] += count

    def minutes(self, now_ms: int, count: int = 60) -> list[int]:
        """Verdicts a minute, the oldest first."""
        end = now_ms // MINUTE
        return [sum(self._minutes.get(each, {}).values()) for each in range(end - count + 1, end + 1)]

    def hours(self, now_ms: int, count: int = 24) -> list[dict[str, int]]:
        """Verdicts by level, an hour each, the oldest first; the last hour ends now."""
        end = now_ms // MINUTE
        told = []
        for back in range(count - 1, -1, -1):
            whole: Counter[str] = Counter()
            for minute in range(end - back * 60 - 59, end - back * 60 + 1):
                whole.update(self._minutes.get(minute, {}))
            told.append(dict(whole))
        return told

    def levels(self, now_ms: int) -> dict[str, int]:
        """The last day by level."""
        whole: Counter[str] = Counter()
        for hour in self.hours(now_ms):
            whole.update(hour)
        return dict(whole)

    def forget(self, now_ms: int) -> None:
        """Let go of what is older than a day."""
        oldest = now_ms // MINUTE - DAY_MINUTES
        for minute in [each for each in self._minutes if each < oldest]:
            del self._minutes[minute]


def tally(state: State, now_ms: int, wanted: Callable[[], bool] = lambda: True) -> Tally:
    """The last day as the current segment tells it. For a worker: it opens its own connection."""
    made = Tally()
    if not os.path.exists(state.audit):
        return made
    con = reader(state.audit)
    try:
        con.set_progress_handler(lambda: 0 if wanted() else 1, STEPS)
        con.execute("BEGIN")
        first, last = con.execute("SELECT min(seq), max(seq) FROM entry").fetchone()
        if last is None:
            return made
        start = _first_since(con, int(first), int(last), now_ms - DAY_MINUTES * MINUTE)
        for minute, level, count in con.execute(_COUNT, (start,)):
            made.add(int(minute or 0), str(level or ""), int(count))
        made.last = int(last)
    except sqlite3.Error as error:
        raise BkError("the ledger cannot be counted", f"{state.audit}: {error}", "bk audit verify") from error
    finally:
        con.close()
    return made


def signed(state: State) -> tuple[int, int] | None:
    """The newest checkpoint: the last entry it covers, and when that entry was made."""
    if not os.path.exists(state.audit):
        return None
    con = reader(state.audit)
    try:
        row = con.execute(_SIGNED).fetchone()
    except sqlite3.Error as error:
        raise BkError("the checkpoints cannot be read", f"{state.audit}: {error}", "bk audit verify") from error
    finally:
        con.close()
    return (int(row[0]), int(row[1] or 0)) if row else None


def _first_since(con: sqlite3.Connection, low: int, high: int, since_ms: int) -> int:
    """The first entry that is not older than this."""
    high += 1
    while low < high:
        middle = (low + high) // 2
        row = con.execute(_AT, (middle,)).fetchone()
        if row is not None and row[0] is not None and int(row[0]) < since_ms:
            low = middle + 1
        else:
            high = middle
    return low
