"""What the engine says of the settings, asked at once: in force, in the file, as staged, and what would move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from bk.engine.console import config
from bk.engine.console.config import APART, Row
from bk.engine.console.session import Session
from bk.engine.console.would import Would, would
from bk.engine.errors import BkError
from bk.tui.screens.config_rows import Moves, Setting

Json = Any


class Looked(NamedTuple):
    """One look. `broken` is why the file cannot be used, `wrong` why what is staged cannot be."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...]
    broken: BkError | None
    stated: Mapping[str, Json]
    after: Mapping[str, Json]
    wrong: BkError | None
    moves: Moves
    disk: str

    def setting(self, row: Row, staged: Mapping[str, Json]) -> Setting:
        """A row with what is staged for it."""
        name = row.key.name
        waits, value = name in staged, staged.get(name)
        new = self.after.get(name, value) if self.wrong is None else value
        if waits and value is not None and new == row.value:
            new = value  # staged a moment ago: the engine has not been asked yet
        wrong = self.wrong if waits and self.wrong is not None and _blamed(self.wrong, name, staged) else None
        return Setting(row, name in self.stated, waits, row.key.default if waits and new is None else new, wrong)

    def told(self) -> list[str]:
        """What is wrong, a sentence each."""
        if self.broken is not None:
            return [
                "x config.toml cannot be read, so nothing can be changed here",
                f"  {self.broken.detail}",
                "  the last good settings are in force. next: bk config edit",
            ]
        wrong = self.wrong
        said = [f"x {wrong.detail or wrong.title}. next: {wrong.next_step}"] if wrong is not None else []
        return [*said, *(f"~ {each}" for each in self.problems)]


def looked(session: Session, staged: Mapping[str, Json], wanted: Callable[[], bool]) -> Looked:
    """Ask; for a worker. BkError when no settings can be had at all."""
    state = session.state
    disk = config.on_disk(state)
    try:
        shown = config.in_force(state)
    except BkError as error:
        raise BkError("the settings cannot be used", error.detail, "bk config edit") from error
    now = {row.key.name: row.value for row in shown.rows}
    stated: Mapping[str, Json] = {}
    after: Mapping[str, Json] | None = None
    broken, wrong = None, None
    try:
        stated = config.stated(state)
    except BkError as error:
        broken = error
    if staged and broken is None:
        try:
            after = config.propose_staged(state, staged).policy().values
        except BkError as error:
            wrong = error
    moves = _moves(session, now, after, wanted)
    return Looked(tuple(shown.rows), tuple(shown.problems), broken, stated, after or now, wrong, moves, disk)


def _moves(
    session: Session, now: Mapping[str, Json], after: Mapping[str, Json] | None, wanted: Callable[[], bool]
) -> Moves:
    def asked(values: Mapping[str, Json]) -> list[Would]:
        return would(session.state, values, wanted=wanted)

    live = {**(now if after is None else after), APART[0]: True, APART[1]: False}
    try:
        return Moves(asked(now), None if after is None else asked(after), asked(live))
    except BkError as error:
        return Moves(problem=f"{error.title}: {error.detail}. next: {error.next_step}")


def _blamed(wrong: BkError, name: str, staged: Collection[str]) -> bool:
    """Whether a fault is this setting's: the one that it names, or all of them when it names none."""
    named = [each for each in staged if each in f"{wrong.title} {wrong.detail}"]
    return name in named if named else True
