"""What happened, what it turned out to be, and what a person says about that: the one door to the corpus.

A list is asked for often and needs little: what judges, imports and acts is loaded by the verbs that do.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bk.engine.config import snapshot
from bk.engine.console.deed import Deed, clean, person
from bk.engine.console.gate import require_admin
from bk.engine.console.grants import span_ms
from bk.engine.console.installation import ready
from bk.engine.corpus import labels as rules
from bk.engine.corpus.due import behind
from bk.engine.corpus.packages import package, purl
from bk.engine.corpus.rows import position
from bk.engine.corpus.shapes import (
    BENIGN,
    BREACH,
    EXPLAINED,
    FORENSIC,
    HUMAN_SOURCES,
    MALICIOUS,
    OVERRIDE,
    POLICY_CORRECT,
    Event,
    Label,
    OverlayEntry,
)
from bk.engine.corpus.store import Corpus
from bk.engine.errors import USAGE, BkError
from bk.engine.intel.names import ECOSYSTEMS
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder.clock import now_ms
from bk.engine.state import State
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.corpus.adjudicate import Found
    from bk.engine.corpus.batch import Report as Pass
    from bk.engine.corpus.beekeeper import Report
    from bk.engine.responder.incidents import Incident

Json = Any
NOTE_MAX = 400
LIMIT_MAX = 1_000
EXPORT_PAGE = 500
CATCH_UP_S = 0.25
GIVEN = {  # what a person may say, and how they may know it
    MALICIOUS: (FORENSIC, BREACH, OVERRIDE),
    BENIGN: (FORENSIC, EXPLAINED, OVERRIDE),
    POLICY_CORRECT: (FORENSIC, EXPLAINED, OVERRIDE),
}


class Page:
    """Some events, the newest first, and where the next ones begin ("" when these were the last)."""

    __slots__ = ("events", "next")

    def __init__(self, events: Sequence[Event], after: str) -> None:
        self.events = events
        self.next = after

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {"events": [event.told() for event in self.events], "next": self.next}


class Shown:
    """One event with everything that speaks for and against it, then and now."""

    __slots__ = ("event", "found", "incidents", "labels", "note", "overlay", "taken_back")

    def __init__(
        self,
        event: Event,
        labels: Sequence[Label],
        found: Mapping[str, Found],
        entries: Sequence[OverlayEntry],
        incidents: Sequence[Incident],
        *,
        note: str = "",
    ) -> None:
        self.event = event
        self.note = note  # what speaks against the outcome, or for another one, without being enough
        self.labels = labels
        self.taken_back = rules.taken_back(labels)
        self.found = found
        self.overlay = entries
        self.incidents = incidents

    def told(self) -> dict[str, Json]:
        """For a program."""
        now = {each: {**found.told(), "dissented": sorted(found.silent)} for each, found in self.found.items()}
        return {
            **self.event.told(),
            "now": now,
            "note": self.note,
            "labels": [{**each.told(), "taken_back": each.id in self.taken_back} for each in self.labels],
            "overlay": [each.told() for each in self.overlay],
            "incidents": [
                {"id": one.id, "state": one.state, "path": clean(one.path), "why": one.why} for one in self.incidents
            ],
        }


def page(
    *,
    label: str = "",
    level: str = "",
    surface: str = "",
    session: str = "",
    about: str = "",
    since: str = "",
    after: str = "",
    limit: int = 50,
    env: Mapping[str, str] | None = None,
) -> Page:
    """The newest events that fit, below `after`."""
    if not 0 < limit <= LIMIT_MAX:
        raise BkError("how many?", str(limit), f"--limit 1 to {LIMIT_MAX}", code=USAGE)
    filters: dict[str, Json] = {"label": label, "level": level, "surface": surface, "session": session}
    if about:
        filters["package"] = purl_in(about)
    if since:
        filters["since_ms"] = now_ms() - span_ms(since)
    state = ready(env)
    _catch_up(state)
    with Corpus(state) as corpus:
        found = corpus.page(after or None, limit + 1, filters)
    more = len(found) > limit
    found = found[:limit]
    return Page(found, position(found[-1]) if more else "")


def show(ident: str, env: Mapping[str, str] | None = None) -> Shown:
    """One event by its id or the beginning of it, and what the catalogs in force say of its packages now."""
    from bk.engine.corpus.lookup import Lookup
    from bk.engine.intel import overlay
    from bk.engine.responder.incidents import Book

    state = ready(env)
    _catch_up(state)
    with Corpus(state) as corpus:
        event = corpus.event(ident)
        labels = corpus.labels_of(event.cluster)
        matter = corpus.cluster(event.cluster)
        entries = [entry for each in event.purls for entry in corpus.overlay(purl=each)]
    index = overlay.in_force(state)
    try:
        lookup = Lookup(index)
        found = {each: lookup.of(each) for each in event.purls}
    finally:
        index.close()
    named = {package(each) for each in event.purls}
    with Book(state) as book:
        incidents = [one for one in book.every() if (one.ecosystem, one.name, one.version) in named]
    return Shown(event, labels, found, entries, incidents, note=matter.note if matter is not None else "")


def stats(env: Mapping[str, str] | None = None) -> dict[str, Json]:
    """Counts of everything in the corpus."""
    state = ready(env)
    _catch_up(state)
    with Corpus(state) as corpus:
        return corpus.stats()


def label(
    ident: str, true_label: str, *, source: str, note: str = "", admin: bool, env: Mapping[str, str] | None = None
) -> Shown:
    """Say what an event was. What follows from it on this machine has happened when this returns."""
    if true_label not in GIVEN:
        raise BkError("what was it?", inert(true_label, 40), f"--as {' | '.join(GIVEN)}", code=USAGE)
    if source not in GIVEN[true_label]:
        known = ", ".join(GIVEN[true_label])
        word = inert(source, 40) if source in HUMAN_SOURCES else f"there is no source {inert(source, 40)!r}"
        raise BkError(f"how is it known that it was {true_label}?", word, f"--source: one of {known}", code=USAGE)
    require_admin(admin, env)
    state = ready(env)
    _catch_up(state)
    with Corpus(state, write=True) as corpus:
        event = corpus.event(ident)
        evidence = {"note": note.strip()[:NOTE_MAX]} if note.strip() else {}
        said = {"event_id": event.id, "cluster": event.cluster, "true_label": true_label, "source": source,
                "note": note.strip()[:NOTE_MAX], "purls": list(event.purls)}  # fmt: skip
        with Deed(state, "corpus_label", **said) as deed:
            made = Label("", event.id, event.cluster, true_label, source, at_ms=now_ms(), actor=person(),
                         evidence=evidence)  # fmt: skip
            deed.add(label=corpus.label(made))
            bring_in_line(state, corpus)
    return show(event.id, env)


def undo(ident: str, *, note: str = "", admin: bool, env: Mapping[str, str] | None = None) -> Shown:
    """Take a label back, by a label that says so; whatever had followed from it is taken back too."""
    require_admin(admin, env)
    state = ready(env)
    with Corpus(state, write=True) as corpus:
        target = corpus.one_label(ident)
        said = {"label": target.id, "cluster": target.cluster, "was": target.true_label, "source": target.source}
        with Deed(state, "corpus_undo", **said, note=note.strip()[:NOTE_MAX]) as deed:
            deed.add(undone_by=corpus.undo(target.id, person(), now_ms()))
            bring_in_line(state, corpus)
        event = target.event or corpus.events_of(target.cluster, 1)[0].id
    return show(event, env)


def adjudicate(*, admin: bool, env: Mapping[str, str] | None = None) -> Pass:
    """One pass of adjudication now, within its bounds, with the catalogs in force."""
    from bk.engine.corpus.now import adjudicate as judge

    require_admin(admin, env)
    state = ready(env)
    values = snapshot.read(state).values
    with Deed(state, "corpus_adjudicate") as deed:
        report = judge(state, values, now_ms())
        deed.add(**report.told())
    return report


def take_in(path: str, *, admin: bool, env: Mapping[str, str] | None = None) -> Report:
    """Take over another installation's corpus; what it concluded is quoted, and nothing follows from it."""
    from bk.engine.corpus.beekeeper import imported

    require_admin(admin, env)
    state = ready(env)
    full = os.path.abspath(os.path.expanduser(path))
    patterns = snapshot.read(state).values["audit.redact_patterns"]
    with Deed(state, "corpus_import", file=clean(full)) as deed:
        report = imported(state, full, now_ms(), redact=redactor(patterns))
        told = report.told()
        counted = {name: told[name] for name in ("lines", "events", "again", "labels", "rest_unread")}
        deed.add(**counted, dropped={why: each["count"] for why, each in told["dropped"].items()})
    return report


def export(path: str, env: Mapping[str, str] | None = None) -> int:
    """Write every event with its outcome and labels into a new file, one a line; how many there were."""
    state = ready(env)
    full = os.path.abspath(os.path.expanduser(path))
    with Deed(state, "corpus_export", file=clean(full)) as deed:
        try:
            fd = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError as error:
            raise BkError("that file exists", inert(full, 300), "name another one", code=USAGE) from error
        except OSError as error:
            raise BkError("the file cannot be written", f"{inert(full, 300)}: {error.strerror}") from error
        count = 0
        try:
            with open(fd, "w", encoding="utf-8") as file:
                for line in _lines(state):
                    file.write(line)
                    count += 1
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            os.unlink(full)
            raise BkError("the file cannot be written", f"{inert(full, 300)}: {error.strerror}") from error
        deed.add(events=count)
    return count


def bring_in_line(state: State, corpus: Corpus) -> None:
    """Have overlay, cards and targets follow the labels as they are now, and say so in the ledger."""
    from bk.engine.corpus.promote import settle

    values = snapshot.read(state).values
    keep(state, settle(state, corpus, values, now_ms()))


def keep(state: State, entries: Sequence[Entry]) -> None:
    """Record what followed."""
    if entries:
        patterns = snapshot.read(state).values["audit.redact_patterns"]
        ledger = Ledger.open(state, redact=redactor(patterns))
        try:
            ledger.append(list(entries), sync=True)
        finally:
            ledger.close()


def purl_in(text: str) -> str:
    """The package that a person means: `npm:evil@1.0.0`, `npm:evil`, or a package URL."""
    word = text.strip()
    if word.startswith("pkg:"):
        ecosystem, name, version = package(word)
    else:
        ecosystem, _, rest = word.partition(":")
        at = rest.find("@", 1)
        name, version = (rest, "") if at < 0 else (rest[:at], rest[at + 1 :])
        ecosystem = ecosystem.lower()
    if ecosystem not in ECOSYSTEMS or not name:
        detail = f"{inert(text, 80)!r} is not ECOSYSTEM:NAME, ECOSYSTEM:NAME@VERSION or a package URL"
        raise BkError("which package?", detail, f"for example npm:left-pad@1.3.0; ecosystems: {', '.join(ECOSYSTEMS)}",
                      code=USAGE)  # fmt: skip
    return purl(ecosystem, name, version)


def _catch_up(state: State) -> None:
    """Take in what was recorded since the engine last did, as far as a person's patience goes; nothing is judged."""
    values = snapshot.read(state).values
    if values["corpus.enabled"] is not True or not os.path.exists(state.audit) or not behind(state):
        return
    from bk.engine.corpus.intake import intake

    until = time.monotonic() + CATCH_UP_S
    with Corpus(state, write=True) as corpus:
        redact = redactor(values["audit.redact_patterns"])
        intake(state, corpus, redact=redact, enough=lambda: time.monotonic() >= until)


def _lines(state: State) -> Iterator[str]:
    after: str | None = None
    with Corpus(state) as corpus:
        while found := corpus.page(after, EXPORT_PAGE):
            for event in found:
                told = {**event.told(), "labels": [each.told() for each in corpus.labels_of(event.cluster)]}
                yield json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n"
            after = position(found[-1])
