"""What an action is, and the actions that every screen has. Keys, key bar, palette and help are made from these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from textual.binding import Binding, BindingType

OPEN, ADMIN = "open", "admin"
SHOWS, TIGHTENS, REVERSIBLE, FOR_GOOD = 0, 1, 2, 3


class Action(NamedTuple):
    """One thing a person can do: data, so that no key, help text or palette line can disagree with another.

    `ident` is `where.what`; the screen (or the app) does it in its method `do_what`. `gate` is OPEN or ADMIN. `tier`
    is how it is confirmed: 0 at once, 1 and 2 a dialog that `y` confirms, 3 a dialog that wants a phrase typed.
    """

    ident: str
    title: str
    keys: str
    help: str
    gate: str = OPEN
    tier: int = SHOWS
    bar: bool = True

    @property
    def what(self) -> str:
        """The part of the name that the method is called by."""
        return self.ident.rpartition(".")[2]


EVERYWHERE = (
    Action("app.palette", "commands", "colon,ctrl+p", "Every command and every screen, by name."),
    Action("app.help", "help", "question_mark,f1", "What this screen shows, every key, every sign."),
    Action("app.back", "back", "escape", "Close, clear the filter, one level up.", bar=False),
    Action("app.previous", "previous", "minus", "The screen you were on before.", bar=False),
    Action("app.urgent", "urgent", "exclamation_mark", "The most urgent open incident.", bar=False),
    Action("app.problem", "problem", "comma", "Read what went wrong, and what to do next.", bar=False),
    Action("app.undo", "undo", "u", "Take back the last thing you did, if it can be.", gate=ADMIN, bar=False),
    Action("app.lock", "lock", "L", "Lock admin now, or unlock it again.", bar=False),
    Action("app.theme", "theme", "T", "The next look: dark, light, high contrast.", bar=False),
    Action("app.quit", "quit", "q", "Leave. Nothing depends on the dashboard being open."),
)
LISTS = (
    Action("list.filter", "filter", "slash", "Show only what matches, as you type."),
    Action("list.sort", "sort", "s", "Sort by the next column.", bar=False),
    Action("list.reverse", "reverse", "S", "The other way round.", bar=False),
    Action("list.copy", "copy", "y", "Copy what is selected, as JSON.", bar=False),
    Action("list.export", "export", "e", "Write everything that is shown to a file, as JSON lines.", bar=False),
)
KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "colon": ":",
    "semicolon": ";",
    "comma": ",",
    "minus": "-",
    "plus": "+",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "f1": "F1",
}
MOVES = (
    ("j k ↑ ↓", "one row"),
    ("PgUp PgDn", "one page"),
    ("g Home", "the first row"),
    ("G End", "the last row"),
    ("Tab", "the next part of the screen"),
)


def named(key: str) -> str:
    """A key as a person calls it."""
    return KEY_NAMES.get(key, key)


def shown_keys(action: Action) -> str:
    """All its keys as a person calls them."""
    return " ".join(named(key) for key in action.keys.split(","))


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """The library's bindings for these actions. They all lead to one place, which asks the gate first."""
    return [
        Binding(action.keys, f"do('{action.ident}')", action.title, show=False, id=action.ident, tooltip=action.help)
        for action in actions
        if action.keys
    ]
