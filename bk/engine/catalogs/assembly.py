"""What a generation is made of: bk's own facts and the accepted claims of every source that is wanted, as one stream.

All inputs are sorted by package, so one package at a time is merged and nothing else of the set is in memory.
"""

from __future__ import annotations

import heapq
from itertools import groupby, pairwise
from operator import itemgetter

from bk.engine.catalogs import accepted
from bk.engine.catalogs.accepted import Head, Line
from bk.engine.catalogs.feeds import folder, kept, sources, wanted
from bk.engine.errors import BkError
from bk.engine.intel import bundle, generations
from bk.engine.intel.compact import parse as compact
from bk.engine.intel.index import Index
from bk.engine.intel.merge import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.catalogs.accepted import Key
    from bk.engine.intel.record import Record
    from bk.engine.model import Json
    from bk.engine.state import State

IMPORTED = "import-"


class Part:
    """One source's share of a generation: the accepted file, or the one that is to become it."""

    __slots__ = ("head", "name", "path")

    def __init__(self, name: str, path: str, head: Head) -> None:
        self.name = name
        self.path = path
        self.head = head


class Plan:
    """The parts of a generation, and a few of its records by source to look for afterwards."""

    __slots__ = ("_seen", "bundle", "parts", "samples")

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.bundle = stamp()
        self.samples: dict[str, list[Record]] = {}
        self._seen: dict[str, int] = {}

    @property
    def digests(self) -> dict[str, str]:
        """Which claims of which source: what makes two generations the same."""
        return {part.name: part.head.digest for part in self.parts}

    def is_in(self, meta: Mapping[str, Json]) -> bool:
        """Whether a generation with this meta was made of exactly these parts.

        What is made of nothing but a release's own facts is looked after where generations are opened.
        """
        if not self.parts and meta.get("origin") == bundle.BUNDLED:
            return True
        return meta.get("accepted", {}) == self.digests and meta.get("bundle") == self.bundle

    def records(self) -> Iterator[Record]:
        """Everything that is said, merged, package by package.

        On the way each source's samples are taken: claims as they came in, of packages of which nothing is withdrawn.
        """
        streams = [_bundled(), *(accepted.grouped(part.path) for part in self.parts)]
        together = heapq.merge(*streams, key=itemgetter(0))
        for _, told in groupby(together, key=itemgetter(0)):
            lines = [line for _, some in told for line in some]
            graves = [line.grave for line in lines if line.grave is not None]
            claims = [line.record for line in lines if line.record is not None]
            if not graves:
                for record in claims:
                    self._sample(record)
            yield from merged(claims, graves)

    def _sample(self, record: Record) -> None:
        """The first, second, fourth, eighth … record of each source: few, and from everywhere."""
        for source in record.sources:
            seen = self._seen[source] = self._seen.get(source, 0) + 1
            if seen & (seen - 1) == 0:
                self.samples.setdefault(source, []).append(record)

    def meta(self) -> dict[str, Json]:
        """What the generation says of itself, beside its counts."""
        told: dict[str, Json] = {}
        for label, said in bundled_sources().items():
            told[label] = dict(said)
        for part in self.parts:
            head = part.head
            told[part.name] = {
                "date": head.date,
                "group": head.group,
                "records": head.records,
                "ecosystems": sorted(head.ecosystems),
                "provenance": head.provenance,
                "serial": head.serial,
            }
        return {"sources": told, "accepted": self.digests, "bundle": self.bundle}


def plan(state: State, values: Mapping[str, Json], fresh: Mapping[str, str]) -> Plan:
    """The parts as they are to be: `fresh` are the files that are about to be accepted, by source."""
    parts = []
    for name in names(state, values):
        path = fresh.get(name) or f"{folder(name, state)}/{accepted.NAME}"
        head = accepted.head(path)
        if head is not None:
            parts.append(Part(name, path, head))
    return Plan(parts)


def outdated(state: State, values: Mapping[str, Json]) -> bool:
    """Whether the generation in force is not what it would be made of now: a source was switched, or bk upgraded."""
    now = generations.in_force(state)
    if now is None or now.damage:
        return now is not None
    index = Index.open(now.path)
    try:
        meta = index.meta
    finally:
        index.close()
    return not plan(state, values, {}).is_in(meta)


def names(state: State, values: Mapping[str, Json]) -> list[str]:
    """The sources that are wanted, and everything that was imported."""
    feeds = [source.name for source in sources() if wanted(source.name, values)]
    return feeds + imports(state)


def imports(state: State) -> list[str]:
    """What people imported."""
    return [name for name in kept(state) if name.startswith(IMPORTED)]


def stamp() -> str:
    """Which facts this release brings: a digest of them."""
    from blake3 import blake3

    try:
        with open(bundle.FACTS, "rb") as file:
            return blake3(file.read()).hexdigest(16)
    except OSError as error:
        raise BkError("bk's own threat facts are missing", bundle.FACTS, "reinstall bk") from error


def bundled_sources() -> dict[str, dict[str, Json]]:
    """The sources of this release's facts, with the ecosystems that each knows."""
    import tomllib

    with open(bundle.SOURCES, "rb") as file:
        told = tomllib.load(file)["source"]
    made = {label: {name: said[name] for name in ("date", "group", "records")} for label, said in told.items()}
    known: dict[str, set[str]] = {}
    with open(bundle.FACTS, encoding="utf-8") as text:
        for record in compact(text.read(), bundle.FACTS):
            for label in record.sources:
                known.setdefault(label, set()).add(record.ecosystem)
    for label, said in made.items():
        said["ecosystems"] = sorted(known.get(label, ()))
    return made


def _bundled() -> Iterator[tuple[Key, list[Line]]]:
    with open(bundle.FACTS, encoding="utf-8") as file:
        records = [Line(record) for record in compact(file.read(), bundle.FACTS)]
    records.append(Line(None))
    start = 0
    for at, (one, two) in enumerate(pairwise(records), 1):
        if two.record is None or one.key != two.key:
            yield one.key, records[start:at]
            start = at
