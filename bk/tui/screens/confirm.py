"""The question before a deed: what it is about, what it does, what speaks for and against it. Cancel is the default.

Enter is always Cancel. A deed that can be taken back is confirmed by `y`; one that cannot wants a phrase typed and then
its button, reached with Tab and pressed with Space or the mouse. Keys are ignored for a moment after it opens, and it
disables itself when its subject changes under it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static
from textual.worker import get_current_worker

from bk.text import inert
from bk.tui.actions import FOR_GOOD
from bk.tui.prose import Prose

SETTLE_SECONDS = 0.3
LOOK_SECONDS = 1.0
CONFIRMING = "y"
WIDEST = 80


class Ask(NamedTuple):
    """A question. `facts` are (label, text) pairs; `reason` names the field for why, `place_label` that for a path, ""
    for none; `place` is what already stands there, `example` what it looks like.
    """

    title: str
    verb: str
    effect: str
    facts: Sequence[tuple[str, str]] = ()
    tier: int = 2
    phrase: str = ""
    opened_by: str = ""
    reason: str = ""
    reason_needed: bool = False
    still: Callable[[], str] | None = None
    place_label: str = ""
    place: str = ""
    example: str = ""


class Answer(NamedTuple):
    """Confirmed, why, and where to."""

    reason: str = ""
    place: str = ""


class Confirm(ModalScreen[Answer | None]):
    """Asks; answers None when it was cancelled."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar = [
        Binding("enter", "cancel", "cancel", priority=True),
        Binding("escape", "cancel", "cancel"),
        Binding(CONFIRMING, "confirm", "confirm"),
        Binding("space", "press", "press"),
        Binding("left,right", "other", "the other button"),
    ]

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        if ask.opened_by == CONFIRMING:
            raise ValueError("the key that opens a question must not be the one that confirms it")
        if (ask.tier == FOR_GOOD) != bool(ask.phrase):
            raise ValueError("what cannot be taken back, and nothing else, wants a phrase")
        self.ask = ask
        self.dead = ""
        self._opened = time.monotonic()

    def compose(self) -> ComposeResult:
        """Facts, fields, two buttons."""
        ask = self.ask
        with Vertical(id="ask"):
            with VerticalScroll(id="ask-facts", can_focus=False):
                yield Static(id="ask-text")
            if ask.place_label:
                yield Static(Content(inert(ask.place_label, WIDEST - 8)), classes="ask-label")
                yield Input(ask.place, placeholder=inert(ask.example, 60), id="place", compact=True, max_length=1000)
            if ask.reason:
                yield Static(Content(inert(ask.reason, WIDEST - 8)), classes="ask-label")
                yield Input(id="reason", compact=True, max_length=400)
            if ask.phrase:
                said = Content.assemble("Type ", (inert(ask.phrase, 40), "bold $primary"), " to allow it:")
                yield Static(said, classes="ask-label")
                yield Input(id="phrase", compact=True, max_length=60)
            yield Static(id="ask-hint")
            with Horizontal(id="ask-buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(Content(inert(ask.verb, 30)), id="confirm", compact=True)

    def on_mount(self) -> None:
        """Cancel has the focus, unless something must be typed first."""
        frame = self.query_one("#ask")
        frame.border_title = Content(inert(self.ask.title, WIDEST - 8))
        frame.set_class(self.ask.tier == FOR_GOOD, "-for-good")
        first = (
            "#place"
            if self.ask.place_label
            else "#reason"
            if self.ask.reason_needed
            else "#phrase"
            if self.ask.phrase
            else "#cancel"
        )
        self.set_focus(self.query_one(first))
        self._judge()
        if self.ask.still is not None:
            self.set_interval(LOOK_SECONDS, self.look_again)

    def on_resize(self) -> None:
        """Another width, other lines."""
        text = Prose(min(WIDEST, self.size.width) - 8)
        text.add(inert(self.ask.effect, 600))
        if self.ask.facts:
            text.gap()
        for label, told in self.ask.facts:
            text.labelled(inert(label, 10), inert(told, 600), indent=0, room=11)
        self.query_one("#ask-text", Static).update(text.content())

    @property
    def lacks(self) -> str:
        """What is still missing before it can be confirmed; "" when nothing is."""
        ask = self.ask
        if self.dead:
            return self.dead
        if ask.place_label and not self._typed_in("place").startswith(("/", "~/")):
            return "say where first: the whole path, from / or ~/ on"
        if ask.reason_needed and not self._typed_in("reason"):
            return "say why first"
        if ask.phrase and self._typed_in("phrase") != ask.phrase:
            return "not yet: what is typed does not match"
        return ""

    @work(thread=True, group="still", exclusive=True, exit_on_error=False)
    def look_again(self) -> None:
        """Whether what it asks about is still as it was."""
        assert self.ask.still is not None
        why = self.ask.still()
        if why and not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._die, why)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._judge()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Nothing happens."""
        self.dismiss(None)

    @on(Button.Pressed, "#confirm")
    def _button(self) -> None:
        self._confirm()

    def action_confirm(self) -> None:
        """`y`: where a phrase is wanted, the phrase and the button are what confirms."""
        if not self.ask.phrase:
            self._confirm()

    def action_press(self) -> None:
        """The button that has the focus."""
        if self.focused is not None and self.focused.id == "confirm":
            self._confirm()
        elif self.focused is not None and self.focused.id == "cancel":
            self.action_cancel()

    def action_other(self) -> None:
        """From one button to the other."""
        there = "#cancel" if self.focused is not None and self.focused.id == "confirm" else "#confirm"
        self.set_focus(self.query_one(there))

    def _confirm(self) -> None:
        if self.lacks or time.monotonic() - self._opened < SETTLE_SECONDS:
            return
        ask = self.ask
        reason = self._typed_in("reason") if ask.reason else ""
        self.dismiss(Answer(reason, self._typed_in("place") if ask.place_label else ""))

    def _typed_in(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    def _judge(self) -> None:
        lacks = self.lacks
        self.query_one("#confirm", Button).disabled = bool(lacks)
        if lacks:
            said = (f"{lacks}   Enter or Esc: cancel", "$error" if self.dead else "$text-quiet")
        elif self.ask.phrase:
            said = (f"Tab, then Space: {self.ask.verb.lower()}   Enter: cancel", "$primary")
        else:
            typed = "Tab out of the field, then " if self.ask.reason_needed or self.ask.place_label else ""
            said = (f"{typed}{CONFIRMING}: {self.ask.verb.lower()}   Enter: cancel", "$text-quiet")
        self.query_one("#ask-hint", Static).update(Content.assemble(said))

    def _die(self, why: str) -> None:
        self.dead = f"no longer: {inert(why, 200)}"
        self._judge()
