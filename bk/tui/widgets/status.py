"""The line above the keys: what is missed while looking elsewhere, which filter is on, what cannot be read."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from bk.text import cells, inert


class Status(Widget):
    """Left: following or the count of unseen entries. Right: how many are shown. A problem takes the whole line."""

    problem: reactive[str] = reactive("")
    following: reactive[bool] = reactive(True)
    unseen: reactive[int] = reactive(0)
    shown: reactive[int] = reactive(0)
    total: reactive[int] = reactive(0)
    filter: reactive[str] = reactive("")
    oldest_first: reactive[bool] = reactive(False)

    def __init__(self) -> None:
        super().__init__(id="status")

    def render(self) -> Content:
        """The line for the present width."""
        width = self.size.width
        if self.problem:
            return Content.assemble((inert(f" {self.problem}", width), "bold $error"))
        if not self.total:
            return Content("")
        if self.unseen:
            left = (f" +{self.unseen:,} new · f to follow ", "bold $background on $primary")
        else:
            left = (" following" if self.following else " f to follow", "$text-quiet")
        order = " · oldest first" if self.oldest_first else ""
        right = f"{self.total:,} {'entry' if self.total == 1 else 'entries'}{order} "
        if self.filter:
            hidden = f"{self.shown:,} of {self.total:,}{order} · Esc clears "
            room = width - len(left[0]) - len(hidden) - 6
            right = f"/ {inert(self.filter, max(8, room))} · {hidden}"
        gap = max(1, width - cells(left[0]) - cells(right))
        return Content.assemble(left, " " * gap, (right, "$primary" if self.filter else "$text-quiet"))
