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
LOCKS = frozenset(("cargo.lock",))  # a bare version there is one version, whatever its manager takes it for elsewhere
SPELLINGS_MAX = 16


def matches(index: Index, install: Install) -> list[Match]:
    """Every record that speaks of what this install could fetch."""
    if not install.name:
        return []
    ecosystem = SAME_NAMES.get(install.ecosystem, install.ecosystem)
    found: list[Record] = []
    for count, name in enumerate(spellings(ecosystem, install.name)):
        here = index.lookup(ecosystem, name)
        found += here
        if count == SPELLINGS_MAX or any(not record.tier for record in here):
            break  # what this machine says of one spelling hides nothing that is listed under another
    if not found:
        return []
    locked = install.via and install.via[-1].lower() in LOCKS
    return _judged(found, install.ecosystem, install.version, "" if locked else install.manager)


def _judged(found: list[Record], ecosystem: str, version: str, manager: str) -> list[Match]:
    from bk.engine.intel.demand import demand, pinned

    told = found[0].ecosystem
    exact = pinned(told, version, manager)
    # under another ecosystem's name `1.2` is a prefix, which may or may not be that version itself
    wanted = demand(ecosystem, version) if told != ecosystem or not exact else None
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
                    sources=record.sources,
                    tier=record.tier,
                    labelled=record.labelled,
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
    """A list of versions: is the one version in it, or can one of them be chosen?"""
    ecosystem = record.ecosystem
    if exact:
        if exact in record.versions:
            return "exact"
        if ecosystem == "pypi" and (told := _rebuilt(record.versions, exact)):
            return told
        if wanted is None:
            from bk.engine.intel.order import understood

            return "" if all(understood(ecosystem, version) for version in record.versions) else "maybe"
    if wanted is None:
        return "maybe"
    return "maybe" if any(wanted.accepts(version) is not False for version in record.versions) else ""


def _rebuilt(versions: tuple[str, ...], exact: str) -> str:
    """A local rebuild of a listed version is that version; a listed rebuild is what `==1.0` may fetch."""
    public, local, _ = exact.partition("+")
    if local:
        return "exact" if public in versions else ""
    return "maybe" if any(version.startswith(f"{exact}+") for version in versions) else ""


def _ranged(record: Record, exact: str, wanted: Demand | None) -> str:
    """Intervals: does the one version lie in one of them, or can the request meet one?"""
    from bk.engine.intel import order
    from bk.engine.intel.demand import interval

    key = order.key(record.ecosystem, exact) if exact else None
    answer = ""
    for text in record.versions:
        span = interval(record.ecosystem, text)
        if span is None or (exact and key is None):
            answer = answer or "maybe"  # cannot be compared: never "no"
        elif key is not None and span.holds(key):
            if span.high is not None:
                return "range"
            answer = "every"  # without an upper end it is no bounded claim
        elif wanted.meets(span) if wanted is not None else not exact:
            answer = answer or "maybe"
    return answer
