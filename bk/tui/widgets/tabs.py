"""The screens there are, which one this is, and where something waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from bk.tui.places import PLACES, Place

FULL, SHORT, SHORTER, BARE = 99, 4, 3, 0
STEPS = ((FULL, " "), (SHORT, " "), (SHORT, ""), (SHORTER, ""), (BARE, " "))  # letters of a name, air after a word


class Tabs(Widget):
    """One line: number, name, count. Where there is no room only the present one is spelled out."""

    counts: reactive[Mapping[str, int]] = reactive(dict[str, int])

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, here: str) -> None:
        super().__init__(id="tabs")
        self._here = here
        self._spans: list[tuple[int, int, str]] = []

    def render(self) -> Content:
        """The line for the present width."""
        width = self.size.width
        for letters, air in STEPS:
            words = [(place, self._word(place, letters, air)) for place in PLACES]
            if sum(len(word) for _, word in words) <= width or letters == BARE:
                return self._line(words, air)
        return Content("")

    def on_click(self, event: events.Click) -> None:
        """Go there."""
        for start, end, name in self._spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(name))

    def _word(self, place: Place, letters: int, air: str) -> str:
        count = self.counts.get(place.name, 0)
        more = f" {count:,}" if count else ""
        name = place.title if place.name == self._here else place.title[:letters]
        return f" {place.key} {name}{more}{air}" if name else f" {place.key}{more}{air}"

    def _line(self, words: Sequence[tuple[Place, str]], air: str) -> Content:
        parts: list[tuple[str, str]] = []
        self._spans = []
        at = 0
        for place, word in words:
            here = place.name == self._here
            tone = "bold $foreground on $selected" if here else "$text-quiet"
            count = f" {self.counts[place.name]:,}{air}" if self.counts.get(place.name) else air
            parts.append((word.removesuffix(count), tone))
            parts.append((count, "bold $primary on $selected" if here else "bold $primary"))
            self._spans.append((at, at + len(word), place.name))
            at += len(word)
        return Content.assemble(*parts)
