"""What is installed, held against what is known: every item that some record speaks of, once an artifact."""

from __future__ import annotations

from bk.engine.intel.match import matches
from bk.engine.model import Install
from bk.engine.responder.gate import evidence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bk.engine.facts import Match
    from bk.engine.intel.index import Index
    from bk.engine.inventory.item import Item
    from bk.engine.model import Json
    from bk.engine.responder.gate import Evidence

RANK = {"exact": 0, "range": 1, "every": 2, "maybe": 3}
SEVERITIES = ("critical", "high", "medium", "low")
UNVERSIONED = "-"


class Hit:
    """One artifact that records speak of; `items` are all the observations of it, the best located first."""

    __slots__ = ("item", "items", "matches")

    def __init__(self, item: Item, found: list[Match]) -> None:
        self.item = item
        self.items = [item]
        self.matches = found

    @property
    def evidence(self) -> Evidence:
        """What the gate is asked with."""
        return evidence_of(self.matches)

    @property
    def severity(self) -> str:
        """The worst that anybody vouched for says."""
        sure = [match for match in self.matches if match.kind != "maybe"]
        said = [match.severity for match in sure if match.provenance.real or match.tier]
        said = said or [match.severity for match in self.matches]
        return min(said, key=SEVERITIES.index)

    @property
    def groups(self) -> list[str]:
        """The independent voices that count."""
        evidence = self.evidence
        return sorted(evidence.sure | evidence.wide)

    def told(self) -> list[dict[str, Json]]:
        """The evidence as a record keeps it."""
        return [
            {
                "kind": match.kind,
                "severity": match.severity,
                "groups": list(match.groups),
                "provenance": match.provenance.word,
                "ids": match.ident.split(),
                "date": match.date,
                "versions": list(match.versions[:20]),
                **({"tier": match.tier, "labelled": match.labelled} if match.tier else {}),
            }
            for match in sorted(self.matches, key=lambda one: (RANK[one.kind], one.ident))
        ]


def spoken_of(index: Index, item: Item) -> list[Match]:
    """What the index says of one item. Its version is known, so nothing that fits no version of it is kept."""
    version = item.version or UNVERSIONED
    pin = version if item.ecosystem != "cargo" else f"={version}"
    return matches(index, Install(item.ecosystem, item.name, pin, manager=item.manager, via=("cargo.lock",)))


def hits(index: Index, items: Iterable[Item]) -> list[Hit]:
    """Every artifact that the index speaks of. Several observations of one artifact are one hit."""
    found: dict[tuple[str, str, str, str], Hit] = {}
    memo: dict[tuple[str, str, str], list[Match]] = {}
    for item in items:
        named = (item.ecosystem, item.name, item.version)
        if named not in memo:
            memo[named] = spoken_of(index, item)
        if not memo[named]:
            continue
        place = (*named, artifact_path(item))
        held = found.get(place)
        if held is None:
            found[place] = Hit(item, memo[named])
        else:
            held.items.append(item)
    return list(_joined(found.values()))


def _joined(found: Iterable[Hit]) -> Iterator[Hit]:
    """A lock file's line is no artifact of its own where the package that it names lies beside it."""
    located = {
        (hit.item.ecosystem, hit.item.name, hit.item.version, hit.item.root): hit
        for hit in found
        if hit.item.locator.kind != "none"
    }
    for hit in found:
        if hit.item.locator.kind == "none":
            beside = located.get((hit.item.ecosystem, hit.item.name, hit.item.version, hit.item.root))
            if beside is not None and hit is not beside:
                beside.items.extend(hit.items)
                continue
        yield hit


def artifact_path(item: Item) -> str:
    """What names an artifact's place: its own, or the file that promises it."""
    locator = item.locator
    if locator.kind == "file_set":
        return min((path for path in locator.files if ".dist-info/" in path), default=min(locator.files, default=""))
    return f"{locator.path}#{locator.pointer}" if locator.pointer else locator.path or f"{item.observed}?"
