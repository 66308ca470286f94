"""The ledger as rows: any of a million entries is one page away, by its number, and only pages are ever held."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bk.tui.widgets.rows import Key

if TYPE_CHECKING:
    from bk.engine.console.feed import Feed
    from bk.engine.model import Entry


class LedgerRows:
    """Newest first or oldest first. `found` restricts it to a filter's numbers; `order` is another column's order."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._first, self._last = feed.first, feed.last
        self.found: array[int] | None = None
        self.order: array[int] | None = None
        self.oldest_first = False

    def look_again(self, matching: Sequence[int] | None = None) -> int:
        """Take in what the feed gained; with a filter, those of it that `matching` says. Returns the count before."""
        before = self.count()
        self._first, self._last = self._feed.first, self._feed.last
        if self.found is not None:
            self.found.extend(matching or ())
        return before

    def restrict(self, found: array[int] | None) -> None:
        """Only these numbers, ascending; None is all."""
        self.found = found
        self.order = None
        self._first, self._last = self._feed.first, self._feed.last

    def count(self) -> int:
        """Entries of the feed, or those that the filter lets through."""
        if self.order is not None:
            return len(self.order)
        if self.found is not None:
            return len(self.found)
        return self._last - self._first + 1 if self._last else 0

    def at(self, index: int) -> Entry | None:
        """The entry of a row."""
        return self._feed.entry(int(self.key(index)))

    def key(self, index: int) -> Key:
        """A row's number in the ledger."""
        if not self.oldest_first:
            index = self.count() - 1 - index
        if self.order is not None:
            return self.order[index]
        return self.found[index] if self.found is not None else self._first + index

    def find(self, key: Key) -> int:
        """The row of a number."""
        if not isinstance(key, int):
            return -1
        if self.order is not None:
            try:
                at = self.order.index(key)
            except ValueError:
                return -1
        elif self.found is not None:
            at = bisect_left(self.found, key)
            if at >= len(self.found) or self.found[at] != key:
                return -1
        elif not self._first <= key <= self._last:
            return -1
        else:
            at = key - self._first
        return at if self.oldest_first else self.count() - 1 - at
