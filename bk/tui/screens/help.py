"""The help page: made from the registry and the screen itself, so that it cannot name a key that does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from bk import __version__
from bk.text import inert
from bk.tui.actions import ADMIN, EVERYWHERE, FOR_GOOD, MOVES, OPEN, Action, shown_keys
from bk.tui.places import PLACES
from bk.tui.prose import Prose
from bk.tui.screens.listing import Listing
from bk.tui.screens.page import Page
from bk.tui.words import LEVELS, STATES, TONES

if TYPE_CHECKING:
    from bk.tui.app import Dashboard
    from bk.tui.screens.base import Base

MEANING = {
    "allow": "it ran: no rule objects to it",
    "warn": "it ran, and agent and user were told what is doubtful",
    "ask": "a person was asked first",
    "block": "it did not run",
    "quarantine": "it did not run, and what it would use is to be taken out of reach",
}
SIGNS = ("open", "acknowledged", "quarantined", "exempt", "resolved")
FILTERS = (
    ("level:block", "only these verdicts; level>=ask for a range"),
    ("agent:claude", "only calls of this client"),
    ("since:1h", "since a while (30m, 2d), a day, or a time; until: likewise"),
    ("path:~/.ssh", "calls that touch a path or what is below it"),
    ("npm:left-pad", "calls that install a package; also pypi: cargo: go: …"),
    ("words", "anything that stands in the entry; -word for what must not"),
)
ROOM = 17


def help_page(board: Dashboard, screen: Base) -> Page:
    """What this screen shows, its keys, its signs, and who may act."""
    gate, session = board.gate, board.session

    def made(width: int) -> Content:
        text = Prose(min(width, 96))
        for line in screen.PURPOSE:
            text.add(line)
        _keys(text, f"keys of {screen.NAME}", [each for each in screen.ACTIONS if each.keys])
        if isinstance(screen, Listing):
            text.title("move")
            for keys, told in MOVES:
                _row(text, keys, told)
        _keys(text, "keys everywhere", EVERYWHERE)
        text.title("screens")
        for each in PLACES:
            _row(text, each.key, each.title)
        text.title("signs")
        for level, told in MEANING.items():
            glyph, word, style = LEVELS[level]
            _row(text, f"{glyph} {word}", told, TONES[style])
        _row(text, "signs of states", "  ".join(f"{STATES[name][0]} {STATES[name][1]}" for name in SIGNS))
        if screen.NAME == "activity":
            text.title("filter: all words must hold")
            for word, told in FILTERS:
                _row(text, word, told)
        text.title("who may act")
        said = gate.sentence or "every act is an entry in the ledger; L locks, and so do ten minutes without a key"
        _row(text, gate.state, inert(said, 300), "bold $primary")
        _row(text, "state", inert(session.root, 200))
        _row(text, "times", "are in your local zone")
        _row(text, "version", __version__)
        return text.content()

    return Page("help", made)


def _keys(text: Prose, title: str, actions: list[Action] | tuple[Action, ...]) -> None:
    text.title(title)
    for action in actions:
        gate = " Needs --admin." if action.gate == ADMIN else ""
        asked = " Asks, and wants a word typed." if action.tier == FOR_GOOD else " Asks first." if action.tier else ""
        _row(text, shown_keys(action), f"{action.help}{gate if action.gate != OPEN else ''}{asked}")


def _row(text: Prose, label: str, told: str, style: str = "$secondary") -> None:
    text.labelled(label, told, style=style, room=ROOM)
