"""One text on the whole screen: an explanation, a report, help, or what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from bk.tui.actions import Action
from bk.tui.prose import Explanation
from bk.tui.widgets.keybar import Key, KeyBar

HINTS = (
    Key(Action("page.close", "close", "escape", "")),
    Key(Action("page.page", "next page", "space", "")),
    Key(Action("page.copy", "copy", "y", "")),
)


class Page(ModalScreen[None]):
    """Scrolls with every key that moves; Esc, q or Enter closes it; `y` copies what it is about, when that is known."""

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "dismiss", "close"),
        Binding("j,down", "scroll(1)"),
        Binding("k,up", "scroll(-1)"),
        Binding("pagedown,space", "page(1)", "page"),
        Binding("pageup", "page(-1)"),
        Binding("g,home", "edge(0)"),
        Binding("G,end", "edge(1)"),
        Binding("y", "copy"),
    ]

    def __init__(self, title: str, made: Explanation, *, copied: Callable[[], str] | None = None) -> None:
        super().__init__()
        self._title = title
        self._made = made
        self._copied = copied

    def compose(self) -> ComposeResult:
        """The text, framed."""
        with VerticalScroll(id="page"):
            yield Static(id="page-text")
        yield KeyBar()

    def on_mount(self) -> None:
        """Name the frame."""
        self.query_one("#page").border_title = Content(self._title)
        self.query_one(KeyBar).keys = HINTS if self._copied is not None else HINTS[:2]

    def on_resize(self) -> None:
        """Another width, other lines."""
        self.query_one("#page-text", Static).update(self._made(max(20, self.size.width - 8)))

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """A key of the bar was clicked."""
        event.stop()
        if event.ident == "page.close":
            self.dismiss()
        elif event.ident == "page.page":
            self.action_page(1)
        else:
            self.action_copy()

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

    def action_copy(self) -> None:
        """What the page is about, as JSON."""
        if self._copied is not None:
            self.app.copy_to_clipboard(self._copied())
            self.notify("copied as JSON", markup=False, timeout=3)
