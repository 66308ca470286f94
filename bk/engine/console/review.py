"""What a person reviews: matters of the corpus, newest first, each with how often it happened and what counts now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bk.engine.config import snapshot
from bk.engine.console import corpus
from bk.engine.console.installation import ready
from bk.engine.corpus.shapes import IMPORTED, MALICIOUS, UNRESOLVED, WATCH, Event, Label
from bk.engine.corpus.store import Corpus
from bk.engine.corpus.wishes import HUMAN_DAYS

__all__ = ["Event", "Label", "Matter", "Review", "follows", "label_that_counts", "review"]
Json = Any
MOST = 2_000
PAGE = 500
PERSON, AUTOMATIC, QUOTED, NOBODY = "person", "automatic", "imported", ""


class Matter:
    """One matter: its newest event, how many there are, and who says what it was."""

    __slots__ = ("count", "event", "first_ms", "note")

    def __init__(self, event: Event, count: int, first_ms: int, note: str) -> None:
        self.event = event
        self.count = count
        self.first_ms = first_ms
        self.note = note

    @property
    def outcome(self) -> str:
        """What counts now."""
        return str(self.event.outcome.get("true_label", UNRESOLVED))

    @property
    def said_by(self) -> str:
        """A person, the machine, another installation, or nobody."""
        source = str(self.event.outcome.get("source", ""))
        if not source:
            return NOBODY
        return QUOTED if source == IMPORTED else PERSON if self.event.outcome.get("human") else AUTOMATIC

    @property
    def waits(self) -> bool:
        """Whether nobody has said yet what it was, though it was more than simply allowed."""
        return self.outcome == UNRESOLVED and self.event.level != "allow"

    @property
    def title(self) -> str:
        """What it is about."""
        if self.event.purls:
            more = f" and {len(self.event.purls) - 1} more" if len(self.event.purls) > 1 else ""
            return self.event.purls[0].removeprefix("pkg:") + more
        said = self.event.behaviour
        return str(said.get("command") or said.get("path") or said.get("tool") or self.event.surface)

    def told(self) -> dict[str, Json]:
        """For a program, and for the filter."""
        return {
            "outcome": self.outcome, "level": self.event.level, "by": self.said_by, "title": self.title,
            "times": self.count, **self.event.told(),
        }  # fmt: skip


class Review:
    """What was gathered. `more` says that older matters were left out; `enabled` whether new ones are kept at all."""

    __slots__ = ("enabled", "matters", "more", "outcomes")

    def __init__(self, matters: list[Matter], outcomes: Mapping[str, int], *, more: bool, enabled: bool) -> None:
        self.matters = matters
        self.outcomes = dict(outcomes)
        self.more = more
        self.enabled = enabled


def review(wanted: Callable[[], bool] = lambda: True, env: Mapping[str, str] | None = None) -> Review:
    """The newest matters: those that wait for a person's word first."""
    state = ready(env)
    enabled = snapshot.read(state).values["corpus.enabled"] is True
    newest: dict[str, Event] = {}
    after, seen = "", 0
    while wanted():
        page = corpus.page(after=after, limit=PAGE, env=env)
        for event in page.events:
            newest.setdefault(event.cluster, event)
        after, seen = page.next, seen + len(page.events)
        if not after or seen >= MOST:
            break
    matters = []
    with Corpus(state) as book:
        for cluster, event in newest.items():
            row = book.cluster(cluster)
            matters.append(Matter(event, row.n, row.first_ms, row.note) if row else Matter(event, 1, event.at_ms, ""))
        outcomes = book.stats()["outcomes"]
    matters.sort(key=lambda one: not one.waits)
    return Review(matters, outcomes, more=bool(after), enabled=enabled)


def follows(true_label: str, source: str, purls: int) -> str:
    """What a person's label leads to on this machine, said before it is given."""
    if not purls:
        return "It is about no package, so nothing else follows: your word stays on record, and outranks any machine's."
    made = Label("", "", "", true_label, source, at_ms=0, actor=PERSON)
    several = "them" if purls > 1 else "it"
    if true_label != MALICIOUS:
        return f"No entry of this machine's own follows from this any more; other matters about {several} still count."
    if made.tier_of("") == WATCH:
        return f"An entry of tier watch for {HUMAN_DAYS} days: who installs {several} is warned; nothing is stopped."
    return (
        f"An entry of tier enforce for {HUMAN_DAYS} days: the next install of {several} is stopped here, and installed"
        " copies become incidents. Nothing is deleted."
    )


def label_that_counts(shown: corpus.Shown) -> Label | None:
    """The label that decides the outcome now, which is the one that taking back would change."""
    from bk.engine.corpus import labels as rules

    return rules.current(shown.labels)
