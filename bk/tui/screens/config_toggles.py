"""The two decisions before anything is moved by itself, always in sight, with what would move now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from bk.engine.console.config import APART
from bk.engine.console.would import MOVES
from bk.text import cells, inert
from bk.tui.screens.config_rows import Moves, Setting, summed

ROOMY = 60
KEYS = (("a", "enabled"), ("d", "dry_run"))


class Toggles(Widget):
    """Two lines: the switches, each with its own key, and below them what follows from how they are set."""

    class Pressed(Message):
        """A switch was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, shorten: Callable[[str], str]) -> None:
        super().__init__(id="toggles")
        self._shorten = shorten
        self._settings: Mapping[str, Setting] = {}
        self._moves = Moves()
        self._spans: list[tuple[int, int, str]] = []

    def put(self, settings: Mapping[str, Setting], moves: Moves) -> None:
        """Show these."""
        self._settings, self._moves = settings, moves
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """As if its key were pressed."""
        for start, end, name in self._spans:
            if event.y == 0 and start <= event.x < end:
                self.post_message(self.Pressed(name))

    def render(self) -> Content:
        """Both lines for the present width."""
        width = self.size.width
        self._spans = []
        if not self._settings:
            return Content("")
        parts: list[tuple[str, str]] = [(" auto_quarantine  " if width >= ROOMY else " ", "$text-quiet")]
        for name, (key, word) in zip(APART, KEYS, strict=True):
            one = self._settings[name]
            on = one.new if one.staged else one.row.value
            start = sum(cells(part) for part, _ in parts)
            tone = "bold $primary" if one.staged else "bold" if on else "$text-quiet"
            parts += [(key, "bold $primary"), (f" [{'x' if on else ' '}] {word} ", tone)]
            parts += [(f"{one.value}   ", tone)]
            self._spans.append((start, sum(cells(part) for part, _ in parts) - 2, name))
        parts.append(self._said(width - sum(cells(part) for part, _ in parts)))
        return Content("\n").join([Content.assemble(*parts), self._below(width)])

    def _said(self, room: int) -> tuple[str, str]:
        on = {name: one.row.value for name, one in self._settings.items()}
        enabled, dry = (on[name] for name in APART)
        if enabled and not dry:
            said = "◆ LIVE: what matches is moved" if room > 30 else "◆ LIVE"
            return inert(said, max(0, room)), "bold $accent"
        return inert("◇ only reported" if enabled else "· off: nothing is moved", max(0, room)), "$text-quiet"

    def _below(self, width: int) -> Content:
        moves = self._moves
        if moves.problem:
            return Content.assemble((inert(f" x {moves.problem}", width), "$error"))
        found = moves.staged if moves.staged is not None else moves.now
        lead = " saved now  " if moves.staged is not None else " as it is  "
        moving = [each for each in found if each.what == MOVES]
        said, names = summed(found), moving
        if not moving and any(each.what == MOVES for each in moves.live):
            names = [each for each in moves.live if each.what == MOVES]
            said += f"; live it would move {len(names)}"
        told = "".join(f"  {each.name} {self._shorten(each.incident.path)}" for each in names[:3])
        room = max(0, width - cells(lead) - cells(said) - 1)
        tone = "bold $accent" if moving else ""
        return Content.assemble((lead, "$text-quiet"), (inert(said, width - cells(lead) - 1), tone),
                                (inert(told, room) if room > 12 else "", "$text-quiet"))  # fmt: skip
