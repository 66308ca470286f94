"""What is held as a screen shows it, and what a person should know before an item is put back or deleted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from bk.engine.config import snapshot
from bk.engine.console import cases, quarantine
from bk.engine.console.deed import clean
from bk.engine.console.installation import ready
from bk.engine.errors import BkError
from bk.engine.responder.gate import threshold
from bk.engine.responder.incidents import PATHLESS, REPORTED
from bk.quarantine import listing
from bk.quarantine.record import Held
from bk.quarantine.recovery import UNDER_WAY

__all__ = ["UNDER_WAY", "Held", "Outlook", "Shelf", "outlook", "shelf", "text_of"]
FREE, TAKEN, MISSING, REPLACED, NOWHERE = "free", "taken", "missing", "replaced", "nowhere"


class Shelf:
    """Everything that is held, with what is late, and what is known to be bad and was not moved."""

    __slots__ = ("due", "held", "pathless", "would")

    def __init__(self, held: Sequence[Held], due: frozenset[str] = frozenset(), would: int = 0, pathless: int = 0):
        self.held = held
        self.due = due
        self.would = would
        self.pathless = pathless


class Outlook:
    """How one item stands now: its history, who still calls it bad, and whether it would fit into its old place.

    `voices` are the sources that are enough to hold it still; `doubt` says why that could not be looked up.
    """

    __slots__ = ("doubt", "grace_days", "needed", "place", "steps", "voices")

    def __init__(
        self,
        *,
        steps: Sequence[tuple[int, str, str]] = (),
        voices: Sequence[str] = (),
        needed: int = 2,
        place: str = FREE,
        grace_days: int = 7,
        doubt: str = "",
    ) -> None:
        self.steps = steps
        self.voices = voices
        self.needed = needed
        self.place = place
        self.grace_days = grace_days
        self.doubt = doubt


def shelf(*, ended: bool = False, env: Mapping[str, str] | None = None) -> Shelf:
    """What is held, newest first; with `ended` also what was put back or deleted."""
    held = quarantine.rows(ended=ended, env=env)
    states = [one.state for one in cases.rows(every=True, env=env)]
    return Shelf(held, quarantine.due(held, env), states.count(REPORTED), states.count(PATHLESS))


def outlook(held: Held, env: Mapping[str, str] | None = None) -> Outlook:
    """How an item stands, looked up now."""
    state = ready(env)
    values = snapshot.read(state).values
    voices: tuple[str, ...] = ()
    doubt = ""
    try:
        voices = quarantine.condemned(state, held)
    except BkError as error:
        doubt = str(error)
    known = held.state != listing.ORPHAN
    return Outlook(
        steps=listing.history(state, held.ident) if known else (),
        voices=voices,
        needed=threshold(values),
        place=_place(held),
        grace_days=max(1, int(values["auto_quarantine.grace_days"])),
        doubt=doubt,
    )


def text_of(held: Held) -> str:
    """Where an item was, as a person may read it."""
    return clean(held.path)


def _place(held: Held) -> str:
    """Whether what is held would fit back: its folders are there and are the ones they were, and its places free."""
    made = {folder.path for folder in held.folders}
    if not held.parts and not held.changes:
        return NOWHERE
    found = {_of_part(part.path, part.parent, os.path.dirname(part.path) in made) for part in held.parts}
    found |= {FREE if os.path.lexists(change.path) else MISSING for change in held.changes}
    return next(each for each in (TAKEN, MISSING, REPLACED, FREE) if each in found)


def _of_part(path: bytes, parent: tuple[int, int], made: bool) -> str:
    if os.path.lexists(path):
        return TAKEN
    try:
        there = os.stat(os.path.dirname(path))
    except OSError:
        return FREE if made else MISSING
    return FREE if made or (there.st_dev, there.st_ino) == parent else REPLACED
