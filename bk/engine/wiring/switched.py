"""A client that no longer asks us is an incident, once: nothing else will tell, a hook that is off says nothing.

A repository can hold the switch. It is looked for in the projects that the inventory knows and in the one at hand.
"""

from __future__ import annotations

import json
import os

from bk.engine.model import Entry
from bk.engine.wiring.standing import standing
from bk.engine.wiring.wire import Spot, detected
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.state import State

PROJECTS_MAX = 500
MAX = 1 << 20


def news(state: State, projects: Iterable[str], *, path: str, program: str) -> list[Entry]:
    """Entries for what is off now and was not when this was last asked; what is on again is forgotten."""
    known, found = _known(state), {}
    present = detected(state.home, path)
    for project in dict.fromkeys([state.home, *list(projects)[:PROJECTS_MAX]]):
        spot = Spot(state.home, project, program)
        for client in present:
            now = standing(client, spot, here=True)
            for why in now.off:
                found[f"{client.name}\n{why}"] = (client.title, why, now.fix)
    fresh = [found[key] for key in found if key not in known]
    if set(found) != known:
        _keep(state, set(found))
    return [_entry(title, why, fix) for title, why, fix in fresh]


def _entry(title: str, why: str, fix: str) -> Entry:
    data = {
        "incident": "hooks-off",
        "title": f"{title} does not ask bk",
        "detail": inert(why, 600),
        "next_step": fix or "bk hooks status",
    }
    return Entry("incident", "engine", data, level="block")


def _known(state: State) -> set[str]:
    try:
        with open(_place(state), encoding="utf-8") as file:
            told = json.loads(file.read(MAX))
    except (OSError, ValueError):
        return set()
    return {each for each in told if isinstance(each, str)} if isinstance(told, list) else set()


def _keep(state: State, found: set[str]) -> None:
    path = _place(state)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        json.dump(sorted(found), file)
    os.rename(f"{path}.new", path)


def _place(state: State) -> str:
    return f"{state.root}/wiring/off.json"
