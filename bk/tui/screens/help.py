"""The help page: made from the action registry, so that it cannot name a key that does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from bk.text import inert
from bk.tui.actions import ACTIONS, MOVES, shown_keys
from bk.tui.explain import TONES
from bk.tui.screens.page import Page
from bk.tui.words import LEVELS

if TYPE_CHECKING:
    from bk.engine.console.session import Session

MEANING = {
    "allow": "the call ran; no rule objects to it",
    "warn": "it ran; agent and user were told why it is doubtful",
    "ask": "a person was asked first",
    "block": "it did not run",
    "quarantine": "it did not run, and what it would use belongs in the vault",
}


def help_page(session: Session) -> Page:
    """What the live screen shows, its keys, its glyphs, and who may act."""
    parts: list[str | tuple[str, str]] = [
        "Every tool call of your coding agents, decided before it ran and recorded in a chained ledger.\n",
        "Incidents are what was stopped or needs you; activity is everything. Both are live.\n",
    ]
    parts.append(("\nmove\n", "bold $primary"))
    for keys, told in MOVES:
        parts += [(f"  {keys:<14}", "$secondary"), f"{told}\n"]
    parts.append(("\nkeys\n", "bold $primary"))
    for action in ACTIONS:
        gate = ("  needs --admin", "$text-quiet") if action.gate == "admin" else ""
        parts += [(f"  {shown_keys(action):<14}", "$secondary"), action.help, gate, "\n"]
    parts.append(("\nverdicts\n", "bold $primary"))
    for level, told in MEANING.items():
        glyph, word, style = LEVELS[level]
        parts += [(f"  {glyph} {word:<12}", TONES.get(style, "")), f"{told}\n"]
    parts.append(("\nfilter\n", "bold $primary"))
    parts.append("  level:block,warn  agent:claude  since:1h  and plain words; all must hold\n")
    parts.append(("\nwho may act\n", "bold $primary"))
    gate = f"read-only: {session.why_not_admin}" if session.why_not_admin else "admin: every act is an entry in the ledger"
    parts += [f"  {inert(gate, 300)}\n", (f"  state {inert(session.root, 200)} · times are local\n", "$text-quiet")]
    return Page("help", Content.assemble(*parts))
