"""Where to? A time or a number; what is neither is said so while it can still be mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from bk.engine.errors import BkError
from bk.text import inert

HINT = "Enter: go   Esc: cancel"


class GoTo(ModalScreen[str]):
    """Answers what was typed; "" when it was cancelled. `judge` raises BkError for what cannot be gone to."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss('')", "cancel")]

    def __init__(self, judge: Callable[[str], object]) -> None:
        super().__init__()
        self._judge = judge

    def compose(self) -> ComposeResult:
        """One field."""
        with Vertical(id="ask"):
            yield Static(
                "A time: 14:30, yesterday 9:00, 2026-11-20 10:00, -2h.  An entry: #1,200.\n"
                "The selection goes to the entry nearest to it.",
                markup=False,
            )
            yield Input(id="where", compact=True, max_length=60)
            yield Static(HINT, id="ask-hint", markup=False)

    def on_mount(self) -> None:
        """Name the frame."""
        self.query_one("#ask").border_title = "go to"

    @on(Input.Changed)
    def _typing(self) -> None:
        self.query_one("#ask-hint", Static).update(HINT)

    @on(Input.Submitted)
    def _go(self, event: Input.Submitted) -> None:
        said = event.value.strip()
        if said:
            try:
                self._judge(said)
            except BkError as error:
                told = Content.assemble((inert(f"{error.title}: {error.next_step}", 200), "$error"))
                self.query_one("#ask-hint", Static).update(told)
                return
        self.dismiss(said)
