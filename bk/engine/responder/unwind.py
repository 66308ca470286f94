"""What is no longer called bad: its incidents are settled and its targets lowered. Nothing is put back by itself."""

from __future__ import annotations

from bk.engine.inventory.item import INSTALLED, Item
from bk.engine.model import Entry
from bk.engine.responder import incidents as states
from bk.engine.responder.crossref import spoken_of
from bk.engine.responder.incidents import Book
from bk.engine.responder.respond import ACTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from bk.engine.intel.index import Index
    from bk.engine.responder.incidents import Incident
    from bk.engine.state import State

WITHDRAWN = "nothing that is in force calls it malicious any more"


def lowered(state: State, index: Index, packages: Collection[tuple[str, str, str]], now_ms: int) -> list[Entry]:
    """Settle the incidents of packages (ecosystem, name, version or "" for any) that nothing speaks against now.

    What is held stays held: putting it back is for a person.
    """
    entries: list[Entry] = []
    with Book(state, write=True) as book:
        for incident in book.every():
            if incident.state in states.ENDED or not _named(incident, packages) or _spoken_of(index, incident):
                continue
            watched = book.lower(incident.id)
            if incident.state != states.QUARANTINED:
                book.becomes(incident, states.RESOLVED, now_ms, why=WITHDRAWN)
            elif not watched:
                continue
            data = {
                "event": "withdrawn", "incident": incident.id, "state": incident.state, "why": WITHDRAWN,
                "package": f"{incident.ecosystem}:{incident.name}@{incident.version}", "target_lowered": watched,
            }  # fmt: skip
            entries.append(Entry("responder", ACTOR, data))
    return entries


def _named(incident: Incident, packages: Collection[tuple[str, str, str]]) -> bool:
    named = (incident.ecosystem, incident.name)
    return (*named, incident.version) in packages or (*named, "") in packages


def _spoken_of(index: Index, incident: Incident) -> bool:
    item = Item(incident.ecosystem, incident.name, incident.version, manager="", kind=INSTALLED, observed="")
    return bool(spoken_of(index, item))
