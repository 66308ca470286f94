"""What an empty dashboard tells someone who has just arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from bk.text import inert
from bk.tui.explain import Text

if TYPE_CHECKING:
    from bk.engine.console.session import Session


def newcomer(session: Session, width: int) -> Content:
    """Why nothing is shown, and the three things to do about it."""
    text = Text(min(width, 84))
    text.gap()
    text.add(("Nothing has been decided yet.", "bold"))
    text.gap()
    text.add("bk decides each tool call of your coding agent before it runs, and shows it here as it happens.")
    steps = (
        (("See it work: press ", ""), ("s", "bold $primary"), (" for sample activity, in a throw-away state.", "")),
        (("Try a call by hand, in another terminal:", ""),),
        (("Put it in front of Claude Code. The README shows the entry, which runs:", ""),),
    )
    commands = ("", "bk check --tool Bash --args 'cat ~/.ssh/id_ed25519'", session.hook_command)
    for number, (told, command) in enumerate(zip(steps, commands, strict=True), 1):
        text.gap()
        text.labelled(f"{number}", *told, style="bold $primary", indent=0, room=3)
        if command:
            text.add((inert(command, 300), "$secondary"), indent=3)
    text.gap()
    text.add(
        ("bk selftest", "$secondary"), " proves that the guard works; ", ("bk diag", "$secondary"), " says how it is."
    )
    return text.content()
