"""A list whose rows are framed cards with keys that can be clicked. Only the cards on the screen are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from bk.text import cells, inert
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.rows import Column, Rows

LINES = 6
Spans = Sequence[tuple[str, str]]
CALM, CHOSEN = "╭╮╰╯─│", "┏┓┗┛━┃"


class Button(NamedTuple):
    """A key on a card: what is said, and the action that it stands for; `works` is False when it would be refused."""

    label: str
    ident: str
    works: bool = True


class Card(NamedTuple):
    """What one card says: the title and the end of its upper edge, three lines with a label each, its buttons.

    Spans are (raw text, style name); the list makes them inert. A line is (label, spans, what stands at its end).
    """

    title: Spans
    edge: str
    lines: Sequence[tuple[str, Spans, str]]
    buttons: Sequence[Button] = ()


class CardList(LineList):
    """Cards, one a record, each `LINES` high."""

    COMPONENT_CLASSES: ClassVar = {"line--rule", "line--faint", "line--title"}

    class Pressed(Message):
        """A button of a card was clicked; its card is selected by then."""

        def __init__(self, ident: str) -> None:
            super().__init__()
            self.ident = ident

    def __init__(
        self,
        draw: Callable[[Any, int], Card],
        rows: Rows[Any],
        *,
        id: str,  # noqa: A002 - the library's word
        columns: Sequence[Column] = (),
    ) -> None:
        super().__init__(columns, rows, id=id)
        self._draw_card = draw

    @property
    def visible_rows(self) -> int:
        """How many whole cards fit."""
        return max(1, self.size.height // LINES)

    @property
    def _wide(self) -> int:
        """The columns that the scroll bar leaves."""
        return self.scrollable_content_region.width

    def reveal(self) -> None:
        """Scroll as little as it takes to show the whole of the selected card."""
        top, room = self.scroll_offset.y, max(LINES, self.size.height)
        first = self.cursor * LINES
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif first + LINES > top + room:
            self.scroll_to(y=first + LINES - room, animate=False, immediate=True)

    def on_click(self, event: events.Click) -> None:
        """Select the card under the pointer, press the button there; twice opens it."""
        index, line = divmod(event.y + self.scroll_offset.y, LINES)
        if index >= self.rows.count():
            return
        self.pick(index)
        if line == LINES - 2:
            card = self._draw_card(self.rows.at(index), max(1, self._wide - 4))
            at = 2
            for button in card.buttons:
                if at <= event.x < at + cells(button.label):
                    self.post_message(self.Pressed(button.ident))
                    return
                at += cells(button.label) + 2
        if event.chain == 2:
            self.action_open()

    def render_line(self, y: int) -> Strip:
        """One line of one card."""
        width = self._wide
        index, line = divmod(y + self.scroll_offset.y, LINES)
        item = self.rows.at(index) if index < self.rows.count() else None
        if item is not None:
            return self._card_line(item, index, line, width)
        blank = self._style("")
        if not self.rows.count() and 0 <= y - 1 < len(self.when_empty):
            said = inert(f"  {self.when_empty[y - 1]}", width)
            return Strip([Segment(said, self._style("" if y == 1 else "quiet"))]).adjust_cell_length(width, blank)
        return Strip.blank(width, blank)

    def _card_line(self, item: Any, index: int, line: int, width: int) -> Strip:
        chosen = index == self.cursor
        edges = CHOSEN if chosen else CALM
        rule = self._style("open" if chosen and self.has_focus else "quiet" if chosen else "rule")
        base = self._style("")
        card = self._draw_card(item, max(1, width - 4))
        if line == 0:
            parts = self._upper(card, edges, rule, width)
        elif line == LINES - 1:
            parts = [Segment(f"{edges[2]}{edges[4] * max(0, width - 2)}{edges[3]}", rule)]
        else:
            room = max(1, width - 4)
            told = self._buttons(card, room) if line == LINES - 2 else self._told(card.lines[line - 1], room)
            inner = Strip(told).adjust_cell_length(room, base)
            parts = [Segment(f"{edges[5]} ", rule), *inner, Segment(f" {edges[5]}", rule)]
        return Strip(parts).adjust_cell_length(width, base)

    def _upper(self, card: Card, edges: str, rule: Style, width: int) -> list[Segment]:
        edge = inert(card.edge, max(0, width // 2))
        room = width - 7 - cells(edge) - 2
        spans = self._cut(card.title, max(4, room))
        used = sum(cells(segment.text) for segment in spans)
        line = edges[4] * max(1, width - 4 - used - 2 - cells(edge) - 1)
        return [
            Segment(f"{edges[0]}{edges[4]} ", rule), *spans, Segment(f" {line} ", rule),
            Segment(edge, self._style("quiet")), Segment(f" {edges[1]}", rule),
        ]  # fmt: skip

    def _told(self, line: tuple[str, Spans, str], room: int) -> list[Segment]:
        label, spans, end = line
        end = inert(end, room // 3) if room >= 56 else ""
        lead = Segment(f"{label:<5}", self._style("quiet"))
        told = self._cut(spans, max(1, room - 5 - (cells(end) + 2 if end else 0)))
        used = 5 + sum(cells(segment.text) for segment in told)
        gap = " " * max(0, room - used - cells(end))
        return [lead, *told, Segment(gap, self._style("")), Segment(end, self._style("quiet"))]

    def _buttons(self, card: Card, room: int) -> list[Segment]:
        parts: list[Segment] = []
        used = 0
        for button in card.buttons:
            long = cells(button.label)
            if used + long > room:
                break
            key, _, rest = button.label.partition("]")
            parts.append(Segment(f"{key}]", self._style("strong" if button.works else "faint")))
            parts.append(Segment(f"{rest}  ", self._style("" if button.works else "faint")))
            used += long + 2
        return parts

    def _cut(self, spans: Spans, room: int) -> list[Segment]:
        parts: list[Segment] = []
        for text, style in spans:
            said = inert(text, room) if room > 0 else ""
            if said:
                parts.append(Segment(said, self._style(style)))
                room -= cells(said)
        return parts

    def _repaint(self, index: int) -> None:
        y = index * LINES - self.scroll_offset.y
        if -LINES < y < self.size.height:
            self.refresh(Region(0, max(0, y), self.size.width, min(LINES, LINES + y)))

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.rows.count() * LINES)
