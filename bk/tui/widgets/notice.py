"""A whole screen's worth of "here is why there is nothing to see": each state says why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content
from textual.widgets import Static

from bk.text import inert
from bk.tui.prose import Prose

# kind -> (glyph, tone); the word is the title itself
LOOKS = {
    "empty": ("·", "bold"),
    "loading": ("…", "$text-quiet"),
    "down": ("~", "bold $warning"),
    "corrupt": ("x", "bold $error"),
    "denied": ("x", "bold $error"),
    "problem": ("x", "bold $error"),
}
WIDEST = 84


class Notice(NamedTuple):
    """A state of a screen. `steps` are (what, command) pairs; a command may be ""."""

    kind: str
    title: str
    why: str = ""
    steps: Sequence[tuple[str, str]] = ()


class NoticeView(Static):
    """Draws a notice for the width that there is."""

    def __init__(self) -> None:
        super().__init__(id="notice")
        self.notice: Notice | None = None

    def say(self, notice: Notice | None) -> None:
        """Show this one, or none."""
        self.notice = notice
        self._draw()

    def on_resize(self) -> None:
        """Another width, other lines."""
        self._draw()

    def _draw(self) -> None:
        if self.notice is not None and self.size.width:
            self.update(drawn(self.notice, min(WIDEST, self.size.width - 8)))


def drawn(notice: Notice, width: int) -> Content:
    """The notice as text."""
    glyph, tone = LOOKS.get(notice.kind, LOOKS["problem"])
    text = Prose(width)
    text.gap()
    text.add((f"{glyph} ", tone), (inert(notice.title, 300), tone or "bold"))
    if notice.why:
        text.gap()
        text.add(inert(notice.why, 1000))
    for number, (what, command) in enumerate(notice.steps, 1):
        text.gap()
        lead = f"{number}" if len(notice.steps) > 1 else "→"
        text.labelled(lead, inert(what, 300), style="bold $primary", indent=0, room=3)
        if command:
            text.add((inert(command, 300), "$secondary"), indent=3)
    return text.content()
