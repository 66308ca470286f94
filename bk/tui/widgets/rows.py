"""What a list shows, as data: columns, cells, and where rows come from.

`Rows` is what a list needs: rows by position and by identity. `ListRows` holds a few thousand records in memory;
`KeysetRows` reads a `Source` page by page and holds none; `widgets/ledger_rows.py` is the ledger by its numbers.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

Key = int | str
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S")
OLDER, NEWER = 1, -1
PAGE = 256
PAGES_KEPT = 32


class Cell(NamedTuple):
    """Raw text, and the name of the style it is shown in. The list makes it inert."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column: width 0 takes what is left. `needs` is the list width below which it is left out, `until` the width
    from which on another column says more.

    `sort` gives the value that rows are ordered by; None for a column that cannot be sorted by.
    """

    title: str
    width: int
    cell: Callable[[Any], Cell]
    right: bool = False
    needs: int = 0
    until: int = 10_000
    sort: Callable[[Any], Any] | None = None


class Rows(Protocol[R_co]):
    """Rows by position and by identity."""

    def count(self) -> int:
        """How many there are."""

    def at(self, index: int) -> R_co | None:
        """The record of a row; None when it should be there and is not."""

    def key(self, index: int) -> Key:
        """The identity of a row."""

    def find(self, key: Key) -> int:
        """The row with this identity; -1 when it is not shown."""


class Source(Protocol[S]):
    """A query that is read page by page, newest first. `anchor` None starts at the end that `direction` comes from."""

    def page(self, anchor: S | None, direction: int, limit: int) -> Sequence[S]:
        """The next records beyond the anchor, towards OLDER or NEWER ones, in that direction's order."""

    def count(self) -> int:
        """How many there are."""

    def newest(self) -> S | None:
        """The first of them."""


class ListRows(Generic[T]):
    """Records in memory, with a filter and an order."""

    def __init__(
        self,
        items: Iterable[T] = (),
        *,
        key: Callable[[T], Key],
        record: Callable[[T], Mapping[str, Any]] = lambda item: {"text": str(item)},
    ) -> None:
        self._key = key
        self.record = record
        self._all = list(items)
        self._shown = self._all
        self._places: dict[Key, int] | None = None
        self._filter = ""
        self._order: tuple[Callable[[T], Any], bool] | None = None

    def replace(self, items: Iterable[T]) -> None:
        """Other records, under the same filter and order."""
        self._all = list(items)
        self._arrange()

    def filter(self, text: str) -> None:
        """Only records that hold every word; `key:value` asks one field, `-word` what must not be there."""
        self._filter = text
        self._arrange()

    def sort(self, value: Callable[[T], Any] | None, *, descending: bool) -> None:
        """Another order; None is the order that the records came in."""
        self._order = (value, descending) if value is not None else None
        self._arrange()

    @property
    def total(self) -> int:
        """How many there are without the filter."""
        return len(self._all)

    def count(self) -> int:
        """How many are shown."""
        return len(self._shown)

    def at(self, index: int) -> T | None:
        """The record of a row."""
        return self._shown[index] if 0 <= index < len(self._shown) else None

    def key(self, index: int) -> Key:
        """The identity of a row."""
        return self._key(self._shown[index])

    def find(self, key: Key) -> int:
        """The row with this identity."""
        if self._places is None:
            self._places = {self._key(item): at for at, item in enumerate(self._shown)}
        return self._places.get(key, -1)

    def items(self) -> Sequence[T]:
        """What is shown, in order."""
        return self._shown

    def every(self) -> Sequence[T]:
        """All of them, whatever the filter."""
        return self._all

    def _arrange(self) -> None:
        words = self._filter.lower().split()
        shown = [item for item in self._all if matches(self.record(item), words)] if words else list(self._all)
        if self._order is not None:
            shown.sort(key=self._order[0], reverse=self._order[1])
        self._shown = shown
        self._places = None


def matches(record: Mapping[str, Any], words: Sequence[str]) -> bool:
    """Whether a record holds every word."""
    whole = json.dumps(record, ensure_ascii=False, default=str).lower()
    for word in words:
        wanted = word.removeprefix("-") or word
        name, colon, value = wanted.partition(":")
        if colon and name in record:
            there = any(part in str(record[name]).lower() for part in value.split(","))
        else:
            there = wanted in whole
        if there == (word.startswith("-") and len(word) > 1):
            return False
    return True


class KeysetRows(Generic[T]):
    """A source as rows. Only pages near what is looked at are held; one anchor a page remembers the way back."""

    def __init__(self, source: Source[T], *, key: Callable[[T], Key]) -> None:
        self._source = source
        self._key = key
        self._count = source.count()
        self._pages: OrderedDict[int, Sequence[T]] = OrderedDict()
        self._anchors: dict[int, T] = {}

    def look_again(self, *, find: Key | None = None, near: int = 0) -> int:
        """The source changed: forget what was read. Returns where the record `find` is now, or -1."""
        before, self._count = self._count, self._source.count()
        self._pages.clear()
        self._anchors.clear()
        if find is None or not self._count:
            return -1
        start = max(0, near - PAGE)
        for at in range(start, min(self._count, near + max(0, self._count - before) + PAGE)):
            item = self.at(at)
            if item is not None and self._key(item) == find:
                return at
        return -1

    def count(self) -> int:
        """How many there are."""
        return self._count

    def at(self, index: int) -> T | None:
        """The record of a row."""
        if not 0 <= index < self._count:
            return None
        page = self._page(index // PAGE)
        return page[index % PAGE] if index % PAGE < len(page) else None

    def key(self, index: int) -> Key:
        """The identity of a row."""
        item = self.at(index)
        return self._key(item) if item is not None else ""

    def find(self, key: Key) -> int:
        """Where it is, among the pages that are held."""
        for number, page in self._pages.items():
            for at, item in enumerate(page):
                if self._key(item) == key:
                    return number * PAGE + at
        return -1

    def _page(self, number: int) -> Sequence[T]:
        held = self._pages.get(number)
        if held is not None:
            self._pages.move_to_end(number)
            return held
        last = (self._count - 1) // PAGE
        if number == last and number and number - 1 not in self._anchors:
            rows = list(self._source.page(None, NEWER, self._count - last * PAGE))[::-1]
            return self._keep(number, rows)
        start = number
        while start and start - 1 not in self._anchors:
            start -= 1
        rows = []
        for each in range(start, number + 1):
            rows = list(self._source.page(self._anchors.get(each - 1), OLDER, PAGE))
            if rows:
                self._anchors[each] = rows[-1]
        return self._keep(number, rows)

    def _keep(self, number: int, rows: Sequence[T]) -> Sequence[T]:
        self._pages[number] = rows
        if len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        return rows
