"""Every action of the dashboard, once: bindings, footer, palette and help are made from this list."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Action(NamedTuple):
    """`gate` is `open` or `admin`; `danger` is the confirmation tier (0: it only shows, or can be undone)."""

    ident: str
    title: str
    keys: str
    where: str
    help: str
    gate: str = "open"
    danger: int = 0
    footer: bool = True


ACTIONS = (
    Action("explain", "explain", "enter", "lists", "Open the selected entry or incident on the whole screen."),
    Action("filter", "filter", "slash", "lists", "Show only what matches: level:block since:1h words"),
    Action("follow", "follow", "f", "lists", "Go to the newest entry and stay there as new ones come."),
    Action("acknowledge", "seen", "a", "incidents", "Mark the incident as seen; recorded in the ledger.", gate="admin"),
    Action("order", "sort", "s", "lists", "Newest first, or oldest first.", footer=False),
    Action("sample", "sample", "s", "empty", "Open sample activity in a separate, throw-away state."),
    Action("switch", "switch", "tab", "lists", "Go to the other list.", footer=False),
    Action("look", "theme", "T", "everywhere", "Dark or light.", footer=False),
    Action("palette", "commands", "colon,ctrl+p", "everywhere", "Every command by name."),
    Action("copy", "copy", "y", "lists", "Copy what is selected as JSON."),
    Action("verify", "verify", "v", "ledger", "Check the whole ledger: every entry, checkpoint and the mark."),
    Action("help", "help", "question_mark,f1", "everywhere", "What this screen shows, and every key."),
    Action("back", "back", "escape", "everywhere", "Close, clear the filter, up one level.", footer=False),
    Action("quit", "quit", "q", "everywhere", "Leave. Nothing depends on the dashboard being open."),
)
KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "f1": "F1",
}
MOVES = (
    ("j k ↑ ↓", "one row"),
    ("PgUp PgDn", "one page"),
    ("g Home", "the first row"),
    ("G End", "the last row"),
)


def shown_keys(action: Action) -> str:
    """The keys as a person calls them."""
    return " ".join(KEY_NAMES.get(key, key) for key in action.keys.split(","))


def bindings(*idents: str) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Textual bindings for these actions, in the order of the registry."""
    return [
        Binding(
            action.keys,
            action.ident,
            action.title,
            key_display=shown_keys(action).split(" ", maxsplit=1)[0],
            show=action.footer,
            id=action.ident,
            tooltip=action.help,
        )
        for action in ACTIONS
        if action.ident in idents
    ]


def by_ident(ident: str) -> Action:
    """The action of this name."""
    return next(action for action in ACTIONS if action.ident == ident)
