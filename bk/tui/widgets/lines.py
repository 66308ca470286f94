"""A list that draws only the rows on the screen, so a million rows cost as much as twenty.

Selection is by identity: when rows are added above, the same record stays selected and on the same screen row.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bk.text import cells, inert

Key = int | str


class Column(NamedTuple):
    """A column: its title and width; width 0 takes what is left."""

    title: str
    width: int
    right: bool = False


class Cell(NamedTuple):
    """Raw text, and the name of the style it is shown in. The list makes it inert."""

    text: str
    style: str = ""


class LineList(ScrollView, can_focus=True):
    """Rows with a heading; subclasses say what the rows are."""

    BINDINGS: ClassVar = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
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

    class Picked(Message):
        """The selection is on another record."""

        def __init__(self, sender: LineList) -> None:
            super().__init__()
            self.list = sender

        @property
        def control(self) -> LineList:
            """The list, for selectors."""
            return self.list

    class Opened(Picked):
        """The selected record was asked for (Enter, double click)."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self.cursor = 0
        self.key: Key | None = None
        self.when_empty = ""
        self._styles: dict[str, Style] = {}

    @abstractmethod
    def row_count(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def key_at(self, index: int) -> Key:
        """The identity of a row."""

    @abstractmethod
    def find(self, key: Key) -> int:
        """Where the row with this identity is; -1 when it is not shown."""

    @abstractmethod
    def columns(self, width: int) -> Sequence[Column]:
        """The columns for this width."""

    @abstractmethod
    def row(self, index: int) -> Sequence[Cell]:
        """The cells of a row, one a column."""

    def columns_at(self, width: int) -> list[Column]:
        """The columns, the open one widened to fill the line."""
        columns = list(self.columns(width))
        taken = sum(column.width for column in columns) + 2 * (len(columns) - 1) + 4  # the mark before, air after
        return [c._replace(width=max(4, width - taken)) if not c.width else c for c in columns]

    @property
    def visible_rows(self) -> int:
        """How many rows fit under the heading."""
        return max(1, self.size.height - 1)

    def rows_changed(self, *, keep: bool = True) -> None:
        """Rows came or went. The selected record stays selected; with `keep`, on its screen row."""
        count = self.row_count()
        before = self.cursor
        at = self.find(self.key) if self.key is not None else -1
        if at < 0:
            at = min(before, max(0, count - 1))
        self._resize()
        if keep and at != before:
            self.scroll_to(y=self.scroll_offset.y + at - before, animate=False, immediate=True)
        self.cursor = at
        self._note_key()
        self.refresh()

    def pick(self, index: int, *, reveal: bool = True) -> None:
        """Select a row."""
        count = self.row_count()
        if not count:
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

    def reveal(self) -> None:
        """Scroll as little as it takes to show the selected row."""
        top, room = self.scroll_offset.y, self.visible_rows
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False, immediate=True)

    def moved(self) -> None:
        """A person moved the selection or the view: subclasses stop following."""

    def action_move(self, by: int) -> None:
        """Select a row further on."""
        self.pick(self.cursor + by)
        self.moved()

    def action_page(self, by: int) -> None:
        """Select a row one page further on."""
        self.pick(self.cursor + by * self.visible_rows)
        self.moved()

    def action_first(self) -> None:
        """Select the first row."""
        self.pick(0)
        self.moved()

    def action_last(self) -> None:
        """Select the last row."""
        self.pick(self.row_count() - 1)
        self.moved()

    def on_resize(self) -> None:
        """Keep the selected row in view when there is less room."""
        self._resize()
        self.reveal()

    def on_click(self, event: events.Click) -> None:
        """Select the row under the pointer; twice opens it."""
        index = event.y - 1 + self.scroll_offset.y
        if event.y >= 1 and index < self.row_count():
            self.pick(index)
            self.moved()
            if event.chain == 2:
                self.post_message(self.Opened(self))

    def on_mouse_scroll_up(self) -> None:
        """The wheel looks around without selecting."""
        self.moved()

    def on_mouse_scroll_down(self) -> None:
        """The wheel looks around without selecting."""
        self.moved()

    def notify_style_update(self) -> None:
        """Another theme: forget the looked-up styles."""
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the heading, then rows."""
        width = self.size.width
        columns = self.columns_at(width)
        if y == 0:
            return self._heading(columns, width)
        index = y - 1 + self.scroll_offset.y
        blank = self._style("")
        if index >= self.row_count():
            if y == 2 and not self.row_count():
                said = inert(f"  {self.when_empty}", width)
                return Strip([Segment(said, self._style("quiet"))]).adjust_cell_length(width, blank)
            return Strip.blank(width, blank)
        return self._row(index, columns, width)

    def _heading(self, columns: Sequence[Column], width: int) -> Strip:
        style = self._style("heading")
        text = "  ".join(_padded(column.title, column) for column in columns)
        return Strip([Segment(("  " + text)[:width].ljust(width), style)], width)

    def _row(self, index: int, columns: Sequence[Column], width: int) -> Strip:
        selected = index == self.cursor
        base = self._style("selected") if selected else self._style("")
        shade = Style(bgcolor=base.bgcolor)
        parts = [
            Segment(
                "> " if selected and self.has_focus else "  ",
                base + self._style("strong") + shade if selected else base,
            )
        ]
        for at, (cell, column) in enumerate(zip(self.row(index), columns, strict=False)):
            style = base + self._style(cell.style) + shade if cell.style else base
            text = _padded(inert(cell.text, column.width), column)
            parts.append(Segment(text + ("  " if at < len(columns) - 1 else ""), style))
        strip = Strip(parts)
        return strip.adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        found = self._styles.get(name)
        if found is None:
            found = self.get_component_rich_style(f"line--{name}") if name else self.rich_style
            self._styles[name] = found
        return found

    def _repaint(self, index: int) -> None:
        y = index - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.row_count() + 1)

    def _note_key(self) -> bool:
        key = self.key_at(self.cursor) if self.row_count() else None
        changed = key != self.key
        self.key = key
        return changed


def _padded(text: str, column: Column) -> str:
    gap = " " * max(0, column.width - cells(text))
    return gap + text if column.right else text + gap
