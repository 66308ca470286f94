"""What is held, as a person may look at it, put it back, keep a copy of it, or have it deleted for good."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bk.engine.config import snapshot
from bk.engine.console.deed import Deed, clean, person
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.errors import DEGRADED, USAGE, BkError
from bk.engine.intel import overlay
from bk.engine.inventory.item import INSTALLED, Item
from bk.engine.responder import incidents as states
from bk.engine.responder.clock import DAY_MS, now_ms
from bk.engine.responder.crossref import spoken_of
from bk.engine.responder.gate import evidence_of, threshold
from bk.engine.responder.incidents import Book, Incident, key
from bk.engine.responder.looking import overdue
from bk.engine.state import State
from bk.quarantine import back, listing
from bk.quarantine.kernel import nothing
from bk.quarantine.purge import purge as delete
from bk.quarantine.record import Held
from bk.quarantine.recovery import recover
from bk.quarantine.refused import HoldRefusedError
from bk.text import inert

Json = Any
TYPED = 6
REASON_MAX = 400


class Shown:
    """One item in full: what it is, what was done with it, and what is wrong with what is kept of it."""

    __slots__ = ("held", "steps")

    def __init__(self, held: Held, steps: Sequence[tuple[int, str, str]]) -> None:
        self.held = held
        self.steps = steps

    def told(self) -> dict[str, Json]:
        """For a program."""
        steps = [{"at_ms": at, "step": step, "detail": detail} for at, step, detail in self.steps]
        return {**told(self.held), **self.held.told(), "path": clean(self.held.path), "steps": steps}


def due(found: Sequence[Held], env: Mapping[str, str] | None = None) -> frozenset[str]:
    """The items that are due for a person's review."""
    return overdue(snapshot.read(ready(env)).values, found, now_ms())


def told(held: Held) -> dict[str, Json]:
    """One item for a program, without its parts."""
    names = ("kind", "ecosystem", "name", "version", "state", "problem", "at_ms", "digest", "size", "count", "incident")
    return {"id": held.ident, "path": clean(held.path), **{name: getattr(held, name) for name in names}}


def rows(*, ended: bool = False, env: Mapping[str, str] | None = None) -> list[Held]:
    """What is held, newest first; with `ended` also what was put back or deleted."""
    return listing.listed(ready(env), ended=ended)


def show(ident: str, env: Mapping[str, str] | None = None) -> Shown:
    """One item by its id, or the beginning or end of it."""
    state = ready(env)
    held = found(state, ident)
    known = held.state != listing.ORPHAN
    return Shown(held, listing.history(state, held.ident) if known else ())


def found(state: State, ident: str) -> Held:
    """The item that a person means."""
    every = listing.listed(state, ended=True)
    meant = [held for held in every if held.ident == ident]
    if not meant and len(ident) >= TYPED:
        meant = [held for held in every if held.ident.startswith(ident) or held.ident.endswith(ident)]
    if len(meant) != 1:
        detail = f"{inert(ident, 60)}: {len(meant)} items are called so" if meant else inert(ident, 60)
        raise _as_refused(HoldRefusedError("not_found", detail, "`bk quarantine list` shows them"))
    return meant[0]


def restore(
    ident: str,
    *,
    to: str = "",
    recreate_parent: bool = False,
    override: bool = False,
    reason: str = "",
    admin: bool,
    env: Mapping[str, str] | None = None,
    told: Callable[[str], None] = nothing,
) -> Held:
    """Put an item back, and leave it alone from then on: what a person restored is not taken again."""
    require_admin(admin, env)
    state = ready(env)
    held = found(state, ident)
    if override and not reason.strip():
        raise BkError("why?", "it is known to be bad", "--override-malicious --reason '…'", code=USAGE)
    place = os.path.abspath(os.path.expanduser(to)) if to else ""
    said = {"override": override, "reason": reason.strip()[:REASON_MAX], "to": clean(place), **_named(held)}
    with Deed(state, "quarantine_restore", **said) as deed:
        voices = condemned(state, held) if not override else ()
        if voices:
            detail = f"{held.ecosystem} {held.name} {held.version}: {', '.join(voices)}"
            step = "--override-malicious --reason '…' puts it back all the same"
            raise _as_refused(HoldRefusedError("condemned", detail, step))
        values = snapshot.read(state).values
        at = now_ms()
        until = at + max(1, int(values["auto_quarantine.grace_days"])) * DAY_MS
        with Book(state, write=True) as book:
            incident = _incident(book, held)
            exempt = [incident, *([_elsewhere(held, place)] if place else [])]
            for each in exempt:  # before the move: a pass that runs meanwhile must not take it again
                book.exempt(each, digest=held.digest, reason=reason.strip()[:REASON_MAX] or "restored", by=person(),
                            at_ms=at, until_ms=until, kind="restored")  # fmt: skip
            try:
                held = back.restore(state, held.ident, to=place, recreate_parent=recreate_parent, told=told)
            except HoldRefusedError as error:
                for each in exempt:
                    book.forget_restored(each.id, at)
                raise _as_refused(error) from error
            if book.get(incident.id) is not None:
                book.becomes(incident, states.RESTORED, at, why="a person put it back", by=person())
        deed.add(digest=held.digest, exempt_until_ms=until, note=clean(held.problem))
    return held


def condemned(state: State, held: Held) -> tuple[str, ...]:
    """The independent sources that still call it bad, when they are enough to hold it."""
    index = overlay.in_force(state)
    try:
        item = Item(held.ecosystem, held.name, held.version, manager="", kind=INSTALLED, observed="")
        evidence = evidence_of(spoken_of(index, item))
    finally:
        index.close()
    enough = evidence.voices >= threshold(snapshot.read(state).values)
    if evidence.labelled:
        return (*sorted(evidence.sure | evidence.wide), "a person's label")
    return tuple(sorted(evidence.sure | evidence.wide)) if enough else ()


def purge(
    idents: Sequence[str],
    *,
    confirm: Callable[[Held], str],
    everything: bool = False,
    admin: bool,
    env: Mapping[str, str] | None = None,
) -> Iterator[tuple[Held, str]]:
    """Delete items for good, each only when the end of its id was typed; yields each with what became of it."""
    require_admin(admin, env)
    state = ready(env)
    if bool(idents) == everything:
        raise BkError("which items?", "", "bk quarantine purge ID… --admin, or --all", code=USAGE)
    meant = listing.listed(state) if everything else [found(state, ident) for ident in idents]
    for held in meant:
        unfit = held.state not in ("held", "purging") or (held.state == "held" and held.problem)
        if unfit:
            yield held, f"left alone: {held.problem or f'it is {held.state}'}"
            continue
        if confirm(held).strip() != held.ident[-TYPED:]:
            yield held, "left alone: what was typed is not the end of its id"
            continue
        with Deed(state, "quarantine_purge", **_named(held), digest=held.digest, bytes=held.size):
            try:
                delete(state, held.ident)
            except HoldRefusedError as error:
                raise _as_refused(error) from error
        with Book(state, write=True) as book:
            incident = book.get(held.incident)
            if incident is not None:
                book.becomes(incident, states.PURGED, now_ms(), why="a person had it deleted", by=person())
        yield held, "deleted"


def verify(ident: str = "", env: Mapping[str, str] | None = None) -> list[tuple[Held, str]]:
    """Bring what was cut off to its end, then read everything that is kept; each item with what is wrong with it."""
    state = ready(env)
    recovered(state)
    meant = [found(state, ident)] if ident else listing.listed(state)
    return [(held, listing.verified(state, held) if held.state == "held" else held.problem) for held in meant]


def recovered(state: State) -> int:
    """Bring every item that was under way to its end, and say so in the ledger; how many there were."""
    done = recover(state)
    for each in done:
        with Deed(state, "quarantine_recover", was=each.was, **_named(each.held)) as deed:
            deed.add(state=each.held.state, problem=inert(each.held.problem, REASON_MAX))
    return len(done)


def export(ident: str, to: str, env: Mapping[str, str] | None = None) -> int:
    """Copy what is kept of an item into a new archive, for an analyst; returns its size."""
    state = ready(env)
    held = found(state, ident)
    place = os.path.abspath(os.path.expanduser(to))
    with Deed(state, "quarantine_export", to=clean(place), **_named(held)):
        try:
            return listing.exported(state, held.ident, place)
        except HoldRefusedError as error:
            raise _as_refused(error) from error


def _incident(book: Book, held: Held) -> Incident:
    """The incident of an item; one that the book has forgotten is made again from the item."""
    known = book.get(held.incident)
    return known if known is not None else _elsewhere(held, held.path)


def _elsewhere(held: Held, path: str) -> Incident:
    """What an item would be an incident of, at another place."""
    ident = key(held.ecosystem, held.name, held.version, path)
    return Incident(ident, held.ecosystem, held.name, held.version, path, path, states.RESTORED, "critical", (), (), "")


def _named(held: Held) -> dict[str, Json]:
    return {
        "hold": held.ident,
        "incident": held.incident,
        "package": f"{held.ecosystem}:{held.name}@{held.version}",
        "path": clean(held.path),
    }


def _as_refused(error: HoldRefusedError) -> HoldRefusedError:
    error.code = DEGRADED
    return error
