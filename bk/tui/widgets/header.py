"""The line that always tells the truth: which machine, which state, who may act, and how the guard is."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from bk.text import inert
from bk.tui.words import HEALTH


class Header(Widget):
    """Product, host, state directory, gate and three health words on one line; details give way first."""

    health: reactive[Mapping[str, tuple[str, str]]] = reactive(dict[str, tuple[str, str]])
    urgent: reactive[int] = reactive(0)

    def __init__(self, host: str, root: str, gate: str, *, sample: bool) -> None:
        super().__init__(id="header")
        self._host = host
        self._root = root
        self._gate = gate
        self._sample = sample

    def render(self) -> Content:
        """The line for the present width."""
        width = self.size.width
        right = self._right(short=width < 74)
        gate_style = "bold $background on $primary" if self._gate == "ADMIN" else "bold $text-quiet"
        badge = [(f" {self._gate} ", gate_style)]
        if self._sample:
            badge.insert(0, (" SAMPLE ", "bold $background on $secondary"))
            badge.insert(1, (" ", ""))
        room = width - right.cell_length - sum(len(text) for text, _ in badge) - 8
        place = inert(f"{self._host}  {self._root}", max(0, room)) if room > 8 else ""
        left = Content.assemble((" bk ", "bold $primary"), (f" {place}  " if place else " ", "$text-quiet"), *badge)
        gap = max(1, width - left.cell_length - right.cell_length)
        return Content.assemble(left, " " * gap, right)

    def _right(self, *, short: bool) -> Content:
        parts: list[tuple[str, str]] = []
        if self.urgent:
            parts += [(f"● {self.urgent:,} open", "bold $error"), ("   ", "")]
        for name, (word, more) in self.health.items():
            tone = {"good": "$success", "warn": "bold $warning", "quiet": "$text-quiet"}.get(
                HEALTH.get(word, "bad"), "bold $error"
            )
            parts += [(f"{name} ", "$text-quiet"), (word, tone)]
            if more and not short:
                parts.append((f" {inert(more, 24)}", "$text-quiet"))
            parts.append(("  ", ""))
        return Content.assemble(*parts)
