"""The dashboard's app: themes, the palette and which state is looked at. Everything else is in screens and widgets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.screen import Screen

from bk.tui.actions import ACTIONS, bindings
from bk.tui.screens.live import Live
from bk.tui.theme import THEMES

if TYPE_CHECKING:
    from bk.engine.console.session import Session


class Dashboard(App[None]):
    """One session on one state directory; `sample` makes a throw-away one to look around in."""

    TITLE = "bk"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar = bindings("palette", "look")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._made: list[Session] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, so that styles load under any of the library's themes too."""
        return dict(THEMES[0].variables)

    def on_mount(self) -> None:
        """Open the live screen."""
        self.push_screen(Live(self.session))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action of the registry that can be done here."""
        for action in ACTIONS:
            if action.ident == "palette" or screen.check_action(action.ident, ()) is not True:
                continue
            target = screen if hasattr(screen, f"action_{action.ident}") else self
            call = getattr(target, f"action_{action.ident}", None)
            if call is not None:
                yield SystemCommand(action.title, action.help, call)

    def action_palette(self) -> None:
        """Every command by name."""
        self.action_command_palette()

    def action_look(self) -> None:
        """The other theme."""
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    async def open_sample(self) -> None:
        """Decide the sample calls in a throw-away state, and look at that."""
        import asyncio

        from bk.engine.console.sample import open_sample

        self.notify("deciding the sample calls …", markup=False, timeout=3)
        sample = await asyncio.to_thread(open_sample)
        self._made.append(sample)
        self.session = sample
        await self.switch_screen(Live(sample))

    def close(self) -> None:
        """Let go of files, and of states that were made to be thrown away."""
        for session in (*self._made, self.session):
            session.close()
