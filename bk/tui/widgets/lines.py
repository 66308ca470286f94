"""A list that draws only the rows on the screen, so a million rows cost as much as twenty.

Selection is by identity: when rows are added above, the same record stays selected and on the same screen row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bk.text import cells, inert
from bk.tui.widgets.rows import Cell, Column, Key, Rows

GAP = 2


class LineList(ScrollView, can_focus=True):
    """Rows under a heading. `follows` is for lists that grow at one end: they stay at the newest row until moved."""

    BINDINGS: ClassVar = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "open", show=False),
    ]
    COMPONENT_CLASSES: ClassVar = {
        "line--heading",
        "line--selected",
        "line--quiet",
        "line--good",
        "line--warn",
        "line--ask",
        "line--block",
        "line--held",
        "line--open",
        "line--strong",
    }
    following: reactive[bool] = reactive(False, repaint=False)
    unseen: reactive[int] = reactive(0, repaint=False)

    class Picked(Message):
        """The selection is on another record, or following began or ended."""

        def __init__(self, sender: LineList) -> None:
            super().__init__()
            self.list = sender

        @property
        def control(self) -> LineList:
            """The list, for selectors."""
            return self.list

    class Opened(Picked):
        """The selected record was asked for (Enter, double click)."""

    class SortAsked(Picked):
        """Another order was asked for; the order is in `sorted_by` and `descending` of the list."""

    def __init__(self, columns: Sequence[Column], rows: Rows[Any], *, id: str, follows: bool = False) -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.rows = rows
        self.cursor = 0
        self.key: Key | None = None
        self.when_empty: Sequence[str] = ()
        self.when_gone = "this record is gone"
        self.sorted_by = ""
        self.descending = False
        self.follows = follows
        self.set_reactive(LineList.following, follows)
        self._styles: dict[str, Style] = {}

    # what is selected

    @property
    def selected(self) -> Any:
        """The selected record, or None."""
        return self.rows.at(self.cursor) if self.rows.count() else None

    @property
    def newest(self) -> int:
        """The row that new ones come after, or before."""
        return max(0, self.rows.count() - 1) if getattr(self.rows, "oldest_first", False) else 0

    def replaced(self, rows: Rows[Any] | None = None) -> None:
        """Show these rows, or the same under another filter or order. The selected record stays if it is there."""
        if rows is not None:
            self.rows = rows
        at = self.rows.find(self.key) if self.key is not None else -1
        self._resize()
        self.cursor = max(0, at)
        self._note_key()
        if at < 0:
            self.scroll_to(y=0, animate=False, immediate=True)
        self.reveal()
        self.refresh()
        self.post_message(self.Picked(self))

    def grew(self, before: int) -> None:
        """Rows were added at the newest end, from `before` of them on. Nothing moves unless the list follows."""
        at = self.rows.find(self.key) if self.key is not None else -1
        moved = at - self.cursor if at >= 0 else 0
        self._resize()
        if at < 0:
            self.cursor = min(self.cursor, max(0, self.rows.count() - 1))
            self._note_key()
        else:
            self.cursor = at
        if self.following or not before:
            self._show_newest()
            if not before:
                self.pick(self.newest)
        else:
            self.unseen += max(0, self.rows.count() - before)
            if moved:
                self.scroll_to(y=self.scroll_offset.y + moved, animate=False, immediate=True)
        self.refresh()

    def follow(self) -> None:
        """Select the newest row and stay with new ones."""
        self.following = True
        self.unseen = 0
        self._resize()
        self.pick(self.newest, reveal=False)
        self._show_newest()
        self.refresh()
        self.post_message(self.Picked(self))

    def pick(self, index: int, *, reveal: bool = True) -> None:
        """Select a row."""
        count = self.rows.count()
        if not count:
            self.key = None
            return
        index = max(0, min(index, count - 1))
        before, self.cursor = self.cursor, index
        changed = self._note_key()
        for row in (before, index):
            self._repaint(row)
        if reveal:
            self.reveal()
        if changed:
            self.post_message(self.Picked(self))

    def pick_key(self, key: Key) -> bool:
        """Select a record by its identity; False when it is not shown."""
        at = self.rows.find(key)
        if at >= 0:
            self.pick(at)
            self._moved()
        return at >= 0

    def reveal(self) -> None:
        """Scroll as little as it takes to show the selected row."""
        top, room = self.scroll_offset.y, self.visible_rows
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False, immediate=True)

    @property
    def visible_rows(self) -> int:
        """How many rows fit under the heading."""
        return max(1, self.size.height - 1)

    # keys and mouse

    def action_move(self, by: int) -> None:
        """Select a row further on."""
        self.pick(self.cursor + by)
        self._moved()

    def action_page(self, by: int) -> None:
        """Select a row one page further on."""
        self.pick(self.cursor + by * self.visible_rows)
        self._moved()

    def action_first(self) -> None:
        """Select the first row."""
        self.pick(0)
        self._moved()

    def action_last(self) -> None:
        """Select the last row."""
        self.pick(self.rows.count() - 1)
        self._moved()

    def action_open(self) -> None:
        """Ask for the selected record."""
        if self.rows.count():
            self.post_message(self.Opened(self))

    def sort_next(self, by: int = 1) -> None:
        """Ask for the order of the next column that can be sorted by."""
        shown = self.shown_columns(self.size.width)
        titles = ["", *(column.title for column in shown if column.sort is not None)]
        at = titles.index(self.sorted_by) if self.sorted_by in titles else 0
        self._sort(titles[(at + by) % len(titles)], descending=False)

    def sort_other_way(self) -> None:
        """Ask for the same order the other way round."""
        self._sort(self.sorted_by, descending=not self.descending)

    def on_resize(self) -> None:
        """Keep the selected row in view when there is less room."""
        self._resize()
        self.reveal()

    def on_click(self, event: events.Click) -> None:
        """Select the row under the pointer; twice opens it. The heading sorts."""
        if event.y == 0:
            self._sort_at(event.x)
            return
        index = event.y - 1 + self.scroll_offset.y
        if index < self.rows.count():
            self.pick(index)
            self._moved()
            if event.chain == 2:
                self.action_open()

    def on_mouse_scroll_up(self) -> None:
        """The wheel looks around without selecting."""
        self._moved()

    def on_mouse_scroll_down(self) -> None:
        """The wheel looks around without selecting."""
        self._moved()

    # how it looks

    def notify_style_update(self) -> None:
        """Another theme: forget the looked-up styles."""
        self._styles.clear()
        super().notify_style_update()

    def shown_columns(self, width: int) -> list[Column]:
        """The columns for this width, the open one widened to fill the line."""
        columns = [column for column in self.columns if column.needs <= width < column.until]
        taken = sum(column.width for column in columns) + GAP * (len(columns) - 1) + 3  # the mark before, air after
        return [c._replace(width=max(4, width - taken)) if not c.width else c for c in columns]

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the heading, then rows."""
        width = self.size.width
        columns = self.shown_columns(width)
        if y == 0:
            return self._heading(columns, width)
        index = y - 1 + self.scroll_offset.y
        blank = self._style("")
        if index >= self.rows.count():
            if not self.rows.count() and 0 <= y - 2 < len(self.when_empty):
                said = inert(f"  {self.when_empty[y - 2]}", width)
                return Strip([Segment(said, self._style("" if y == 2 else "quiet"))]).adjust_cell_length(width, blank)
            return Strip.blank(width, blank)
        return self._row(index, columns, width)

    def _heading(self, columns: Sequence[Column], width: int) -> Strip:
        quiet, strong = self._style("heading"), self._style("strong")
        parts = [Segment("  ", quiet)]
        for column in columns:
            mark = column.title == self.sorted_by and column.title
            title = f"{column.title}{'▾' if self.descending else '▴'}" if mark else column.title
            parts.append(Segment(_padded(inert(title, column.width), column), strong if mark else quiet))
            parts.append(Segment(" " * GAP, quiet))
        return Strip(parts).adjust_cell_length(width, quiet)

    def _row(self, index: int, columns: Sequence[Column], width: int) -> Strip:
        selected = index == self.cursor
        base = self._style("selected") if selected else self._style("")
        shade = Style(bgcolor=base.bgcolor)
        mark = Segment(
            "> " if selected and self.has_focus else "  ", base + self._style("strong") + shade if selected else base
        )
        parts = [mark]
        item = self.rows.at(index)
        if item is None:
            told = inert(f"{self.rows.key(index)}  {self.when_gone}", max(1, width - 3))
            return Strip([mark, Segment(told, base + self._style("block") + shade)]).adjust_cell_length(width, base)
        last = len(columns) - 1
        for at, column in enumerate(columns):
            cell = column.cell(item)
            style = base + self._style(cell.style) + shade if cell.style else base
            text = _padded(inert(cell.text, column.width), column)
            parts.append(Segment(text + (" " * GAP if at < last else ""), style))
        return Strip(parts).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        found = self._styles.get(name)
        if found is None:
            found = self.get_component_rich_style(f"line--{name}") if name else self.rich_style
            self._styles[name] = found
        return found

    def _sort_at(self, x: int) -> None:
        left = 2
        for column in self.shown_columns(self.size.width):
            if left <= x < left + column.width + GAP and column.sort is not None:
                same = column.title == self.sorted_by
                self._sort(column.title, descending=same and not self.descending)
                return
            left += column.width + GAP

    def _sort(self, title: str, *, descending: bool) -> None:
        self.sorted_by, self.descending = title, descending
        self.post_message(self.SortAsked(self))

    def _moved(self) -> None:
        if not self.follows:
            return
        following = self.cursor == self.newest and self._newest_in_view()
        if following:
            self.unseen = 0
        if following != self.following:
            self.following = following
            self.post_message(self.Picked(self))

    def _newest_in_view(self) -> bool:
        top = self.scroll_offset.y
        return top == 0 if not self.newest else top + self.visible_rows >= self.rows.count()

    def _show_newest(self) -> None:
        self.scroll_to(y=self.newest, animate=False, immediate=True)

    def _repaint(self, index: int) -> None:
        y = index - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.rows.count() + 1)

    def _note_key(self) -> bool:
        key = self.rows.key(self.cursor) if self.rows.count() else None
        changed = key != self.key
        self.key = key
        return changed


def _padded(text: str, column: Column) -> str:
    gap = " " * max(0, column.width - cells(text))
    return gap + text if column.right else text + gap


__all__ = ["Cell", "Column", "Key", "LineList"]
