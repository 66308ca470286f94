"""One explanation on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from bk.tui.explain import Explanation


class Page(ModalScreen[None]):
    """Scrolls with every key that moves; Esc, q or Enter closes it."""

    CSS_PATH = "page.tcss"
    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "dismiss", "close", key_display="Esc"),
        Binding("j,down", "scroll(1)", "down", show=False),
        Binding("k,up", "scroll(-1)", "up", show=False),
        Binding("pagedown,space", "page(1)", "page", key_display="PgDn"),
        Binding("pageup", "page(-1)", show=False),
        Binding("g,home", "edge(0)", show=False),
        Binding("G,end", "edge(1)", show=False),
    ]

    def __init__(self, title: str, made: Explanation) -> None:
        super().__init__()
        self._title = title
        self._made = made

    def compose(self) -> ComposeResult:
        """The text, framed."""
        with VerticalScroll(id="page"):
            yield Static(id="page-text")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Name the frame."""
        self.query_one("#page").border_title = self._title

    def on_resize(self) -> None:
        """Another width, other lines."""
        self.query_one("#page-text", Static).update(self._made(max(20, self.size.width - 7)))

    def action_scroll(self, by: int) -> None:
        """A line."""
        self.query_one("#page").scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        """A page."""
        page = self.query_one("#page")
        page.scroll_relative(y=by * max(1, page.size.height - 1), animate=False)

    def action_edge(self, end: int) -> None:
        """Top or bottom."""
        page = self.query_one("#page")
        page.scroll_to(y=page.max_scroll_y if end else 0, animate=False)
