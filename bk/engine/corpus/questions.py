"""What may be asked of the corpus. A reader changes nothing, and never makes a corpus where there is none."""

from __future__ import annotations

import sqlite3

from bk.engine.corpus import labels as rules
from bk.engine.corpus import schema
from bk.engine.corpus.rows import (
    ABOUT,
    CLUSTER,
    CLUSTER_COLUMNS,
    CONFIRMED,
    EVENT,
    LABEL,
    OVERLAY,
    PAGE,
    SEALED,
    cluster_of,
    event_of,
    label_of,
    overlay_of,
    sealed_of,
    where,
)
from bk.engine.corpus.shapes import MALICIOUS
from bk.engine.errors import USAGE, BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Self

    from bk.engine.corpus.shapes import Cluster, Event, Label, OverlayEntry, Sealed
    from bk.engine.model import Json
    from bk.engine.state import State

PAGE_MAX = 1_000
_ORDER = "ORDER BY e.at_ms DESC, e.id DESC"
_TROUBLE = {
    "session": "SELECT max(at_ms) FROM event WHERE session = ? AND level <> 'allow'",
    "purl": "SELECT max(e.at_ms) FROM event e JOIN package p ON p.cluster = e.cluster AND p.purl = ?"
    " WHERE e.level <> 'allow'",
}
_HUMAN = (
    "SELECT DISTINCT l.cluster FROM label l JOIN package p ON p.cluster = l.cluster AND p.purl = ? WHERE l.human = 1"
)


class Questions:
    """The open corpus, to be asked. Use as a context manager."""

    __slots__ = ("_con", "_path", "_write")

    def __init__(self, state: State, *, write: bool = False) -> None:
        self._path = f"{state.root}/{schema.NAME}"
        self._write = write

    def __enter__(self) -> Self:
        self._con = schema.opened(self._path, write=self._write)
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def cursor(self, name: str) -> tuple[int, str]:
        """How far something was followed, and what was noted with it."""
        row = self._run("SELECT at, said FROM cursor WHERE name = ?", (name,)).fetchone()
        return (row[0], row[1]) if row else (0, "")

    def page(self, after: str | None = None, limit: int = 50, filters: Mapping[str, Json] | None = None) -> list[Event]:
        """Events with their outcomes, newest first, below `after` (an event's `position`), that fit the filters.

        Filters: `label surface level session package` (a package URL, with or without its version) `since_ms
        until_ms`; an unknown one is an error.
        """
        clauses, values = where(after, filters or {})
        rows = self._run(f"{PAGE} WHERE {clauses} {_ORDER} LIMIT ?", (*values, min(max(limit, 1), PAGE_MAX)))
        return [self._told(row) for row in rows]

    def event(self, ident: str) -> Event:
        """One event with its outcome, by its id or the beginning of it; BkError when there is none, or several."""
        rows = self._run(f"{PAGE} WHERE e.id >= ? AND e.id < ? LIMIT 2", (ident, f"{ident}\uffff")).fetchall()
        exact = [row for row in rows if row[0] == ident]
        if not ident or not rows:
            raise BkError("there is no such event", ident[:40], "bk corpus list", code=USAGE)
        if len(rows) > 1 and not exact:
            raise BkError("that is the beginning of several ids", ident[:40], "give more of it", code=USAGE)
        return self._told((exact or rows)[0])

    def labels(self, event: str) -> list[Label]:
        """Every label that speaks of an event, in the order in which they were given."""
        return self.labels_of(self.event(event).cluster)

    def labels_of(self, cluster: str) -> list[Label]:
        """The same of a cluster."""
        return [label_of(row) for row in self._run(f"{LABEL} WHERE cluster = ? ORDER BY seq", (cluster,))]

    def current(self, event: str) -> Label | None:
        """The label of an event that counts now; None while it is unresolved."""
        return rules.current(self.labels(event))

    def current_of(self, cluster: str) -> Label | None:
        """The same of a cluster."""
        return rules.current(self.labels_of(cluster))

    def one_label(self, ident: str) -> Label:
        """One label by its id or the beginning of it; BkError when there is none, or several."""
        return self._one_label(ident)

    def clusters(self, after: str = "", limit: int = 50, *, true_label: str = "") -> list[Cluster]:
        """Clusters by id, after one of them; only those with this outcome, if one is named."""
        rows = self._run(
            f"{CLUSTER} WHERE id > ? AND (? = '' OR true_label = ?) ORDER BY id LIMIT ?",
            (after, true_label, true_label, min(max(limit, 1), PAGE_MAX)),
        ).fetchall()
        return [self._with_purls(cluster_of(row)) for row in rows]

    def cluster(self, ident: str) -> Cluster | None:
        """One cluster."""
        row = self._run(f"{CLUSTER} WHERE id = ?", (ident,)).fetchone()
        return self._with_purls(cluster_of(row)) if row else None

    def events_of(self, cluster: str, limit: int = PAGE_MAX) -> list[Event]:
        """The events of a cluster, oldest first."""
        rows = self._run(f"{EVENT} WHERE cluster = ? ORDER BY at_ms, id LIMIT ?", (cluster, limit))
        return [event_of(row) for row in rows]

    def confirmed(self) -> Iterator[tuple[Cluster, Label]]:
        """Every cluster that is malicious now, with the label that says so; what the overlay may hold, and no more."""
        for row in self._run(CONFIRMED, (MALICIOUS,)):
            cluster, label = cluster_of(row[:CLUSTER_COLUMNS]), label_of(row[CLUSTER_COLUMNS:-1])
            cluster.purls = tuple(sorted((row[-1] or "").split()))
            yield cluster, label

    def about(self, purl: str, limit: int = PAGE_MAX) -> list[Cluster]:
        """The clusters that are about one package version."""
        rows = self._run(ABOUT, (purl, limit)).fetchall()
        return [self._with_purls(cluster_of(row)) for row in rows]

    def overlay(self, *, state: str = "", purl: str = "") -> list[OverlayEntry]:
        """Overlay entries, oldest first."""
        rows = self._run(
            f"{OVERLAY} WHERE (? = '' OR state = ?) AND (? = '' OR purl = ?) ORDER BY created_ms, id",
            (state, state, purl, purl),
        )
        return [overlay_of(row) for row in rows]

    def envelopes(self, *, label: str = "", limit: int = 50) -> list[Sealed]:
        """Envelopes that were made here (from one label), newest first."""
        rows = self._run(f"{SEALED} WHERE ? IN ('', label) ORDER BY at_ms DESC, id LIMIT ?", (label, limit))
        return [sealed_of(row) for row in rows]

    def stats(self) -> dict[str, Json]:
        """Counts: events by surface and level, clusters by outcome, labels by source, overlay by state."""

        def counted(sql: str) -> dict[str, int]:
            return {row[0]: row[1] for row in self._run(sql)}

        return {
            "events": self._run("SELECT count(*) FROM event").fetchone()[0],
            "surfaces": counted("SELECT surface, count(*) FROM event GROUP BY surface ORDER BY surface"),
            "levels": counted("SELECT level, count(*) FROM event GROUP BY level ORDER BY level"),
            "clusters": self._run("SELECT count(*) FROM cluster").fetchone()[0],
            "outcomes": counted("SELECT true_label, count(*) FROM cluster GROUP BY true_label ORDER BY true_label"),
            "labels": counted("SELECT source, count(*) FROM label GROUP BY source ORDER BY source"),
            "overlay": counted("SELECT state, count(*) FROM overlay_entry GROUP BY state ORDER BY state"),
            "ledger_seq": self.cursor("ledger")[0],
        }

    def pending(self, generation: int, now_ms: int, limit: int) -> list[Cluster]:
        """Clusters that this generation, or the clock, may say something new of: never judged first, then oldest.

        What was judged longest ago goes before what was judged lately, so that nothing waits for ever behind others.
        """
        rows = self._run(
            f"{CLUSTER} WHERE purls > 0 AND generation <> ? ORDER BY judged_ms, first_ms, id LIMIT ?",
            (generation, limit),
        ).fetchall()
        known = {row[0] for row in rows}
        if len(rows) < limit:
            due = self._run(
                f"{CLUSTER} WHERE due_ms > 0 AND due_ms <= ? ORDER BY due_ms LIMIT ?", (now_ms, limit)
            ).fetchall()
            rows += [row for row in due if row[0] not in known][: limit - len(rows)]
        return [self._with_purls(cluster_of(row)) for row in rows]

    def last_trouble(self, kind: str, what: str) -> int:
        """When something of a session, or about a package (`purl`), was last more than simply allowed; 0 for never."""
        return int(self._run(_TROUBLE[kind], (what,)).fetchone()[0] or 0)

    def human_labels(self, purl: str) -> list[Label]:
        """What counts now of what people said in any cluster that is about a package."""
        rows = self._run(_HUMAN, (purl,)).fetchall()
        found = (self.current_of(row[0]) for row in rows)
        return [label for label in found if label is not None and label.human]

    def running(self) -> tuple[int, int] | None:
        """When the engine that may still run began, and until when it is known to have run."""
        row = self._run("SELECT start_ms, end_ms FROM running WHERE open = 1").fetchone()
        return (row[0], row[1]) if row else None

    def uptime(self, since_ms: int, until_ms: int) -> float:
        """The share of a time in which an engine is known to have run."""
        if until_ms <= since_ms:
            return 0.0
        rows = self._run("SELECT max(start_ms, ?), min(end_ms, ?) FROM running WHERE end_ms > ? AND start_ms < ?",
                         (since_ms, until_ms, since_ms, until_ms))  # fmt: skip
        return float(sum(end - start for start, end in rows)) / (until_ms - since_ms)

    # ---- inside

    def _told(self, row: tuple[Any, ...]) -> Event:
        event = event_of(row)
        if row[-1]:
            event.outcome = rules.outcome(self._one_label(row[-1]), event.level)
        return event

    def _one_label(self, ident: str) -> Label:
        rows = self._run(f"{LABEL} WHERE id >= ? AND id < ? LIMIT 2", (ident, f"{ident}\uffff")).fetchall()
        exact = [row for row in rows if row[0] == ident]
        if not ident or not rows:
            raise BkError("there is no such label", ident[:40], "bk corpus show EVENT", code=USAGE)
        if len(rows) > 1 and not exact:
            raise BkError("that is the beginning of several ids", ident[:40], "give more of it", code=USAGE)
        return label_of((exact or rows)[0])

    def _with_purls(self, cluster: Cluster) -> Cluster:
        rows = self._run("SELECT purl FROM package WHERE cluster = ? ORDER BY purl", (cluster.id,))
        cluster.purls = tuple(row[0] for row in rows)
        return cluster

    def _run(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._con.execute(sql, values)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise schema.broken(error, self._path) from error
