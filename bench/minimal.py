"""The least that the dashboard's library can draw: what the dashboard's first frame is held against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

SAID = "minimal-app-is-here"


class Minimal(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """It."""
        yield Static(SAID)


if __name__ == "__main__":
    Minimal().run()
