"""`corpus.db`: events that never change, labels that are only added, and what follows from them. The one way in.

One writer at a time, each call one transaction or part of one that the caller opened (`transaction`), so a crash
leaves the state before or the state after. What a reader sees of an outcome is computed when a label is given and kept
with the cluster, so that a list of the newest stays quick however much there is.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager

from bk.engine.corpus import labels as rules
from bk.engine.corpus.questions import Questions
from bk.engine.corpus.rows import (
    INSERT_EVENT,
    INSERT_LABEL,
    INSERT_SEALED,
    PUT_OVERLAY,
    event_row,
    fits,
    label_row,
    overlay_row,
    sealed_row,
)
from bk.engine.corpus.shapes import (
    AUTOMATIC_SOURCES,
    CONFIDENCES,
    HIGH,
    HUMAN_SOURCES,
    SOURCES,
    TRUE_LABELS,
    UNDO,
    UNRESOLVED,
    Label,
    OverlayEntry,
    Sealed,
)
from bk.engine.errors import USAGE, BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bk.engine.corpus.shapes import Event


class Corpus(Questions):
    """The open corpus, to be asked and added to. Use as a context manager; a reader never makes one."""

    __slots__ = ()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens or nothing of it; transactions inside a transaction are part of it."""
        if self._con.in_transaction:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            self._con.rollback()  # nothing happens where SQLite did that itself
            raise

    # ---- what is written

    def record(self, events: Iterable[Event]) -> int:
        """Keep events; one that is there already is not kept twice. How many were new."""
        new = 0
        with self.transaction():
            for event in events:
                if not fits(event):
                    raise BkError("an event is too large for the corpus", event.id, "leave out what is long in it")
                done = self._run(INSERT_EVENT, event_row(event))
                if done.rowcount > 0:
                    new += 1
                    self._counted(event)
        return new

    def label(self, label: Label) -> str:
        """Add a label; its id. The same label twice is one; what was given before stays where it is."""
        _sound(label)
        with self.transaction():
            cluster = label.cluster
            if label.event:
                found = self._run("SELECT cluster FROM event WHERE id = ?", (label.event,)).fetchone()
                if found is None:
                    raise BkError("there is no such event", label.event[:40], "bk corpus list", code=USAGE)
                cluster = label.cluster = found[0]
            if self._run("SELECT 1 FROM cluster WHERE id = ?", (cluster,)).fetchone() is None:
                raise BkError("there is no such cluster of events", cluster[:40], "bk corpus list", code=USAGE)
            if label.supersedes and self._one_label(label.supersedes).cluster != cluster:
                raise BkError("a label can take back one of the same events alone", label.supersedes, code=USAGE)
            self._run(INSERT_LABEL, label_row(label))
            now = rules.current(self.labels_of(cluster))
            self._run(
                "UPDATE cluster SET true_label = ?, label = ? WHERE id = ?",
                (now.true_label if now else UNRESOLVED, now.id if now else "", cluster),
            )
        return label.id

    def undo(self, label_id: str, actor: str, at_ms: int) -> str:
        """Take a label back by another one; nothing is deleted. The id of the label that does it."""
        target = self._one_label(label_id)
        label = Label("", target.event, target.cluster, UNRESOLVED, UNDO, at_ms=at_ms, actor=actor, confidence=HIGH,
                      human=True, supersedes=target.id)  # fmt: skip
        return self.label(label)

    def judged(
        self, cluster: str, *, generation: int, at_ms: int, due_ms: int, gone: Mapping[str, int], note: str = ""
    ) -> None:
        """How far adjudication has come with a cluster."""
        self._run(
            "UPDATE cluster SET generation = ?, judged_ms = ?, due_ms = ?, gone = ?, note = ? WHERE id = ?",
            (generation, at_ms, due_ms, json.dumps(dict(gone), sort_keys=True), note, cluster),
        )

    def ran(self, start_ms: int, end_ms: int, *, still: bool) -> None:
        """From when to when an engine ran; `still` while its end is not known."""
        self._run("UPDATE running SET open = 0 WHERE open = 1 AND start_ms <> ?", (start_ms,))
        self._run("INSERT OR REPLACE INTO running VALUES (?, ?, ?)", (start_ms, end_ms, int(still)))

    def put_overlay(self, entry: OverlayEntry) -> None:
        """Write an overlay entry, or its new state; one active entry a version."""
        try:
            self._run(PUT_OVERLAY, overlay_row(entry))
        except sqlite3.IntegrityError as error:
            raise BkError("the overlay has an entry for that already", entry.purl, "revoke it first") from error

    def put_envelope(self, sealed: Sealed) -> bool:
        """Keep an envelope that was made here; False when it, or one with its nonce, is there already."""
        return self._run(INSERT_SEALED, sealed_row(sealed)).rowcount > 0

    def advance(self, name: str, at: int, said: str = "") -> None:
        """Remember how far something was followed."""
        self._run("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", (name, at, said))

    # ---- inside

    def _counted(self, event: Event) -> None:
        key = " ".join(event.purls) if event.cluster != event.id else ""
        due = event.at_ms if event.level == "allow" else 0  # what was allowed may turn out clean by itself
        self._run(
            "INSERT INTO cluster VALUES (?, ?, ?, ?, ?, 1, ?, 'unresolved', '', 0, 0, ?, '{}', '') ON CONFLICT(id) DO"
            " UPDATE SET n = n + 1, first_ms = min(first_ms, excluded.first_ms),"
            " last_ms = max(last_ms, excluded.last_ms), purls = max(purls, excluded.purls),"
            " generation = 0",
            (event.cluster, event.surface, key, event.at_ms, event.at_ms, len(event.purls), due),
        )
        for purl in event.purls:
            self._run("INSERT OR IGNORE INTO package VALUES (?, ?)", (purl, event.cluster))


def _sound(label: Label) -> None:
    """Refuse a label that says what it must not: a made-up word, or a person's word from a machine."""
    if label.source == UNDO:
        fine = label.human and bool(label.supersedes) and label.true_label == UNRESOLVED
    else:
        sources = HUMAN_SOURCES if label.human else AUTOMATIC_SOURCES
        fine = label.source in sources and label.true_label in TRUE_LABELS and label.true_label != UNRESOLVED
        fine = fine and label.confidence in CONFIDENCES and label.confidence == SOURCES[label.source]
    if not fine or not label.actor:
        said = json.dumps({"label": label.true_label, "source": label.source, "human": label.human})
        raise BkError("such a label cannot be given", said, f"sources: {', '.join(SOURCES)}", code=USAGE)
