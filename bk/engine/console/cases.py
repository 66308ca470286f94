"""What the responder found, as a person may look at it and decide: acknowledge, exempt, approve, open again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bk.engine.config import snapshot
from bk.engine.console.deed import Deed, clean, person
from bk.engine.console.gate import require_admin
from bk.engine.console.grants import span_ms
from bk.engine.console.installation import ready
from bk.engine.console.matters import WAITING
from bk.engine.console.probes import BAD, OK, UNKNOWN, WARN, Part
from bk.engine.errors import USAGE, BkError
from bk.engine.inventory.store import latest
from bk.engine.responder import followups
from bk.engine.responder import incidents as states
from bk.engine.responder.clock import now_ms
from bk.engine.responder.followups import FollowUp as FollowUp  # noqa: PLC0414 - surfaces name it from here
from bk.engine.responder.incidents import Book, Incident
from bk.engine.responder.looking import copies_of, items_of, named, overdue
from bk.engine.responder.respond import Outcome
from bk.engine.responder.round import settled
from bk.engine.state import State
from bk.quarantine.listing import listed
from bk.text import inert

Json = Any
REASON_MAX = 400
ENDED_WHY = "a person opened it again"


class Shown:
    """One incident in full: itself, why it is left alone, and what is left to do about it."""

    __slots__ = ("exempt", "followups", "incident")

    def __init__(self, incident: Incident, exempt: str, follow: Sequence[FollowUp]) -> None:
        self.incident = incident
        self.exempt = exempt
        self.followups = follow

    def told(self) -> dict[str, Json]:
        """For a program."""
        follow = [each.told() for each in self.followups]
        return {**told(self.incident), "exempt": self.exempt, "followups": follow}


def part(state: State) -> Part:
    """The line of `bk diag`: what waits for a person, and what of the quarantine needs one."""
    kept = listed(state)
    wrong = [held for held in kept if held.problem]
    if wrong:
        return Part("responder", BAD, f"{wrong[0].ident}: {wrong[0].problem}", "bk quarantine verify")
    with Book(state) as book:
        waiting = [one for one in book.every() if one.state in WAITING]
    run = latest(state)
    if waiting:
        worst = waiting[0]
        many = "1 incident waits" if len(waiting) == 1 else f"{len(waiting)} incidents wait"
        said = f"{many} for you, such as {worst.ecosystem} {worst.name} {worst.version}"
        return Part("responder", WARN, inert(said, 300), "bk incidents list")
    if run is None:
        return Part("responder", UNKNOWN, "what is installed was never looked at", "bk scan")
    due = overdue(snapshot.read(state).values, kept, now_ms())
    if due:
        return Part("responder", WARN, f"{len(due)} held items are due for review", "bk quarantine list")
    seen = f"{run.total:,} packages seen in the last look, which was {run.status}; nothing waits for you"
    return Part("responder", OK, seen)


def told(incident: Incident) -> dict[str, Json]:
    """One incident for a program, its paths as JSON can say them."""
    return {**incident.told(), "path": clean(incident.path), "observed": clean(incident.observed)}


def rows(*, every: bool = False, state_is: str = "", env: Mapping[str, str] | None = None) -> list[Incident]:
    """The incidents, the open and the worst first; without `every`, those that are not settled."""
    with Book(ready(env)) as book:
        found = book.every()
    if state_is:
        known = sorted({states.OPEN, *states.STATE_OF.values(), *states.SETTLED, states.FAILED, states.ACKNOWLEDGED})
        if state_is not in known:
            raise BkError("there is no such state", state_is[:40], f"one of {', '.join(known)}", code=USAGE)
        return [one for one in found if one.state == state_is]
    return [one for one in found if every or not (one.ended or one.state in (states.EXEMPT, states.ACKNOWLEDGED))]


def show(ident: str, env: Mapping[str, str] | None = None) -> Shown:
    """One incident by its id or the beginning of it, and what is left to do, looked up now."""
    state = ready(env)
    with Book(state) as book:
        incident = book.one(ident)
        exempt = book.exempted(incident.id, now_ms())
    return Shown(incident, exempt, followups.of(state, incident, named(state, incident.ecosystem, incident.name)))


def ack(ident: str, *, reason: str = "", admin: bool, env: Mapping[str, str] | None = None) -> Incident:
    """Say that a person has seen it: it comes back only for worse."""
    return _decide("incident_ack", ident, states.ACKNOWLEDGED, reason or "a person has seen it", admin=admin, env=env)


def exempt(ident: str, *, reason: str, span: str = "", admin: bool, env: Mapping[str, str] | None = None) -> Incident:
    """Leave this artifact alone, for a while or until it is opened again."""
    if not reason.strip():
        raise BkError("why?", "an exemption without a reason cannot be reviewed later", "--reason '…'", code=USAGE)
    at = now_ms()
    until = at + span_ms(span) if span else 0

    def leave(book: Book, incident: Incident) -> None:
        book.exempt(incident, digest="", reason=reason.strip()[:REASON_MAX], by=person(), at_ms=at, until_ms=until)

    return _decide("incident_exempt", ident, states.EXEMPT, reason, admin=admin, env=env, also=leave, until_ms=until)


def reopen(ident: str, *, reason: str = "", admin: bool, env: Mapping[str, str] | None = None) -> Incident:
    """Take back an acknowledgement, an exemption or an approval: the next pass rules on it anew."""

    def forget(book: Book, incident: Incident) -> None:
        book.unexempt(incident.id, now_ms())
        book.approve(incident, now_ms(), person(), on=False)

    return _decide("incident_reopen", ident, states.OPEN, reason or ENDED_WHY, admin=admin, env=env, also=forget)


def approve(
    ident: str, *, reason: str = "", admin: bool, env: Mapping[str, str] | None = None
) -> tuple[Incident, Outcome]:
    """A person's word that this very artifact may be moved; it is read again and moved at once, or says why not."""
    require_admin(admin, env)
    state = ready(env)
    with Book(state, write=True) as book:
        incident = book.one(ident)
        if incident.state in states.SETTLED:
            raise BkError("there is nothing to approve", f"it is {incident.state}", "bk incidents list", code=USAGE)
        if incident.path.startswith("import:"):
            raise BkError(
                "there is nothing to move", "a list of another scanner names it, and no look at this machine has seen "
                "it", "bk scan", code=USAGE,
            )  # fmt: skip
        found = items_of(state, incident)
        if not found:
            raise BkError(
                "it cannot be moved now", "the last look at this machine did not find it", "bk scan, then approve again"
            )
        with Deed(state, "incident_approve", **_named(incident), reason=reason[:REASON_MAX]) as deed:
            book.approve(incident, now_ms(), person())
            outcome = settled(state, snapshot.read(state).values, [*found, *copies_of(state, incident)])
            now = book.get(incident.id) or incident
            deed.add(state=now.state, why=now.why, hold=now.hold, moved=outcome.moved)
    return now, outcome


def _decide(
    event: str,
    ident: str,
    becomes: str,
    why: str,
    *,
    admin: bool,
    env: Mapping[str, str] | None,
    also: Callable[[Book, Incident], None] | None = None,
    **said: Json,
) -> Incident:
    require_admin(admin, env)
    state = ready(env)
    with Book(state, write=True) as book:
        incident = book.one(ident)
        if incident.state == states.QUARANTINED:
            raise BkError(
                "it is held", f"as {incident.hold}", f"bk quarantine restore {incident.hold} --admin", code=USAGE
            )
        with Deed(state, event, **_named(incident), was=incident.state, reason=why.strip()[:REASON_MAX], **said):
            if also is not None:
                also(book, incident)
            book.becomes(incident, becomes, now_ms(), why=why.strip()[:REASON_MAX], by=person())
    return incident


def _named(incident: Incident) -> dict[str, Json]:
    return {
        "incident": incident.id,
        "package": f"{incident.ecosystem}:{incident.name}@{incident.version}",
        "path": clean(incident.path),
    }
