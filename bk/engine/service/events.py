"""The entries that the engine writes about itself."""

from __future__ import annotations

from bk.engine.errors import BkError, Refusal
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bk.engine.model import Json

ACTOR = "engine"
AGAIN_S = 60.0
LONG = 400


def engine(event: str, **said: Json) -> Entry:
    """A start, a stop: something the engine did."""
    return Entry("engine", ACTOR, {"event": event, **said})


def incident(what: str, title: str, detail: str, next_step: str, *, level: str = "warn", **said: Json) -> Entry:
    """Something a person must look at."""
    data = {"incident": what, "title": title, "detail": detail[:LONG], "next_step": next_step, **said}
    return Entry("incident", ACTOR, data, level=level)


def recovered(held: Any, was: str) -> Entry:
    """A move that a crash had cut off, and how it ended."""
    data = {
        "event": "quarantine_recover", "outcome": "done", "hold": held.ident, "incident": held.incident, "was": was,
        "state": held.state, "problem": held.problem[:LONG],
    }  # fmt: skip
    return Entry("responder", ACTOR, data)


def broken(request: Any, cause: str, detail: str, world: Any) -> Entry:
    """The decision entry of a request that was denied because deciding it broke."""
    from bk.engine.decide import Judgement, failed
    from bk.engine.record import refusal_entry

    verdict = failed(Refusal(cause, detail, "run `bk diag`"), world.policy)
    claims: Mapping[str, str] = request.claims()
    return refusal_entry(
        harness=request.harness,
        event=request.event or "pre",
        body=request.body,
        judgement=Judgement(verdict, (), world.policy),
        world=world,
        nonce=request.nonce,
        claims=claims,
    )


def explained(error: Exception) -> tuple[str, str]:
    """The cause and the sentence of an error, for the one whose call it fails."""
    if isinstance(error, BkError):
        return getattr(error, "cause", "") or "internal", str(error)
    return "internal", f"{type(error).__name__}: {error}"


class Rare:
    """Lets a matter through once a minute: a flood of calls must not become a flood of entries."""

    __slots__ = ("_clock", "_since")

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def due(self, matter: str) -> bool:
        """Whether it may be told now."""
        now = self._clock()
        if now - self._since.get(matter, -AGAIN_S) < AGAIN_S:
            return False
        self._since[matter] = now
        return True
