"""The keys that work here, always. A key that would be refused stands in brackets, and pressing it says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from bk.tui.actions import Action, shown_keys


class Key(NamedTuple):
    """An action as it stands now: `why_not` is "" when it would work."""

    action: Action
    why_not: str = ""

    @property
    def name(self) -> str:
        """The key that is shown for it."""
        return shown_keys(self.action).split(" ", maxsplit=1)[0]


class KeyBar(Widget):
    """One line: this screen's keys from the left, those of every screen at the right. What does not fit is in help."""

    keys: reactive[Sequence[Key]] = reactive(())
    always: reactive[Sequence[Key]] = reactive(())

    class Pressed(Message):
        """A key was clicked."""

        def __init__(self, ident: str) -> None:
            super().__init__()
            self.ident = ident

    def __init__(self) -> None:
        super().__init__(id="keybar")
        self._spans: list[tuple[int, int, str]] = []

    def render(self) -> Content:
        """The line for the present width."""
        width = self.size.width
        self._spans = []
        right = self.always
        while len(right) > 2 and sum(map(_length, right)) + 12 > width // 2:
            right = right[1:]
        room = width - 1 - sum(map(_length, right))
        parts: list[tuple[str, str]] = [(" ", "")]
        at = 1
        for each in self.keys:
            if at + _length(each) > room - 2:
                parts.append(("…", "$text-quiet"))
                at += 1
                break
            at = self._put(parts, each, at)
        parts.append((" " * max(0, room - at + 1), ""))
        at = max(at, room + 1)
        for each in right:
            at = self._put(parts, each, at)
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """As if the key were pressed."""
        for start, end, ident in self._spans:
            if start <= event.x < end:
                self.post_message(self.Pressed(ident))

    def _put(self, parts: list[tuple[str, str]], key: Key, at: int) -> int:
        word, title = _words(key)
        quiet = bool(key.why_not)
        parts.append((word, "$text-faint" if quiet else "bold $primary"))
        parts.append((f" {title}", "$text-faint" if quiet else "$text-quiet"))
        parts.append(("  ", ""))
        self._spans.append((at, at + _length(key), key.action.ident))
        return at + _length(key)


def _words(key: Key) -> tuple[str, str]:
    return (f"({key.name})" if key.why_not else key.name), key.action.title


def _length(key: Key) -> int:
    word, title = _words(key)
    return len(word) + len(title) + 3
