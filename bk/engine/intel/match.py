"""What the index says of one install: three-valued, because a request often names no single version.

`exact`, `range` and `every` are certain; `maybe` means that the request could resolve to a listed version.
"""

from __future__ import annotations

from bk.engine.facts import Match
from bk.engine.intel.names import spellings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.demand import Demand
    from bk.engine.intel.index import Index
    from bk.engine.intel.record import Record
    from bk.engine.model import Install

SAME_NAMES = {"conda": "pypi"}  # another namespace, mostly the same names
SPELLINGS_MAX = 16


def matches(index: Index, install: Install) -> list[Match]:
    """Every record that speaks of what this install could fetch."""
    if not install.name:
        return []
    ecosystem = SAME_NAMES.get(install.ecosystem, install.ecosystem)
    found: list[Record] = []
    for count, name in enumerate(spellings(ecosystem, install.name)):
        found = index.lookup(ecosystem, name)
        if found or count == SPELLINGS_MAX:
            break
    if not found:
        return []
    return _judged(found, install.ecosystem, install.version, install.manager)


def _judged(found: list[Record], ecosystem: str, version: str, manager: str) -> list[Match]:
    from bk.engine.intel.demand import demand, pinned

    told = found[0].ecosystem
    exact = pinned(told, version, manager)
    wanted = None if exact or told != ecosystem else demand(told, version)
    made = []
    for record in found:
        kind = _kind(record, exact, wanted)
        if kind:
            made.append(
                Match(
                    record.ecosystem,
                    record.name,
                    record.versions,
                    kind=kind,
                    severity=record.severity,
                    groups=record.groups,
                    provenance=record.provenance,
                    ident=record.ident,
                    date=record.date,
                )
            )
    return made


def _kind(record: Record, exact: str, wanted: Demand | None) -> str:
    """How a record and a request meet; "" when they cannot."""
    if record.kind == "every":
        return "every"
    if record.kind == "exact":
        return _listed(record, exact, wanted)
    return _ranged(record, exact, wanted)


def _listed(record: Record, exact: str, wanted: Demand | None) -> str:
    if exact:
        local = exact.partition("+")[0] if record.ecosystem == "pypi" else exact
        return "exact" if exact in record.versions or local in record.versions else ""
    if wanted is None:
        return "maybe"
    return "maybe" if any(wanted.accepts(version) is not False for version in record.versions) else ""


def _ranged(record: Record, exact: str, wanted: Demand | None) -> str:
    from bk.engine.intel import order
    from bk.engine.intel.demand import interval

    key = order.key(record.ecosystem, exact) if exact else None
    answer = ""
    for text in record.versions:
        span = interval(record.ecosystem, text)
        if span is None or (exact and key is None):
            answer = answer or "maybe"  # cannot be compared: never "no"
        elif key is not None:
            if span.holds(key):
                if span.high is not None:
                    return "range"
                answer = "every"  # without an upper end it is no bounded claim
        elif wanted is None or any(span.meets(other) for other in wanted.spans):
            answer = answer or "maybe"
    return answer
