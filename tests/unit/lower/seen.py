"""What lowering saw of a command, in short, for tables of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bk.engine.lower import Look, lower
from bk.engine.model import Connect, Opaque, Run, ToolCall, Touch
from tests.unit.checks import HOME, PROJECT

if TYPE_CHECKING:
    from bk.engine.model import Action


def seen(command: str, look: Look | None = None) -> list[Action]:
    """The actions of a shell command in the project folder."""
    return lower(ToolCall("Bash", "shell", {"command": command}, cwd=PROJECT, home=HOME), look)


def short(action: Action) -> str:
    """`run cat x`, `read /a`, `delete /a/?` (a tree, uncertain), `connect h`, `dark why`."""
    doubt = "" if action.certain else "?"
    if isinstance(action, Run):
        return f"run {' '.join(action.argv)}"
    if isinstance(action, Touch):
        return f"{action.mode} {action.path}{'/' if action.tree else ''}{doubt}"
    if isinstance(action, Connect):
        return f"connect {action.host}"
    return f"dark {action.why}" if isinstance(action, Opaque) else f"{action.word} {action.target}"


def told(command: str, look: Look | None = None) -> list[str]:
    """Every action in short."""
    return [short(action) for action in seen(command, look)]


def takes(command: str, what: str, look: Look | None = None) -> set[str]:
    """Where the data of the action that is `what` in short comes from; all of them together when there are several."""
    found = [action for action in seen(command, look) if short(action) == what]
    assert found, (what, told(command, look))
    return {origin for action in found for origin in action.takes}
