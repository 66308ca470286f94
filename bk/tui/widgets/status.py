"""The line above the keys: what went wrong, what is under way, what is missed meanwhile, what is shown of how much."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from bk.text import cells, inert


class Status(Widget):
    """A problem takes the whole line until it is read. Else left: work, or following; right: how many are shown."""

    problem: reactive[str] = reactive("")
    more_problems: reactive[int] = reactive(0)
    complaint: reactive[str] = reactive("")
    work: reactive[str] = reactive("")
    live: reactive[bool] = reactive(False)
    following: reactive[bool] = reactive(True)
    unseen: reactive[int] = reactive(0)
    told: reactive[str] = reactive("")
    filter: reactive[str] = reactive("")

    class Clicked(Message):
        """The line was clicked: read the problem, or go back to following."""

    def __init__(self) -> None:
        super().__init__(id="status")

    def on_click(self, event: events.Click) -> None:
        """As the line says."""
        event.stop()
        self.post_message(self.Clicked())

    def render(self) -> Content:
        """The line for the present width."""
        width = self.size.width
        if self.problem:
            more = f" +{self.more_problems}" if self.more_problems else ""
            end = f"{more} · , reads it "
            said = inert(f" x {self.problem}", max(8, width - len(end)))
            return Content.assemble((f"{said}{end}".ljust(width), "bold $background on $error"))
        if self.complaint:
            return Content.assemble((inert(f" ? {self.complaint}", width), "bold $error"))
        left = self._left()
        right = self.told
        if self.filter:
            right = f"/ {inert(self.filter, max(8, width - len(left[0]) - cells(right) - 22))} · {right} · Esc clears"
        right = inert(f"{right} ", max(0, width - cells(left[0]) - 1))
        gap = max(1, width - cells(left[0]) - cells(right))
        return Content.assemble(left, " " * gap, (right, "$primary" if self.filter else "$text-quiet"))

    def _left(self) -> tuple[str, str]:
        if self.work:
            return f" … {inert(self.work, max(8, self.size.width - 30))}", "$secondary"
        if self.unseen:
            return f" +{self.unseen:,} new · f to follow ", "bold $background on $primary"
        if self.live:
            return (" following" if self.following else " not following · f"), "$text-quiet"
        return "", ""
