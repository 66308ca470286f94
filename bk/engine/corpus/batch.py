"""A bounded pass over the corpus: take in what is new, judge what may have changed, bring the machine in line.

It may be killed at any point and run again: each page of events comes with its cursor, and each cluster's label with
the mark that it was judged, in one transaction; a pass that has nothing new to say writes nothing.
"""

from __future__ import annotations

import time

from bk.engine.corpus import labels as rules
from bk.engine.corpus.adjudicate import Clock, Matter, Note, adjudge, due_ms, silences
from bk.engine.corpus.due import BATCH, LEFT
from bk.engine.corpus.intake import intake
from bk.engine.corpus.lookup import Lookup
from bk.engine.corpus.promote import settle
from bk.engine.corpus.shapes import ACTOR, MALICIOUS, Label
from bk.engine.corpus.store import Corpus
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bk.engine.corpus.shapes import Cluster, Event
    from bk.engine.intel.index import Index
    from bk.engine.model import Json
    from bk.engine.state import State

CPU_S = 5.0
INTAKE_S = 3.0  # of these; what is left is for judging
PIECE = 100
TOLD_MAX = 20


class Report:
    """What a pass came to. `left` says that it stopped at its bound, and that another one has more to do."""

    __slots__ = ("clusters", "cpu_s", "enabled", "entries", "events", "labels", "left", "notes", "unreadable")

    def __init__(self) -> None:
        self.clusters = self.entries = self.events = self.notes = self.unreadable = 0
        self.labels: dict[str, int] = {}
        self.cpu_s = 0.0
        self.left = False
        self.enabled = True

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {name: getattr(self, name) for name in self.__slots__}


def run(
    state: State,
    values: Mapping[str, Json],
    *,
    index: Index,
    generation: int,
    now_ms: int,
    clock: Callable[[], float] = time.process_time,
) -> Report:
    """One pass with one index. Raises BkError when the corpus or the ledger cannot be used."""
    report = Report()
    if values["corpus.enabled"] is not True:
        report.enabled = False
        return report
    began = clock()
    with Corpus(state, write=True) as corpus:
        redact = redactor(values["audit.redact_patterns"])
        taken = intake(state, corpus, redact=redact, enough=lambda: clock() - began >= INTAKE_S)
        report.entries, report.events, report.unreadable = taken.entries, taken.events, taken.unreadable
        judging = Judging(corpus, values, Lookup(index), generation=generation, now_ms=now_ms, report=report)
        made = judging.all(lambda: clock() - began >= CPU_S)
        report.left = report.left or not taken.whole
        told = settle(state, corpus, values, now_ms)
        corpus.advance(BATCH, now_ms, LEFT if report.left else "")
    report.cpu_s = round(clock() - began, 3)
    _record(state, values, [*_entries(made, report, generation), *told])
    return report


class Judging:
    """One generation and one moment, over all that they may say something new of."""

    __slots__ = ("_corpus", "_generation", "_human", "_lookup", "_now", "_report", "_trouble", "_values")

    def __init__(
        self,
        corpus: Corpus,
        values: Mapping[str, Json],
        lookup: Lookup,
        *,
        generation: int,
        now_ms: int,
        report: Report,
    ) -> None:
        self._corpus = corpus
        self._values = values
        self._lookup = lookup
        self._generation = generation
        self._now = now_ms
        self._report = report
        self._human: dict[str, bool] = {}
        self._trouble: dict[tuple[str, str], int] = {}

    def all(self, enough: Callable[[], bool]) -> list[Label]:
        """Judge as far as the bounds go; the labels that were given."""
        made: list[Label] = []
        report, most = self._report, int(self._values["corpus.max_clusters"])
        while True:
            wanted = min(PIECE, most - report.clusters)
            clusters = self._pending(wanted) if wanted > 0 else []
            for cluster in clusters:
                label = self._one(cluster)
                report.clusters += 1
                if label is not None:
                    made.append(label)
                if enough():
                    report.left = bool(self._pending(1))
                    return made
            if not clusters:
                report.left = wanted <= 0 and bool(self._pending(1))
                return made

    def _pending(self, limit: int) -> list[Cluster]:
        return self._corpus.pending(self._generation, self._now, limit)

    def _one(self, cluster: Cluster) -> Label | None:
        """One cluster, from its facts to its label and its mark, in one transaction."""
        corpus = self._corpus
        found = {purl: self._lookup.of(purl) for purl in cluster.purls}
        with corpus.transaction():
            events = corpus.events_of(cluster.id)
            matter = self._matter(cluster, events)
            matter.gone = silences(matter, found, self._now)
            clock = self._clock(matter, events)
            said = adjudge(matter, found, clock)
            label = said if isinstance(said, Label) else None
            if label is not None:
                corpus.label(label)
                self._report.labels[label.source] = self._report.labels.get(label.source, 0) + 1
            note = said.why if isinstance(said, Note) else ""
            self._report.notes += bool(note)
            due = due_ms(matter, clock, said)
            corpus.judged(
                cluster.id, generation=self._generation, at_ms=self._now, due_ms=due, gone=matter.gone, note=note
            )
        return label

    def _matter(self, cluster: Cluster, events: Sequence[Event]) -> Matter:
        given = self._corpus.labels_of(cluster.id)
        return Matter(
            cluster.id,
            purls=cluster.purls,
            counted=_counted(events),
            first_ms=cluster.first_ms,
            allowed=len(events) == 1 and events[0].level == "allow",
            current=rules.current(given),
            previous=given[-1].id if given else "",
            human=[purl for purl in cluster.purls if self._spoken_of(purl)],
            undone=_undone(given),
            gone=cluster.gone,
        )

    def _spoken_of(self, purl: str) -> bool:
        """Whether a person has said of this package, here or in another cluster, what it is."""
        if purl not in self._human:
            said = self._corpus.human_labels(purl)
            self._human[purl] = any(purl in label.evidence.get("purls", (purl,)) for label in said)
        return self._human[purl]

    def _clock(self, matter: Matter, events: Sequence[Event]) -> Clock:
        """What time has shown; only asked for what could turn out clean by now."""
        clean_days = int(self._values["corpus.clean_days"])
        clock = Clock(self._now, clean_days=clean_days, generation=self._generation)
        if matter.allowed and matter.current is None and self._now - matter.first_ms >= clock.clean_ms:
            asked = [("session", str(event.behaviour.get("session", ""))) for event in events]
            asked += [("purl", purl) for purl in matter.purls]
            clock.followed = any(self._last_trouble(*each) >= matter.first_ms for each in asked if each[1])
            clock.uptime = self._corpus.uptime(matter.first_ms, self._now)
        return clock

    def _last_trouble(self, kind: str, what: str) -> int:
        """When a session, or anything about a package, was last more than simply allowed."""
        if (kind, what) not in self._trouble:
            self._trouble[kind, what] = self._corpus.last_trouble(kind, what)
        return self._trouble[kind, what]


def _undone(given: Sequence[Label]) -> dict[str, frozenset[str]]:
    """For each package the groups on whose word it was confirmed and a person took that back."""
    taken = rules.taken_back(given)
    stood = {label.supersedes for label in given if label.human and label.id not in taken}
    last = max((at for at, label in enumerate(given) if label.id in stood), default=-1)
    undone: dict[str, frozenset[str]] = {}
    for label in given[: last + 1]:
        if rules.confirms(label) and label.id in taken:
            for purl, each in label.evidence.get("found", {}).items():
                undone[purl] = undone.get(purl, frozenset()) | frozenset(each["groups"])
    return undone


def _counted(events: Sequence[Event]) -> dict[str, frozenset[str]]:
    """For each package the groups that every decision on it had counted: what one had not is new to that one."""
    counted: dict[str, frozenset[str]] = {}
    for event in events:
        for each in event.decision.get("packages", ()):
            purl, agreed = each.get("purl", ""), frozenset(each.get("agreed", ()))
            if purl:
                counted[purl] = counted.get(purl, agreed) & agreed
    return counted


def _entries(made: Sequence[Label], report: Report, generation: int) -> list[Entry]:
    """What the ledger is to hold of a pass: that outcomes changed, and which of them matter."""
    if not made:
        return []
    worst = sorted(made, key=lambda label: label.true_label != MALICIOUS)[:TOLD_MAX]
    data: dict[str, Json] = {
        "event": "adjudicated",
        "generation": generation,
        "labels": dict(sorted(report.labels.items())),
        "named": [
            {"label": each.id, "cluster": each.cluster, "true_label": each.true_label, "source": each.source,
             "tier": each.tier, "purls": list(each.evidence.get("purls", ()))[:TOLD_MAX]}
            for each in worst
        ],
    }  # fmt: skip
    level = "warn" if any(label.true_label == MALICIOUS for label in made) else ""
    return [Entry("responder", ACTOR, data, level=level)]


def _record(state: State, values: Mapping[str, Json], entries: Sequence[Entry]) -> None:
    if entries:
        ledger = Ledger.open(state, redact=redactor(values["audit.redact_patterns"]))
        try:
            ledger.append(list(entries), sync=True)
        finally:
            ledger.close()
