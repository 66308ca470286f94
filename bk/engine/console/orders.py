"""The whole ledger in a column's order, the newest entries included, which the side index does not know yet."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

from bk.engine.console.describe import subject
from bk.engine.console.pages import entries, ordered
from bk.engine.errors import BkError
from bk.engine.ledger.search import spans
from bk.engine.model import WORDS, Entry
from bk.engine.state import State

Rank = tuple[int, int, str]
WHAT = "what"
MOST = 50_000  # what is said is in no index: so many entries are read to be put in its order, and no more
TOGETHER = 2_000


def in_order(
    state: State,
    column: str,
    *,
    descending: bool,
    within: Sequence[int] | None,
    wanted: Callable[[], bool] = lambda: True,
) -> array[int]:
    """All entries, or those, by a column; the newest first among equals, those without a value last."""
    if column == WHAT:
        return _by_what(state, within, descending=descending, wanted=wanted)
    batches = ordered(state, column, descending=descending, within=within, wanted=wanted)
    fresh: dict[Rank, list[int]] = {}
    for entry in entries(state, next(batches, array("q"))):
        fresh.setdefault(_rank(entry, column), []).append(entry.seq)
    groups: list[tuple[Rank, Sequence[int]]] = list(fresh.items())
    for batch in batches:
        first = entries(state, batch[:1])
        if first:
            groups.append((_rank(first[0], column), batch))
    some = sorted((each for each in groups if each[0][0]), key=lambda each: each[0], reverse=descending)
    order = array("q")
    for _, seqs in (*some, *(each for each in groups if not each[0][0])):
        order.extend(seqs)
    return order


def _by_what(state: State, within: Sequence[int] | None, *, descending: bool, wanted: Callable[[], bool]) -> array[int]:
    """By what the entries say, which must be read: only so many of them."""
    files = spans(state)
    seqs = within if within is not None else range(files[0][0] + 1, files[-1][1] + 1) if files else ()
    if len(seqs) > MOST:
        raise BkError(
            f"{len(seqs):,} entries are too many to sort by what they say",
            f"each has to be read, and {MOST:,} is the most",
            "filter first (/), for example since:1d, then sort",
        )
    told: list[tuple[str, int]] = []
    for at in range(0, len(seqs), TOGETHER):
        if not wanted():
            break
        told += [(subject(entry).casefold()[:80], entry.seq) for entry in entries(state, seqs[at : at + TOGETHER])]
    told.sort(key=lambda each: each[1], reverse=True)
    told.sort(key=lambda each: each[0], reverse=descending)
    return array("q", (seq for _, seq in told))


def _rank(entry: Entry, column: str) -> Rank:
    """How an entry compares in a column; the first number is 0 when it has no value there."""
    if column == "level":
        return (1, WORDS.index(entry.level), "") if entry.level in WORDS else (0, 0, "")
    value = entry.kind if column == "kind" else entry.data.get({"agent": "harness"}.get(column, column))
    return (1, 0, str(value)) if value else (0, 0, "")
