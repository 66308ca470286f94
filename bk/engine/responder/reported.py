"""What a stranger's list says is installed somewhere: incidents that name no place here, and that nothing is moved for.

A list may come from another machine, or be made up. So its word opens incidents of a state of their own, kept apart
from what this machine's inventory saw, and only the same list or a person ends them.
"""

from __future__ import annotations

from hashlib import sha256

from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder.clock import now_ms
from bk.engine.responder.gate import NOTHING, TOLD, Ruling
from bk.engine.responder.incidents import EXEMPT, Book, Incident, key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.responder.crossref import Hit
    from bk.engine.state import State

ACTOR = "responder"
NAMED_NO_MORE = "the list does not name it any more, or nothing speaks against it"
ORIGIN_MAX = 400


def origin(path: str) -> str:
    """What stands in an incident where its place would: no path of this machine, and none can be mistaken for it."""
    shown = path.encode(errors="replace").decode()
    if len(shown) <= ORIGIN_MAX:
        return f"import:{shown}"
    return f"import:{shown[:ORIGIN_MAX]}~{sha256(path.encode(errors='surrogateescape')).hexdigest()[:16]}"


def report(state: State, values: Mapping[str, Json], found: Sequence[Hit], path: str, *, whole: bool) -> list[str]:
    """Open an incident a package that the list names; the ids of those that are new or changed.

    `whole` is whether the list says of itself that nothing is left out: then what it named before is over.
    """
    place, now = origin(path), now_ms()
    entries: list[Entry] = []
    seen: set[str] = set()
    with Book(state, write=True) as book:
        for hit in found:
            incident = _incident(hit, place)
            if incident.id in seen:
                continue
            seen.add(incident.id)
            why = book.exempted(incident.id, now)
            ruling = Ruling(NOTHING, why) if why else Ruling(TOLD, f"listed in {place[7:]}: not seen on this machine")
            incident, changed = book.saw(incident, ruling, now)
            if changed:
                entries.append(_entry(incident))
        if whole:
            over = book.gone(seen, now, lambda one: NAMED_NO_MORE if one.path == place else "")
            entries += [_entry(one) for one in over]
    if entries:
        ledger = Ledger.open(state, redact=redactor(values["audit.redact_patterns"]))
        try:
            ledger.append(entries, sync=True)
        finally:
            ledger.close()
    return [str(each.data["incident"]) for each in entries]


def _incident(hit: Hit, place: str) -> Incident:
    item = hit.item
    ident = key(item.ecosystem, item.name, item.version, place)
    return Incident(
        ident, item.ecosystem, item.name, item.version, place, item.observed, TOLD, hit.severity, hit.groups,
        hit.told(), "",
    )  # fmt: skip


def _entry(one: Incident) -> Entry:
    data: dict[str, Json] = {
        "event": one.state, "incident": one.id, "package": f"{one.ecosystem}:{one.name}@{one.version}",
        "path": one.path, "state": one.state, "severity": one.severity, "groups": list(one.groups), "why": one.why,
        "ids": sorted({ident for each in one.evidence for ident in each["ids"]})[:20],
    }  # fmt: skip
    return Entry("responder", ACTOR, data, level="" if one.state == EXEMPT else "warn")
