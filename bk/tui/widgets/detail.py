"""The pane that explains what is selected."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class Detail(VerticalScroll, can_focus=True):
    """Shows one explanation; scrolls, and starts at its top whenever it is another one."""

    def __init__(self, *, id: str = "detail") -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self._about: object = None

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield Static(id="explained")

    def explain(self, about: object, content: Content) -> None:
        """Show an explanation; `about` identifies its subject."""
        self.query_one("#explained", Static).update(content)
        if about != self._about:
            self._about = about
            self.scroll_home(animate=False)
