"""The inventory as it is kept: runs, what each directory said, and the proofs that let the next run skip it.

What a directory says is stored once and shared by all runs in which it said so: a run over an unchanged machine writes
one row, and two runs differ where their members do.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from time import time

from bk.engine.errors import BkError
from bk.engine.inventory.proof import Proof
from bk.engine.inventory.reach import Reach
from bk.engine.inventory.rows import item_of, mentions, packed, row_of, unpacked
from bk.engine.inventory.run import ERROR, RUNNING, Run
from bk.engine.inventory.walk import Known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.place import Found
    from bk.engine.state import State

KEEP_RUNS = 20
KEEP_DAYS = 30
COMMIT_EVERY = 256
CHUNK = 2_000
PROBLEMS_MAX = 10_000
ADDED = ("notes", "reach")  # columns that an inventory of an earlier release has not
DAY_S = 86_400
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, profile TEXT NOT NULL, roots BLOB NOT NULL, started INTEGER NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL, why TEXT NOT NULL DEFAULT '',
  counts TEXT NOT NULL DEFAULT '{}', problems BLOB, directories INTEGER NOT NULL DEFAULT 0,
  reused INTEGER NOT NULL DEFAULT 0, notes BLOB, reach BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS snapshots (
  id INTEGER PRIMARY KEY, path BLOB NOT NULL, items INTEGER NOT NULL, counts TEXT NOT NULL, problems BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS bodies (
  snapshot INTEGER NOT NULL, part INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (snapshot, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
  run INTEGER NOT NULL, snapshot INTEGER NOT NULL, PRIMARY KEY (run, snapshot)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
  id INTEGER PRIMARY KEY, path BLOB NOT NULL, view BLOB NOT NULL, digest BLOB NOT NULL, stamped BLOB NOT NULL,
  below BLOB NOT NULL, snapshot INTEGER NOT NULL, day INTEGER NOT NULL, UNIQUE (path, view)
) STRICT;
"""


def path(state: State) -> str:
    """Where the inventory is kept."""
    return f"{state.root}/inventory.db"


def opened(state: State) -> sqlite3.Connection:
    """The database, made when it is missing; what is there but is no inventory is an error a person can act on."""
    where = path(state)
    os.makedirs(state.root, mode=0o700, exist_ok=True)
    try:
        os.close(os.open(where, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        book = sqlite3.connect(where, timeout=10, isolation_level=None)
        try:
            book.execute("PRAGMA journal_mode=WAL")
            book.execute("PRAGMA synchronous=NORMAL")
            book.execute("PRAGMA cache_size=-8000")
            book.executescript(_SCHEMA)
            known = {row[1] for row in book.execute("PRAGMA table_info(runs)")}
            for column in ADDED:
                if column not in known:
                    book.execute(f"ALTER TABLE runs ADD COLUMN {column} BLOB")
        except sqlite3.Error:
            book.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise BkError(
            "the inventory cannot be opened",
            f"{where}: {error}",
            "remove the file: the next scan makes it again, and only old runs are lost",
        ) from error
    return book


class Writer:
    """What one run leaves behind, and what earlier ones left for it. `view` is what readings depend on besides files:
    the readers themselves, and whose home it is."""

    def __init__(self, book: sqlite3.Connection, run: int, view: bytes) -> None:
        self._book = book
        self._run = run
        self._view = view
        self._day = int(time()) // DAY_S
        self._since = 0
        self.counts: Counter[str] = Counter()
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.blind: set[str] = set()
        self._book.execute("BEGIN")

    def recall(self, path: str) -> Known | None:
        """What is known of a directory."""
        row = self._book.execute(
            "SELECT digest, stamped, below, snapshot, id, day FROM places WHERE path = ? AND view = ?",
            (os.fsencode(path), self._view),
        ).fetchone()
        if row is None:
            return None
        if row[5] != self._day:
            self._book.execute("UPDATE places SET day = ? WHERE id = ?", (self._day, row[4]))
        below = [os.fsdecode(one) for one in row[2].split(b"\0")] if row[2] else []
        return Known(path, Proof(row[0], row[1]), below, row[3], row[4])

    def reuse(self, known: Known) -> None:
        """What a directory said last time holds in this run too."""
        if known.snapshot:
            self._member(known.snapshot)
            counts, problems = self._book.execute(
                "SELECT counts, problems FROM snapshots WHERE id = ?", (known.snapshot,)
            ).fetchone()
            self.counts.update(json.loads(counts))
            self._complain(known.path, [(one[0], one[1], one[2]) for one in unpacked(problems)])
        self._paced()

    def keep(self, path: str, proof: Proof, below: list[str], found: Found) -> None:
        """Remember what a directory said just now."""
        snapshot = 0
        told = [*((*one, False) for one in found.problems), *((*one, True) for one in found.notes)][:PROBLEMS_MAX]
        if found.items or told:
            counts = Counter(f"{item.ecosystem}/{item.kind}" for item in found.items)
            snapshot = (
                self._book.execute(
                    "INSERT INTO snapshots (path, items, counts, problems) VALUES (?, ?, ?, ?)",
                    (os.fsencode(path), len(found.items), json.dumps(counts), packed(told)),
                ).lastrowid
                or 0
            )
            for part in range(0, len(found.items), CHUNK):
                body = [row_of(item) for item in found.items[part : part + CHUNK]]
                self._book.execute("INSERT INTO bodies VALUES (?, ?, ?)", (snapshot, part // CHUNK, packed(body)))
            self._member(snapshot)
            self.counts.update(counts)
            self._complain(path, told)
        self._book.execute(
            "INSERT OR REPLACE INTO places (path, view, digest, stamped, below, snapshot, day)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                os.fsencode(path),
                self._view,
                proof.digest,
                proof.paths,
                b"\0".join(os.fsencode(one) for one in below) if proof.digest else b"",
                snapshot,
                self._day,
            ),
        )
        self._paced()

    def close(self) -> None:
        """Put the last of it on disk."""
        if self._book.in_transaction:
            self._book.execute("COMMIT")

    def _member(self, snapshot: int) -> None:
        self._book.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (self._run, snapshot))

    def _complain(self, place: str, told: list[tuple[str, str, bool]]) -> None:
        """Keep what a directory could not say: what it says of other things is not the whole of it either."""
        for path, why, light in told:
            self.blind.update((place, path))
            kept = self.notes if light else self.problems
            if len(kept) < PROBLEMS_MAX:
                kept.append((path, why))

    def _paced(self) -> None:
        """A killed run loses little: what it has read so far the next one reuses."""
        self._since += 1
        if self._since >= COMMIT_EVERY:
            self._since = 0
            self._book.execute("COMMIT")
            self._book.execute("BEGIN")


def begin(book: sqlite3.Connection, profile: str, roots: list[str], now_ms: int) -> int:
    """Open a run; one that was left open by a killed process ended in error."""
    book.execute(
        "UPDATE runs SET status = ?, ended = ?, why = 'it was killed' WHERE status = ?", (ERROR, now_ms, RUNNING)
    )
    made = book.execute(
        "INSERT INTO runs (profile, roots, started, status) VALUES (?, ?, ?, ?)",
        (profile, packed(roots), now_ms, RUNNING),
    ).lastrowid
    assert made is not None
    return made


def end(book: sqlite3.Connection, run: Run) -> None:
    """Close a run, and forget what no kept run and no proof needs."""
    book.execute(
        "UPDATE runs SET ended = ?, status = ?, why = ?, counts = ?, problems = ?, directories = ?, reused = ?,"
        " notes = ?, reach = ? WHERE id = ?",
        (
            run.ended,
            run.status,
            run.why,
            json.dumps(run.counts),
            packed(run.problems),
            run.directories,
            run.reused,
            packed(run.notes),
            packed(run.reach.plain()),
            run.id,
        ),
    )
    old = [row[0] for row in book.execute("SELECT id FROM runs ORDER BY id DESC LIMIT -1 OFFSET ?", (KEEP_RUNS,))]
    aged = int(time()) // DAY_S - KEEP_DAYS
    book.execute("BEGIN")
    for ident in old:
        book.execute("DELETE FROM members WHERE run = ?", (ident,))
        book.execute("DELETE FROM runs WHERE id = ?", (ident,))
    book.execute("DELETE FROM places WHERE day < ?", (aged,))
    book.execute(
        "DELETE FROM snapshots WHERE id NOT IN (SELECT snapshot FROM members)"
        " AND id NOT IN (SELECT snapshot FROM places)"
    )
    book.execute("DELETE FROM bodies WHERE snapshot NOT IN (SELECT id FROM snapshots)")
    book.execute("COMMIT")


def runs(state: State, limit: int = KEEP_RUNS) -> list[Run]:
    """The runs that are kept, newest first."""
    if not os.path.lexists(path(state)):
        return []
    with closing(opened(state)) as book:
        return [_run(row) for row in book.execute(f"{_RUN} ORDER BY id DESC LIMIT ?", (limit,))]


def latest(state: State, *, complete: bool = False) -> Run | None:
    """The newest run that came to an end, or the newest complete one; None when there is none."""
    wanted = ("complete",) if complete else ("complete", "partial")
    return next((run for run in runs(state) if run.status in wanted), None)


def items(state: State, run: Run | int, *, name: str = "") -> Iterator[Item]:
    """Everything a run saw, a piece at a time; with a name, spelled as its ecosystem does, what is called so."""
    ident = run if isinstance(run, int) else run.id
    with closing(opened(state)) as book:
        for (body,) in book.execute(
            "SELECT items FROM members JOIN bodies USING (snapshot) WHERE run = ? ORDER BY snapshot, part", (ident,)
        ):
            if not name or mentions(body, name):
                for row in unpacked(body):
                    if not name or row[1] == name:
                        yield item_of(row)


def apart(state: State, a: int, b: int) -> tuple[list[Item], list[Item]]:
    """The items of directories that said something else in run b than in run a: a's, and b's."""
    with closing(opened(state)) as book:
        said = [
            [
                item_of(row)
                for (body,) in book.execute(
                    "SELECT items FROM members JOIN bodies USING (snapshot) WHERE run = ? AND snapshot NOT IN"
                    " (SELECT snapshot FROM members WHERE run = ?)",
                    pair,
                )
                for row in unpacked(body)
            ]
            for pair in ((a, b), (b, a))
        ]
    return said[0], said[1]


_RUN = (
    "SELECT id, profile, roots, started, ended, status, why, counts, problems, directories, reused, notes, reach"
    " FROM runs"
)


def _run(row: tuple[Any, ...]) -> Run:
    ident, profile, roots, started, ended, status, why, counts, problems, directories, reused, notes, reach = row
    went = unpacked(reach) or [(), ()]
    return Run(
        ident,
        profile,
        unpacked(roots),
        started,
        ended=ended,
        status=status,
        why=why,
        counts=json.loads(counts),
        problems=[(one[0], one[1]) for one in unpacked(problems)],
        directories=directories,
        reused=reused,
        notes=[(one[0], one[1]) for one in unpacked(notes)],
        reach=Reach([(one[0], one[1]) for one in went[0]], went[1]),
    )
