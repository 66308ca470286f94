"""What a confirmed outcome does on this machine: an overlay entry, an armed card, a closer watch. Never a deletion.

`settle` brings the world in line with the labels that count now, whichever way they went, and may be done again at any
time: what is in line already is left alone, and what a crash left half done is taken up.
"""

from __future__ import annotations

import json
import time

from bk.engine.corpus.shapes import ACTIVE, ACTOR, EXPIRED, REVOKED
from bk.engine.corpus.wishes import changes, labelled, wished
from bk.engine.intel import overlay
from bk.engine.intel.versions import canonical_version
from bk.engine.model import Entry
from bk.engine.responder.alone import alone
from bk.engine.responder.looking import every, named
from bk.engine.responder.round import settled
from bk.engine.responder.unwind import lowered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from bk.engine.corpus.shapes import OverlayEntry
    from bk.engine.corpus.store import Corpus
    from bk.engine.corpus.wishes import Key
    from bk.engine.intel.record import Own
    from bk.engine.inventory.item import Item
    from bk.engine.model import Json
    from bk.engine.state import State

PENDING = "promote"  # the cursor under which packages wait whose installs were not looked at yet
FEW = 8  # names that are looked up one by one rather than in a pass over everything
ENTRIES_MAX = 200


def settle(state: State, corpus: Corpus, values: Mapping[str, Json], now_ms: int) -> list[Entry]:
    """Bring overlay, cards and targets in line with the labels; what must go on record of it.

    `corpus` is open for writing and in no transaction. What moves, if anything may, is moved by the responder's one
    gate, and recorded there.
    """
    wishes = wished(corpus.confirmed(), corpus.human_labels)
    return enact(state, corpus, values, changes(corpus.overlay(), wishes, now_ms), now_ms)


def enact(
    state: State, corpus: Corpus, values: Mapping[str, Json], rows: Sequence[OverlayEntry], now_ms: int
) -> list[Entry]:
    """Write changed overlay entries and have everything follow that rests on them; what must go on record of it."""
    with corpus.transaction():
        for row in sorted(rows, key=lambda row: row.state == ACTIVE):  # what ends makes room for what begins
            corpus.put_overlay(row)
        touched = {(row.ecosystem, row.name, row.version) for row in rows} | _pending(corpus)
        if rows:
            corpus.advance(PENDING, now_ms, json.dumps(sorted(touched)))
    publish(state, corpus)
    entries = [_entry(row) for row in rows[:ENTRIES_MAX]]
    if len(rows) > ENTRIES_MAX:
        left = {"event": "overlay_more", "left_out": len(rows) - ENTRIES_MAX}
        entries.append(Entry("responder", ACTOR, left, level="warn"))
    if touched:
        entries += follow(state, values, touched, now_ms)
        corpus.advance(PENDING, now_ms, "")
    return entries


def publish(state: State, corpus: Corpus) -> bool:
    """Have decisions read exactly the active entries; False when they do already. It mends a text that was damaged."""
    return overlay.replace(state, lambda: _claims(corpus))


def follow(state: State, values: Mapping[str, Json], packages: Collection[Key], now_ms: int) -> list[Entry]:
    """Rule again on what is installed of these packages, and settle what nothing speaks against any more."""
    with alone(state):
        items = list(_installed(state, packages))
        if items:
            settled(state, values, items)
        index = overlay.in_force(state)
        try:
            return lowered(state, index, packages, now_ms)
        finally:
            index.close()


def _claims(corpus: Corpus) -> Iterable[Own]:
    """The active entries as claims. One that rests on a review is said to, by the label that is its ground."""
    made = []
    for row in corpus.overlay(state=ACTIVE):
        label = corpus.one_label(row.label) if row.label else None
        made.append(
            overlay.claim(
                row.ecosystem, row.name, row.version, severity=row.severity, tier=row.tier, until_ms=row.expires_ms,
                ident=row.id, labelled=labelled(row, label), date=_day(row.created_ms),
            )
        )  # fmt: skip
    return made


def _pending(corpus: Corpus) -> set[Key]:
    """The packages whose installs an earlier call was about to look at when it was cut off."""
    said = corpus.cursor(PENDING)[1]
    return {(str(one), str(two), str(three)) for one, two, three in json.loads(said)} if said else set()


def _installed(state: State, packages: Collection[Key]) -> Iterator[Item]:
    """What the last looks at this machine saw of these packages."""
    names = sorted({key[:2] for key in packages})
    if len(names) <= FEW:
        found: Iterator[Item] = (item for ecosystem, name in names for item in named(state, ecosystem, name))
    else:
        found = every(state, frozenset(names))
    for item in found:
        version = canonical_version(item.ecosystem, item.version) if item.version else ""
        if (item.ecosystem, item.name, version) in packages or (item.ecosystem, item.name, "") in packages:
            yield item


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))


def _entry(row: OverlayEntry) -> Entry:
    """What the ledger is to hold of a changed entry."""
    event = {ACTIVE: "overlay_active", EXPIRED: "overlay_expired", REVOKED: "overlay_revoked"}[row.state]
    data: dict[str, Json] = {
        "event": event, "entry": row.id, "purl": row.purl, "tier": row.tier, "reason": row.reason, "label": row.label,
        "expires_ms": row.expires_ms,
    }  # fmt: skip
    return Entry("responder", ACTOR, data, level="warn" if row.state == ACTIVE else "")
