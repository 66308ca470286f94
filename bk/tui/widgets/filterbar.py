"""Where a filter is typed. It is applied as one types, a moment after the last key."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

QUIET_SECONDS = 0.08


class FilterBar(Input):
    """Hidden until asked for; Enter keeps the filter, Esc leaves it and a second Esc clears it."""

    BINDINGS: ClassVar = [
        Binding("enter", "submit", "keep the filter", key_display="Enter", priority=True),
        Binding("escape", "leave", "back to the list", key_display="Esc"),
    ]

    class Asked(Message):
        """Another filter was typed; "" for none."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The person went back to the list."""

    def __init__(self, hint: str) -> None:
        super().__init__(placeholder=hint, id="filter", compact=True)
        self.display = False
        self.applied = ""
        self.why = ""

    @property
    def active(self) -> str:
        """The filter that is in force; "" while what is typed cannot be used."""
        return "" if self.why else self.applied

    def open(self) -> None:
        """Show it and type."""
        self.display = True
        self.focus()

    def put(self, text: str) -> None:
        """Filter by this, as if it were typed."""
        self.value = text

    def clear_filter(self) -> None:
        """No filter."""
        self.value = ""
        self.display = False

    def complain(self, why: str) -> None:
        """Remember why the text cannot be used; "" when it can."""
        self.why = why
        self.set_class(bool(why), "-wrong")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Wait for the next key before searching."""
        event.stop()
        self.set_timer(QUIET_SECONDS, lambda: self._settled(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the list, with the filter on."""
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        """Back to the list."""
        self._settled(self.value)
        self.display = False
        self.post_message(self.Left())

    def _settled(self, text: str) -> None:
        text = text.strip()
        if text == self.value.strip() and text != self.applied:
            self.applied = text
            self.post_message(self.Asked(text))
