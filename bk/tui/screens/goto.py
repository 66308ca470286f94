"""Where to? A time or a number."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class GoTo(ModalScreen[str]):
    """Answers what was typed; "" when it was cancelled."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss('')", "cancel")]

    def compose(self) -> ComposeResult:
        """One field."""
        with Vertical(id="ask"):
            yield Static(
                "A time (14:05, today, yesterday, 2h, 2025-01-31) or an entry's number (#1,200).", markup=False
            )
            yield Input(id="where", compact=True, max_length=60)
            yield Static("Enter: go   Esc: cancel", id="ask-hint", markup=False)

    def on_mount(self) -> None:
        """Name the frame."""
        self.query_one("#ask").border_title = "go to"

    @on(Input.Submitted)
    def _go(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
