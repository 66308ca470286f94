"""The same decision in one lean process, for when no engine answers."""

from __future__ import annotations

from bk.engine.errors import BkError
from bk.engine.ledger.store import Ledger
from bk.engine.state import locate
from bk.engine.world import World
from bk.hook.answer import prepare, unrecorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State
    from bk.hook.harness import Reply
    from bk.hook.request import Request


def run(request: Request) -> Reply:
    """Decide, record and answer; then leave an engine running for the next call."""
    world: World | None = None
    try:
        state = locate({**request.env, "HOME": request.home}, request.cwd)
        state.ensure()
        world = World.open(state)
        ledger = Ledger.open(state, redact=world.redact)
        try:
            pending = prepare(request, world)
            reply = pending.reply(ledger.append(pending.entries, sync=pending.sync))
        finally:
            ledger.close()
    except BkError as error:
        cause = getattr(error, "cause", "") or "state"
        return unrecorded(request, world, cause, str(error))
    _leave_an_engine(state)
    return reply


def _leave_an_engine(state: State) -> None:
    """Best effort by design: the answer is already made, and a call must not fail because the next would be slow."""
    from bk.engine.service.lifecycle import ensure_running

    try:
        ensure_running(state)
    except (OSError, BkError) as error:
        import sys

        sys.stderr.write(f"bk: no engine could be started: {error}\n")
