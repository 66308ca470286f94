"""What a person did last that can be taken back, found in the record: so it can be after a restart, too.

Each is undone by a deed of its own, with its own entry; nothing is deleted. What is not (any more) as the deed left it
has nothing to take back and is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from bk.engine.console import cases, config, corpus
from bk.engine.console.audit import query
from bk.engine.console.catalogs import steer
from bk.engine.console.deed import DONE, person
from bk.engine.console.incidents import ACKNOWLEDGE
from bk.engine.corpus.store import Corpus
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.responder import incidents as states

if TYPE_CHECKING:
    from bk.engine.console.session import Session

Json = Any
MOST = 200
_SWITCH = re.compile(r"catalogs\.([a-z0-9_-]+)\.enabled\Z")
_LEFT = {"incident_ack": (states.ACKNOWLEDGED, "seen"), "incident_exempt": (states.EXEMPT, "left alone")}


class Past(NamedTuple):
    """A deed that can be taken back: its entry, when it was, what it was, and how it is undone."""

    seq: int
    at_ms: int
    what: str
    undo: Callable[[], str]


def newest(session: Session) -> Past | None:
    """The last of this person's deeds that still stands and can be taken back; None when there is none."""
    return next(_standing(session), None)


def _standing(session: Session) -> Iterator[Past]:
    found = query(session.state, f"kind:admin,responder,config actor:{person()}", limit=MOST).entries
    for entry in found:
        if entry.actor != person():
            continue
        made = _past(session, entry)
        if made is not None:
            yield made


def _past(session: Session, entry: Entry) -> Past | None:
    data = entry.data
    if entry.kind == "admin":
        return _seen(session, entry) if data.get("verb") == ACKNOWLEDGE else None
    if entry.kind == "config":
        return _switched(session, entry) if data.get("event") == "changed" else None
    if data.get("outcome") != DONE:
        return None
    if data.get("event") in _LEFT:
        return _left(session, entry)
    return _labelled(session, entry) if data.get("event") == "corpus_label" else None


def _seen(session: Session, entry: Entry) -> Past | None:
    """A stopped call that a person has seen."""
    case = session.incidents.case(str(entry.data.get("incident", "")))
    if case is None or case.incident.state != "acknowledged":
        return None

    def undo() -> str:
        return f"{case.incident.ident} is open again: entry #{session.reopen(case):,}"

    return Past(entry.seq, entry.at, f"{case.incident.title}: seen", undo)


def _left(session: Session, entry: Entry) -> Past | None:
    """A find that a person has seen, or leaves alone."""
    ident, env = str(entry.data.get("incident", "")), session.env
    state, word = _LEFT[entry.data["event"]]
    title = str(entry.data.get("package", ident))
    try:
        if cases.show(ident, env).incident.state != state:
            return None
    except BkError:
        return None  # the book has forgotten it

    def undo() -> str:
        cases.reopen(ident, admin=session.admin, env=env)
        return f"{title} is open again: entry #{session.outcome('incident_reopen', incident=ident).seq:,}"

    return Past(entry.seq, entry.at, f"{title}: {word}", undo)


def _labelled(session: Session, entry: Entry) -> Past | None:
    """A label in the corpus."""
    ident, env = str(entry.data.get("label", "")), session.env
    with Corpus(session.state) as book:
        given = book.labels_of(str(entry.data.get("cluster", "")))
    if not any(each.id == ident for each in given) or any(each.supersedes == ident for each in given):
        return None

    def undo() -> str:
        corpus.undo(ident, admin=session.admin, env=env)
        return f"the label is taken back: entry #{session.outcome('corpus_undo', label=ident).seq:,}"

    return Past(entry.seq, entry.at, f"the label {entry.data.get('true_label', '')}", undo)


def _switched(session: Session, entry: Entry) -> Past | None:
    """A source of threat intelligence, switched on or off."""
    changes = entry.data.get("changes")
    one = changes[0] if isinstance(changes, list) and len(changes) == 1 else None
    name = _SWITCH.match(str(one.get("key", ""))) if isinstance(one, Mapping) else None
    if name is None or not isinstance(one, Mapping) or not isinstance(one.get("new"), bool):
        return None
    on = bool(one["new"])
    if config.get(session.state, name[0]).value != on:
        return None
    source = name[1]

    def undo() -> str:
        steer.switch(source, on=not on, admin=session.admin, env=session.env)
        seq = query(session.state, "kind:config", limit=1).entries[0].seq
        return f"{source} is {'off' if on else 'on'} again, the next sync takes that in: entry #{seq:,}"

    return Past(entry.seq, entry.at, f"{source} switched {'on' if on else 'off'}", undo)
