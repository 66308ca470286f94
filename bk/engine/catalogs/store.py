"""What is known of each source and each run: one small database with one writer, the worker that holds its lock.

It tells; it decides little. What a source's accepted claims are stands in its own file (`accepted`), so that losing
this database costs reports and waiting times, and never an entry.
"""

from __future__ import annotations

import json
import os
import sqlite3

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from bk.engine.model import Json
    from bk.engine.state import State

NAME = "catalogs.db"
LAYOUT = 1
KEEP_MS = 90 * 86_400_000
WAIT_S = 5.0
LONG = 600
_SCHEMA = """
CREATE TABLE IF NOT EXISTS source (
  name TEXT PRIMARY KEY, grp TEXT NOT NULL DEFAULT '', provenance TEXT NOT NULL DEFAULT '',
  entries INTEGER NOT NULL DEFAULT 0, packages TEXT NOT NULL DEFAULT '{}', serial INTEGER NOT NULL DEFAULT 0,
  last_success_ms INTEGER NOT NULL DEFAULT 0, last_attempt_ms INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
  problem TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold (
  source TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, reason TEXT NOT NULL, added INTEGER NOT NULL,
  removed INTEGER NOT NULL, digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (
  id INTEGER PRIMARY KEY, verb TEXT NOT NULL, by TEXT NOT NULL, started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL DEFAULT 0, ok INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0,
  said TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE IF NOT EXISTS beat (
  id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, source TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS beat_at ON beat (at_ms);
CREATE TABLE IF NOT EXISTS generation (
  number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, origin TEXT NOT NULL, records INTEGER NOT NULL,
  packages TEXT NOT NULL, sources TEXT NOT NULL
) STRICT;
"""
_SOURCE = (
    "name", "grp", "provenance", "entries", "packages", "serial", "last_success_ms", "last_attempt_ms", "next_ms",
    "failures", "problem", "kind",
)  # fmt: skip


class Row:
    """What is kept of one source. `kind` is the machine word of its problem."""

    __slots__ = _SOURCE

    def __init__(self, name: str, **said: Json) -> None:
        self.name = name
        self.grp = str(said.get("grp", ""))
        self.provenance = str(said.get("provenance", ""))
        self.entries = int(said.get("entries", 0))
        self.packages: dict[str, int] = dict(said.get("packages") or {})
        self.serial = int(said.get("serial", 0))
        self.last_success_ms = int(said.get("last_success_ms", 0))
        self.last_attempt_ms = int(said.get("last_attempt_ms", 0))
        self.next_ms = int(said.get("next_ms", 0))
        self.failures = int(said.get("failures", 0))
        self.problem = str(said.get("problem", ""))
        self.kind = str(said.get("kind", ""))


class Held:
    """Why a source's news waits for a person: the reason, how much it would add and remove, and which news it is."""

    __slots__ = ("added", "at_ms", "digest", "reason", "removed", "source")

    def __init__(self, source: str, reason: str, added: int, removed: int, *, at_ms: int = 0, digest: str = "") -> None:
        self.source = source
        self.reason = reason
        self.added = added
        self.removed = removed
        self.at_ms = at_ms
        self.digest = digest


class Run:
    """One run of the worker, as it was recorded; `ended_ms` is 0 while it lasts and when it was killed."""

    __slots__ = ("by", "ended_ms", "generation", "ident", "ok", "said", "started_ms", "verb")

    def __init__(
        self,
        ident: int,
        verb: str,
        by: str,
        started_ms: int,
        *,
        ended_ms: int = 0,
        ok: bool = False,
        generation: int = 0,
        said: Mapping[str, Json] | None = None,
    ) -> None:
        self.ident = ident
        self.verb = verb
        self.by = by
        self.started_ms = started_ms
        self.ended_ms = ended_ms
        self.ok = ok
        self.generation = generation
        self.said = dict(said or {})


class Store:
    """The open database; writing goes through `with store:` as one transaction."""

    __slots__ = ("_con", "path")

    def __init__(self, path: str, con: sqlite3.Connection) -> None:
        self.path = path
        self._con = con

    @classmethod
    def open(cls, state: State) -> Store:
        """The database, to write; made when it is not there, and set aside when it can never be read again."""
        path = path_of(state)
        try:
            return cls(path, _connected(path))
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise _unusable(path, error) from error
        except OSError as error:
            raise _unusable(path, error) from error
        for tail in ("-wal", "-shm"):
            if os.path.lexists(path + tail):
                os.unlink(path + tail)
        os.replace(path, f"{path}.damaged")
        return cls(path, _connected(path))

    @classmethod
    def read(cls, state: State) -> Store | None:
        """The database, to look at; None when there is none yet."""
        path = path_of(state)
        if not os.path.exists(path):
            return None
        try:
            con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0, isolation_level=None)
            try:
                if con.execute("PRAGMA user_version").fetchone()[0] not in (0, LAYOUT):
                    raise _unusable(path, "it was written by another bk")
                if not con.execute("SELECT 1 FROM sqlite_schema WHERE name = 'generation'").fetchone():
                    con.close()
                    return None
            except BaseException:
                con.close()
                raise
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        return cls(path, con)

    def close(self) -> None:
        """Let go of the database."""
        self._con.close()

    def __enter__(self) -> Store:
        self._con.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._con.execute("ROLLBACK" if kind else "COMMIT")

    # ---- sources

    def sources(self) -> dict[str, Row]:
        """Every source that was ever asked or imported."""
        return {row.name: row for row in self._sources()}

    def _sources(self) -> Iterator[Row]:
        for found in self._con.execute(f"SELECT {', '.join(_SOURCE)} FROM source ORDER BY name"):  # noqa: S608 - ours
            said = dict(zip(_SOURCE, found, strict=True))
            yield Row(said.pop("name"), **{**said, "packages": json.loads(said["packages"])})

    def put(self, row: Row) -> None:
        """Keep what is known of a source."""
        values = [getattr(row, name) for name in _SOURCE]
        values[_SOURCE.index("packages")] = json.dumps(row.packages, sort_keys=True)
        values[_SOURCE.index("problem")] = row.problem[:LONG]
        marks = ", ".join("?" * len(values))
        self._con.execute(f"INSERT OR REPLACE INTO source ({', '.join(_SOURCE)}) VALUES ({marks})", values)  # noqa: S608 - ours

    def forget(self, name: str) -> None:
        """Drop a source, with its hold."""
        self._con.execute("DELETE FROM source WHERE name = ?", (name,))
        self._con.execute("DELETE FROM hold WHERE source = ?", (name,))

    # ---- holds

    def holds(self) -> dict[str, Held]:
        """The sources whose news waits for a person."""
        rows = self._con.execute("SELECT source, reason, added, removed, at_ms, digest FROM hold")
        return {row[0]: Held(*row[:4], at_ms=row[4], digest=row[5]) for row in rows}

    def hold(self, held: Held) -> None:
        """Keep back a source's news."""
        values = (held.source, held.at_ms, held.reason[:LONG], held.added, held.removed, held.digest)
        self._con.execute("INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?)", values)

    def release(self, source: str) -> None:
        """The news of this source is no longer kept back."""
        self._con.execute("DELETE FROM hold WHERE source = ?", (source,))

    # ---- runs and heartbeats

    def began(self, verb: str, by: str, now_ms: int) -> int:
        """A run begins; its number."""
        made = self._con.execute("INSERT INTO run (verb, by, started_ms) VALUES (?, ?, ?)", (verb, by, now_ms))
        return made.lastrowid or 0

    def ended(self, ident: int, now_ms: int, said: Mapping[str, Json], *, ok: bool, generation: int) -> None:
        """A run is over."""
        self._con.execute(
            "UPDATE run SET ended_ms = ?, ok = ?, generation = ?, said = ? WHERE id = ?",
            (now_ms, ok, generation, json.dumps(said, sort_keys=True), ident),
        )

    def runs(self, limit: int = 20) -> list[Run]:
        """The newest runs, newest first."""
        rows = self._con.execute(
            "SELECT id, verb, by, started_ms, ended_ms, ok, generation, said FROM run ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [
            Run(*row[:4], ended_ms=row[4], ok=bool(row[5]), generation=row[6], said=json.loads(row[7])) for row in rows
        ]

    def beat(self, source: str, outcome: str, detail: str, now_ms: int) -> None:
        """One look at one source, also when it was left out."""
        values = (now_ms, source, outcome, detail[:LONG])
        self._con.execute("INSERT INTO beat (at_ms, source, outcome, detail) VALUES (?, ?, ?, ?)", values)

    def beats(self, source: str = "", limit: int = 50) -> list[tuple[int, str, str, str]]:
        """The newest looks: (when, source, outcome, detail)."""
        rows = self._con.execute(
            "SELECT at_ms, source, outcome, detail FROM beat WHERE ? IN ('', source) ORDER BY id DESC LIMIT ?",
            (source, limit),
        )
        return rows.fetchall()

    def prune(self, now_ms: int) -> None:
        """Drop runs and heartbeats that are older than they are kept."""
        self._con.execute("DELETE FROM beat WHERE at_ms < ?", (now_ms - KEEP_MS,))
        self._con.execute("DELETE FROM run WHERE started_ms < ?", (now_ms - KEEP_MS,))

    # ---- generations

    def built(
        self,
        number: int,
        at_ms: int,
        origin: str,
        *,
        records: int,
        packages: Mapping[str, int],
        sources: Mapping[str, str],
    ) -> None:
        """A generation was put in force: how much is in it, and the digest of each source's accepted claims."""
        told = (number, at_ms, origin, records, json.dumps(packages, sort_keys=True), json.dumps(sources))
        self._con.execute("INSERT OR REPLACE INTO generation VALUES (?, ?, ?, ?, ?, ?)", told)

    def generations(self) -> dict[int, dict[str, str]]:
        """By number, what each generation was made of: source and digest."""
        rows = self._con.execute("SELECT number, sources FROM generation ORDER BY number DESC LIMIT 50")
        return {number: json.loads(sources) for number, sources in rows}


def path_of(state: State) -> str:
    """The database's place."""
    return f"{state.intel}/{NAME}"


def _connected(path: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    con = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    try:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("PRAGMA synchronous = NORMAL")
        version = con.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, LAYOUT):
            raise _unusable(path, f"it has layout {version}, this bk knows {LAYOUT}")
        con.executescript(_SCHEMA)
        con.execute(f"PRAGMA user_version = {LAYOUT}")
    except BaseException:
        con.close()
        raise
    return con


def _unusable(path: str, why: object) -> BkError:
    return BkError("the catalogs' database cannot be used", f"{path}: {why}", "free the disk, or move the file away")
