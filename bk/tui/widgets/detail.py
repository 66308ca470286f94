"""The pane that explains what is selected."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from bk.tui.prose import Explanation, still

NOTHING = still(("nothing is selected", "$text-quiet"))


class Detail(VerticalScroll, can_focus=True):
    """Shows one explanation, made for the pane's width; starts at its top whenever it is another one."""

    def __init__(self, title: str = "explained", *, id: str = "detail") -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self.border_title = title
        self._about: object = None
        self._made: Explanation | None = None

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield Static(id="explained")

    def explain(self, about: object, made: Explanation = NOTHING) -> None:
        """Show an explanation; `about` identifies its subject, so that news of it do not scroll it."""
        self._made = made
        self._draw()
        if about != self._about:
            self._about = about
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Another width, other lines."""
        self._draw()

    def _draw(self) -> None:
        if self._made is not None and self.size.width:
            self.query_one("#explained", Static).update(self._made(self.size.width - 2))
