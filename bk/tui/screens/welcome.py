"""The first screen of a first start: which agents are here, how they come to ask bk, and one call that is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from bk.engine.console import welcome
from bk.engine.console.welcome import COMMAND, Arrival
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import Action
from bk.tui.prose import Prose
from bk.tui.screens.health_install import Install, installed
from bk.tui.screens.page import Page
from bk.tui.widgets.keybar import Key, KeyBar
from bk.tui.words import LEVELS, TONES

if TYPE_CHECKING:
    from bk.tui.app import Dashboard

WIDEST = 92
INSTALL = "bk hooks install --all-detected"
MOST = 2


class Welcome(Page):
    """Shown once, over the overview. `i` wires the clients in, with the diff first; every other key goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("i", "install", "install")]

    def __init__(self, found: Arrival, why_not: Callable[[], str]) -> None:
        super().__init__("welcome to bk", lambda width: told(found, why_not(), width))
        self._found = found
        self._why_not = why_not

    def on_mount(self, event: events.Mount) -> None:  # type: ignore[override]
        """The keys that work here."""
        event.prevent_default()
        super().on_mount()
        keys = [Key(Action("page.close", "go on", "enter", ""))]
        if self._found.wired:
            keys.insert(0, Key(Action("page.install", "have them ask bk", "i", ""), self._why_not()))
        self.query_one(KeyBar).keys = keys

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """A key of the bar was clicked."""
        event.stop()
        event.prevent_default()
        if event.ident == "page.install":
            self.action_install()
        else:
            self.dismiss()

    def action_install(self) -> None:
        """The diff of every client, then they are wired in."""
        why, wired = self._why_not(), self._found.wired
        board: Dashboard = self.app  # type: ignore[assignment]
        if why:
            board.say(f"{why}. Or run: {INSTALL}", severity="warning")
        elif wired:

            def answered(answer: object) -> None:
                if answer is None:
                    board.say("cancelled: nothing was done")
                    return
                self.dismiss()
                board.perform("wiring bk in", lambda: installed(wired, board.session))

            board.push_screen(Install(wired, opened_by="i"), answered)


def greet(board: Dashboard) -> None:
    """Show it, when it was never shown and nobody asks bk yet; ends on the overview."""
    env = board.session.env

    def look() -> None:
        try:
            found = welcome.arrival(env)
        except BkError as error:
            board.call_from_thread(board.trouble, error)
            return
        if not found.asked:
            board.call_from_thread(show, found)

    def show(found: Arrival) -> None:
        board.push_screen(Welcome(found, lambda: board.gate.sentence), gone)

    def gone(_: None) -> None:
        board.run_worker(note, thread=True)

    def note() -> None:
        try:
            welcome.seen(env)
        except BkError as error:
            board.call_from_thread(board.trouble, error)

    board.run_worker(look, thread=True, group="welcome", exit_on_error=False)


def told(found: Arrival, why_not: str, width: int) -> Content:
    """The whole text, for a width."""
    text = Prose(min(WIDEST, width))
    text.gap()
    text.add(("bk stands between your coding agent and this machine. ", "bold"), "It decides each call before it runs, "
             "records what it decided, and shows it here.")  # fmt: skip
    text.title("1  the agents that are here")
    for one in found.standings:
        glyph, word, tone = ("+", "asks bk", "$success") if one.asks else ("~", "does not ask bk yet", "$warning")
        text.add(f"{inert(one.client.title, 24):<25}", (f"{glyph} {word}", tone), indent=3)
    if not found.standings:
        text.add("None that bk knows. Once one is installed, Health (0) offers to wire bk into it.", indent=3)
    elif found.wired and not why_not:
        text.gap()
        text.add(("i", "bold $primary"), " shows what would be written into their settings, and asks first.", indent=3)
    elif found.wired:
        text.gap()
        text.add((f"{inert(why_not, 200)}. In your own terminal:", "$text-quiet"), indent=3)
        text.add((INSTALL, "$secondary"), indent=3)
    text.title("2  what that looks like")
    checked = found.example
    glyph, word, style = LEVELS[checked.verdict.level.word]
    text.add(("an agent runs  ", "$text-quiet"), (COMMAND, "bold"), indent=3)
    for number, finding in enumerate(checked.verdict.findings[:MOST]):
        head = f"{glyph} {word}" if not number else ""
        text.labelled(head, inert(finding.reason, 300), (f"  {inert(finding.rule, 60)}", "$text-quiet"),
                      style=f"bold {TONES[style]}", indent=3)  # fmt: skip
    now = "That was decided just now with the rules in force; nothing was run and nothing recorded."
    text.add((now, "$text-quiet"), indent=3)
    text.title("3  look around")
    keys = [(key, "bold $primary") for key in ("?", ":")]
    text.add("Enter goes on. ", keys[0], " explains every screen, ", keys[1], " finds every command.", indent=3)
    return text.content()
