"""The ledger as a live list: any of a million entries is one page away, and only what is on the screen is read."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.reactive import reactive

from bk.engine.console.describe import agent, subject
from bk.tui.widgets.lines import Cell, Column, Key, LineList
from bk.tui.words import LEVELS, age, clock

if TYPE_CHECKING:
    from bk.engine.console.feed import Feed


class Activity(LineList):
    """Entries, newest first or oldest first. `found` restricts it to a filter's sequence numbers, ascending."""

    following: reactive[bool] = reactive(True)
    unseen: reactive[int] = reactive(0)

    def __init__(self, now: Callable[[], int], *, id: str) -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self._now = now
        self._feed: Feed | None = None
        self._first = 0
        self._last = 0
        self.found: array[int] | None = None
        self.oldest_first = False

    def show(self, feed: Feed) -> None:
        """Show this feed from its newest entry."""
        self._feed = feed
        self.found = None
        self._first, self._last = feed.first, feed.last
        self.key = None
        self.cursor = 0
        self.follow()

    def grew(self, matching: Sequence[int] | None = None) -> None:
        """The feed has new entries; with a filter on, `matching` are those of them that it lets through."""
        if self._feed is None:
            return
        before = self.row_count()
        had_none = before == 0
        self._first, self._last = self._feed.first, self._feed.last
        if self.found is not None:
            self.found.extend(matching or ())
        added = max(0, self.row_count() - before)
        if had_none:
            self.follow()
            return
        self.rows_changed(keep=not self.following)
        if self.following:
            self._show_newest()
        else:
            self.unseen += added

    def filtered(self, found: array[int] | None) -> None:
        """Show only these sequence numbers; None shows all. The selected entry stays selected if it is among them."""
        self.found = found
        self.when_empty = "no entry matches the filter; Esc clears it" if found is not None else ""
        if self._feed is not None:
            self._first, self._last = self._feed.first, self._feed.last
        if self.key is not None and self.find(self.key) < 0:
            self.cursor = 0
            self.key = None
        self.rows_changed(keep=False)
        self.reveal()
        self.post_message(self.Picked(self))

    def follow(self) -> None:
        """Select the newest entry and stay with new ones."""
        self.following = True
        self.unseen = 0
        self.rows_changed(keep=False)
        self.pick(self.newest, reveal=False)
        self._show_newest()
        self.post_message(self.Picked(self))

    def reverse(self) -> None:
        """The other order, with the same entry selected."""
        self.oldest_first = not self.oldest_first
        self.rows_changed(keep=False)
        self.reveal()

    @property
    def newest(self) -> int:
        """The row of the newest entry."""
        return self.row_count() - 1 if self.oldest_first else 0

    def moved(self) -> None:
        """Moving by hand stops following, except onto the newest entry."""
        self.following = self.cursor == self.newest and self._newest_in_view()
        if self.following:
            self.unseen = 0

    def row_count(self) -> int:
        """Entries in the feed, or those that the filter lets through."""
        if self.found is not None:
            return len(self.found)
        return self._last - self._first + 1 if self._last else 0

    def key_at(self, index: int) -> Key:
        """A row's sequence number."""
        if not self.oldest_first:
            index = self.row_count() - 1 - index
        return self.found[index] if self.found is not None else self._first + index

    def find(self, key: Key) -> int:
        """The row of a sequence number."""
        if not isinstance(key, int):
            return -1
        if self.found is not None:
            from bisect import bisect_left

            at = bisect_left(self.found, key)
            if at >= len(self.found) or self.found[at] != key:
                return -1
        elif not self._first <= key <= self._last:
            return -1
        else:
            at = key - self._first
        return at if self.oldest_first else self.row_count() - 1 - at

    def columns(self, width: int) -> Sequence[Column]:
        """Fewer columns where there is less room."""
        time = Column("TIME", 8) if width >= 60 else Column("AGE", 4, right=True)
        few = [time, Column("VERDICT", 7), Column("WHAT", 0)]
        if width >= 70:
            few.append(Column("WHO", 11))
        return (
            [Column("SEQ", len(f"{self._last:,}") if self._last > 999 else 4, right=True), *few] if width >= 60 else few
        )

    def row(self, index: int) -> Sequence[Cell]:
        """An entry's cells; a sequence number without an entry says so."""
        seq = self.key_at(index)
        entry = self._feed.entry(int(seq)) if self._feed is not None else None
        wide = self.size.width
        if entry is None:
            cells = [
                Cell("?", "block"),
                Cell("missing", "block"),
                Cell("this entry is gone: press v to verify", "block"),
            ]
            return [Cell(f"{seq:,}", "quiet"), *cells, Cell("")] if wide >= 60 else cells
        glyph, word, style = LEVELS.get(entry.level, LEVELS[""])
        plain = entry.level == "allow"
        when = clock(entry.at) if wide >= 60 else age(entry.at, self._now())
        said = Cell(f"{glyph} {word}", style) if word else Cell(entry.kind[:7], "quiet")
        cells = [Cell(when, "quiet"), said, Cell(subject(entry), "" if not plain else "quiet")]
        if wide >= 70:
            cells.append(Cell(agent(entry), "quiet"))
        return [Cell(f"{seq:,}", "quiet"), *cells] if wide >= 60 else cells

    def _newest_in_view(self) -> bool:
        top = self.scroll_offset.y
        return top == 0 if not self.oldest_first else top + self.visible_rows >= self.row_count()

    def _show_newest(self) -> None:
        self.scroll_to(y=self.newest if self.oldest_first else 0, animate=False, immediate=True)
