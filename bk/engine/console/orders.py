"""The whole ledger in a column's order, the newest entries included, which the side index does not know yet."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

from bk.engine.console.pages import entries, ordered
from bk.engine.model import WORDS, Entry
from bk.engine.state import State

Rank = tuple[int, int, str]


def in_order(
    state: State,
    column: str,
    *,
    descending: bool,
    within: Sequence[int] | None,
    wanted: Callable[[], bool] = lambda: True,
) -> array[int]:
    """All entries, or those, by a column; the newest first among equals, those without a value last."""
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


def _rank(entry: Entry, column: str) -> Rank:
    """How an entry compares in a column; the first number is 0 when it has no value there."""
    if column == "level":
        return (1, WORDS.index(entry.level), "") if entry.level in WORDS else (0, 0, "")
    value = entry.kind if column == "kind" else entry.data.get({"agent": "harness"}.get(column, column))
    return (1, 0, str(value)) if value else (0, 0, "")
