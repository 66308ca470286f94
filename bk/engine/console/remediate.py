"""What a person would have to do about an incident, printed and never done."""

from __future__ import annotations

from collections.abc import Mapping

from bk.engine.console.installation import ready
from bk.engine.responder.incidents import Book, Incident
from bk.engine.responder.looking import named
from bk.engine.responder.remedy import Plan as Plan  # noqa: PLC0414 - surfaces name it from here
from bk.engine.responder.remedy import plan as made


def plan(ident: str, env: Mapping[str, str] | None = None) -> tuple[Incident, Plan]:
    """The incident and how to be rid of it."""
    state = ready(env)
    with Book(state) as book:
        incident = book.one(ident)
    return incident, made(incident, named(state, incident.ecosystem, incident.name))
