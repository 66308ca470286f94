"""The question what a matter was: an outcome, how it is known, and why; what follows is said before it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from bk.engine.console.corpus import GIVEN, NOTE_MAX
from bk.engine.console.review import Matter, follows
from bk.text import inert
from bk.tui.actions import REVERSIBLE
from bk.tui.prose import Prose
from bk.tui.screens.confirm import WIDEST, Answer, Ask, Confirm
from bk.tui.screens.corpus_words import HOW, OUTCOMES
from bk.tui.words import TONES

WHY = "Why? (kept in the ledger)"


class Said(NamedTuple):
    """A person's word."""

    true_label: str
    source: str
    note: str


class Choice(Widget, can_focus=True):
    """One of several words, chosen with the arrow keys, their first letters' place, or the mouse."""

    BINDINGS: ClassVar = [Binding("left,up", "by(-1)"), Binding("right,down", "by(1)")]

    class Changed(Message):
        """Another one was chosen."""

    def __init__(self, words: Sequence[tuple[str, str, str]], *, id: str) -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self.words = list(words)
        self.at = 0
        self._spans: list[tuple[int, int]] = []

    @property
    def chosen(self) -> str:
        """What is chosen."""
        return self.words[self.at][0]

    def offer(self, words: Sequence[tuple[str, str, str]]) -> None:
        """Other words; the choice stays where it can."""
        was = self.chosen
        self.words = list(words)
        self.at = next((at for at, word in enumerate(self.words) if word[0] == was), 0)
        self.refresh()

    def pick(self, at: int) -> None:
        """Choose one."""
        if 0 <= at < len(self.words):
            self.at = at
            self.refresh()
            self.post_message(self.Changed())

    def action_by(self, by: int) -> None:
        """The next one, or the one before."""
        self.pick((self.at + by) % len(self.words))

    def on_click(self, event: events.Click) -> None:
        """The one under the pointer."""
        for at, (start, end) in enumerate(self._spans):
            if start <= event.x < end:
                self.pick(at)

    def render(self) -> Content:
        """All of them, the chosen one marked by more than colour."""
        parts: list[tuple[str, str]] = []
        self._spans = []
        at = 0
        for number, (_, word, tone) in enumerate(self.words):
            here = number == self.at
            said = f"[{word}]" if here else f" {word} "
            shade = f"bold {tone}" if here and not self.has_focus else "bold $background on $primary" if here else ""
            parts += [(said, shade or "$text-quiet"), ("  ", "")]
            self._spans.append((at, at + len(said)))
            at += len(said) + 2
        return Content.assemble(*parts)


class Labelling(Confirm):
    """Asks what it was. Nothing is chosen by Enter, which cancels."""

    def __init__(self, one: Matter, first: str, *, opened_by: str) -> None:
        super().__init__(Ask(f"what was {one.title}", "Label", "", tier=REVERSIBLE, opened_by=opened_by, reason=WHY))
        self._one = one
        self._first = first

    def compose(self) -> ComposeResult:
        """Outcome, source, what follows, note, two buttons."""
        labels = [(name, OUTCOMES[name][1], TONES[OUTCOMES[name][2]]) for name in GIVEN]
        with Vertical(id="ask"):
            yield Static(Content("It was"), classes="ask-first")
            yield Choice(labels, id="outcome")
            yield Static(Content("How it is known"), classes="ask-label")
            yield Choice(_sources(self._first), id="source")
            yield Static(id="ask-text")
            yield Static(Content(WHY), classes="ask-label")
            yield Input(id="reason", compact=True, max_length=NOTE_MAX)
            yield Static(id="ask-hint")
            with Horizontal(id="ask-buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Label", id="confirm", compact=True)

    def on_mount(self, event: events.Mount) -> None:  # type: ignore[override]
        """What was asked for is chosen; how it is known comes next."""
        event.prevent_default()
        self.query_one("#outcome", Choice).at = list(GIVEN).index(self._first)
        super().on_mount()
        self.set_focus(self.query_one("#source"))

    def on_resize(self, event: events.Resize) -> None:  # type: ignore[override]
        """Another width, other lines."""
        event.prevent_default()
        self._tell()

    @on(Choice.Changed)
    def _other(self) -> None:
        self.query_one("#source", Choice).offer(_sources(self._outcome))
        self._tell()

    @property
    def _outcome(self) -> str:
        return self.query_one("#outcome", Choice).chosen

    def _tell(self) -> None:
        source = self.query_one("#source", Choice).chosen
        text = Prose(min(WIDEST, self.size.width) - 8)
        text.add((HOW[source], "$text-quiet"))
        text.gap()
        text.labelled("follows", follows(self._outcome, source, len(self._one.event.purls)), indent=0)
        self.query_one("#ask-text", Static).update(text.content())

    def _judge(self) -> None:
        self.query_one("#confirm", Button).disabled = False
        said = "←→ choose   Tab: next   y: label, outside the note   Enter: cancel"
        self.query_one("#ask-hint", Static).update(Content.assemble((said, "$text-quiet")))

    def dismiss(self, result: Answer | None = None):  # type: ignore[no-untyped-def]
        """With what was chosen."""
        if result is None:
            return super().dismiss(None)
        source = self.query_one("#source", Choice).chosen
        return super().dismiss(Said(self._outcome, source, result.reason))  # type: ignore[arg-type]


def _sources(true_label: str) -> list[tuple[str, str, str]]:
    return [(name, inert(name.replace("_", " "), 40), "$foreground") for name in GIVEN[true_label]]
