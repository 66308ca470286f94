"""One round of the responder from beginning to end: the index in force, a run of the inventory, a pass, its record."""

from __future__ import annotations

import os

from bk.engine.intel import generations, overlay
from bk.engine.inventory import store
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.scan import BASELINE, scan
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder import notify
from bk.engine.responder.absence import Absence
from bk.engine.responder.again import fresh
from bk.engine.responder.clock import now_ms
from bk.engine.responder.looking import folders
from bk.engine.responder.respond import ACTOR, Outcome, Pass
from bk.quarantine.recovery import recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.reach import Reach
    from bk.engine.inventory.run import Run
    from bk.engine.model import Json
    from bk.engine.state import State
    from bk.quarantine.recovery import Recovered


def look(state: State, values: Mapping[str, Json], tell: Callable[[int, int, str], None] | None = None) -> Run:
    """Look at the usual places and at the folders that `scan.roots` names."""
    roots = folders(values["scan.roots"], state.home)
    limits = Limits(seconds=float(values["scan.max_seconds"]))
    return scan(state, profile=BASELINE, roots=roots, tell=tell, limits=limits, env=_environment(state))


def respond(state: State, values: Mapping[str, Json], run: Run) -> Outcome:
    """Hold a run of the inventory against the index in force, do what may be done, record it and tell a person."""
    return settled(state, values, store.items(state, run), reach=run.reach)


def noted(state: State, values: Mapping[str, Json], run: Run) -> Outcome:
    """The same, but nothing is moved: what would be is told as that, and the next `respond` does it."""
    return settled(state, values, store.items(state, run), reach=run.reach, moves=False)


def settled(
    state: State,
    values: Mapping[str, Json],
    items: Iterable[Item],
    *,
    reach: Reach | None = None,
    moves: bool = True,
) -> Outcome:
    """The same for any items, such as the few that a person or a watched folder is about; without a reach nothing is
    concluded from what is not among them."""
    cut_off = [_ended(each) for each in recover(state)] if moves else []
    index = overlay.in_force(state)
    try:
        there = generations.in_force(state)
        number = there.number if there is not None else 0
        one = Pass(
            state,
            values,
            index=index,
            now_ms=now_ms(),
            again=lambda item: fresh(item, state.home),
            generation=number,
            moves=moves,
        )
        outcome = one.run(items, absence=None if reach is None else Absence(state, reach))
    finally:
        index.close()
    outcome.entries[:0] = cut_off
    outcome.entries += notify.tell(state, values, outcome)
    if outcome.entries:
        ledger = Ledger.open(state, redact=redactor(values["audit.redact_patterns"]))
        try:
            ledger.append(outcome.entries, sync=True)
        finally:
            ledger.close()
    return outcome


def _ended(each: Recovered) -> Entry:
    """A move that a crash had cut off, and how it ended."""
    held = each.held
    data: dict[str, Json] = {"event": "quarantine_recover", "outcome": "done", "hold": held.ident, "was": each.was,
                             "incident": held.incident, "state": held.state, "problem": held.problem}  # fmt: skip
    return Entry("responder", ACTOR, data)


def _environment(state: State) -> dict[str, str]:
    """The variables that say where managers put things; a worker has few of them, and its home is the state's."""
    return {**os.environ, "HOME": state.home}
