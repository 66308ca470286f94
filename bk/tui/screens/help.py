"""The help page: made from the action registry, so that it cannot name a key that does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from bk.text import inert
from bk.tui.actions import ACTIONS, MOVES, shown_keys
from bk.tui.explain import TONES, Text
from bk.tui.screens.page import Page
from bk.tui.words import LEVELS

if TYPE_CHECKING:
    from bk.engine.console.session import Session

MEANING = {
    "allow": "it ran: no rule objects to it",
    "warn": "it ran, and agent and user were told what is doubtful",
    "ask": "a person was asked first",
    "block": "it did not run",
    "quarantine": "it did not run, and what it would use is to be taken out of reach",
}
FILTERS = (
    ("level:block", "only these verdicts; level>=ask for a range"),
    ("agent:claude", "only calls of this client"),
    ("since:1h", "since a while (30m, 2d), a day, or a time; until: likewise"),
    ("path:~/.ssh", "calls that touch a path or what is below it"),
    ("npm:left-pad", "calls that install a package; also pypi: cargo: go: …"),
    ("words", "anything that stands in the entry; -word for what must not"),
)


def help_page(session: Session) -> Page:
    """What the live screen shows, its keys, its glyphs, and who may act."""

    def made(width: int) -> Content:
        text = Text(min(width, 90))
        text.add("Every tool call of your coding agents, decided before it ran and recorded in a chained ledger.")
        text.add("Incidents: what was stopped, or needs you. Activity: everything. Both are live.")
        text.title("move")
        for keys, told in MOVES:
            _row(text, keys, told)
        text.title("keys")
        fitting = ("everywhere", "empty") if session.nothing_decided else ("everywhere", "lists", "incidents", "ledger")
        here = [action for action in ACTIONS if action.where in fitting]
        for action in here:
            gate = " Needs --admin." if action.gate == "admin" else ""
            _row(text, shown_keys(action), action.help + gate)
        text.title("verdicts")
        for level, told in MEANING.items():
            glyph, word, style = LEVELS[level]
            _row(text, f"{glyph} {word}", told, TONES.get(style, ""))
        text.title("filter: all words must hold")
        for word, told in FILTERS:
            _row(text, word, told)
        text.title("who may act")
        why = session.why_not_admin
        _row(
            text, session.gate_word, inert(why, 300) if why else "every act is an entry in the ledger", "bold $primary"
        )
        _row(text, "state", inert(session.root, 200))
        _row(text, "times", "are in your local zone")
        return text.content()

    return Page("help", made)


def _row(text: Text, label: str, told: str, style: str = "$secondary") -> None:
    text.labelled(label, told, style=style, room=17)
