"""Text for a person, laid out for the width that there is: paragraphs, labels with their own column, headings."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from bk.text import cells, inert

LABEL = 10
Span = str | tuple[str, str]
Explanation = Callable[[int], Content]


class Prose:
    """Paragraphs for one width, each wrapped under its own indent so that lists stay lists."""

    def __init__(self, width: int) -> None:
        self.width = max(20, width)
        self._lines: list[Content] = []

    def add(self, *spans: Span, indent: int = 0) -> None:
        """A paragraph."""
        gap = " " * indent
        for line in Content.assemble(*spans).wrap(self.width - indent):
            self._lines.append(Content.assemble(gap, line) if gap else line)

    def labelled(
        self, label: str, *spans: Span | Content, style: str = "$text-quiet", indent: int = 2, room: int = LABEL
    ) -> None:
        """A label and its text, which stays in its own column."""
        column = indent + room
        shown = inert(label, room)
        shown += " " * (room - cells(shown))
        for at, line in enumerate(Content.assemble(*spans).wrap(max(8, self.width - column))):
            lead = " " * indent + shown if at == 0 else " " * column
            self._lines.append(Content.assemble((lead, style), line))

    def drawn(self, *lines: Content) -> None:
        """Lines that are already as they should be."""
        self._lines += lines

    def title(self, text: str) -> None:
        """A heading, with air above it."""
        self._lines += [Content(""), Content.assemble((text, "bold $primary"))]

    def gap(self) -> None:
        """An empty line."""
        self._lines.append(Content(""))

    def content(self) -> Content:
        """All of it."""
        return Content("\n").join(self._lines)


def still(*spans: Span) -> Explanation:
    """Text that is the same at every width."""
    content = Content.assemble(*spans)
    return lambda _width: content
