"""The line that always tells the truth: which machine, which state, who may act, and how the guard is."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from bk.text import inert
from bk.tui.gate import ADMIN, LOCKED
from bk.tui.words import HEALTH, TONES, WRONG

GATES = {ADMIN: "bold $background on $primary", LOCKED: "bold $background on $warning"}
OPEN = "bold $text-quiet on $panel-strong"


class Header(Widget):
    """Product, host, state directory, gate and the health words on one line; details give way first."""

    health: reactive[Mapping[str, tuple[str, str]]] = reactive(dict[str, tuple[str, str]])
    urgent: reactive[int] = reactive(0)
    gate: reactive[str] = reactive("READ-ONLY")

    def __init__(self, host: str, root: str, *, sample: bool) -> None:
        super().__init__(id="header")
        self._host = host
        self._root = root
        self._sample = sample

    def render(self) -> Content:
        """The line for the present width."""
        width = self.size.width
        right = self._right(terse=width < 74)
        badge = [(f" {self.gate} ", GATES.get(self.gate, OPEN))]
        if self._sample:
            badge[:0] = [(" SAMPLE ", "bold $background on $secondary"), (" ", "")]
        room = width - right.cell_length - sum(len(text) for text, _ in badge) - 8
        place = inert(f"{self._host}  {self._root}", max(0, room)) if room > 8 else ""
        left = Content.assemble((" bk ", "bold $primary"), (f" {place}  " if place else " ", "$text-quiet"), *badge)
        gap = max(1, width - left.cell_length - right.cell_length)
        return Content.assemble(left, " " * gap, right)

    def _right(self, *, terse: bool) -> Content:
        parts: list[tuple[str, str]] = []
        if self.urgent:
            parts += [(f"● {self.urgent:,} open", "bold $primary"), ("  ", "")]
        for name, (word, more) in self.health.items():
            glyph, style = HEALTH.get(word, WRONG)
            if terse and style == "good":
                continue
            parts += [(f"{name} ", "$text-quiet"), (f"{glyph} {word}", TONES[style])]
            if more and not terse:
                parts.append((f" {inert(more, 14)}", "$text-quiet"))
            parts.append(("  ", ""))
        if not self.health:
            parts.append(("looking …", "$text-quiet"))
        return Content.assemble(*parts)
