"""Every command and every screen by name, in one list; what would be refused here is there too, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from bk.text import inert
from bk.tui.actions import EVERYWHERE, shown_keys
from bk.tui.places import PLACES

if TYPE_CHECKING:
    from bk.tui.app import Dashboard


class Command(NamedTuple):
    """A line of the palette."""

    name: str
    help: str
    run: Callable[[], object]


class Everything(Provider):
    """The registry of actions and the screens, as they stand now."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in self._commands():
            yield DiscoveryHit(Content(command.name), command.run, text=command.name, help=command.help)

    async def search(self, query: str) -> Hits:
        """Those that what is typed could mean."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, text=command.name, help=command.help)

    def _commands(self) -> Iterator[Command]:
        board: Dashboard = self.app  # type: ignore[assignment]
        front = board.front
        if front is None:
            return
        here = front.NAME
        for action in front.ACTIONS:
            why = front.refusal(action)
            if why is not None:
                name = f"{here}: {action.title}  {shown_keys(action)}"
                yield Command(name, _told(action.help, why), partial(front.action_do, action.ident))
        for place in PLACES:
            if place.name != here:
                yield Command(f"go: {place.title}  {place.key}", "Open this screen.", partial(board.go, place.name))
        for action in EVERYWHERE:
            why = front.refusal(action)
            if action.what not in ("palette", "back") and why is not None:
                name = f"bk: {action.title}  {shown_keys(action)}"
                yield Command(name, _told(action.help, why), partial(front.action_do, action.ident))


def _told(told: str, why: str) -> str:
    return f"(not now) {inert(why, 200)}" if why else told
