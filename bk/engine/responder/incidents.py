"""What the responder found, one incident an artifact: its state, its evidence, and what a person decided about it.

A record is written when something changes and not when it is merely seen again, so a pass that finds what the last one
found writes nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from hashlib import sha256

from bk.engine.errors import USAGE, BkError
from bk.engine.responder.gate import ASK, MOVE, NOTHING, PENDING, STALE, TOLD, WARN, WOULD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.responder.gate import Ruling
    from bk.engine.state import State

OPEN = "open"
REPORTED = "dry_run_reported"
PATHLESS = "pending_path"
APPROVAL = "pending_approval"
QUARANTINED = "quarantined"
FAILED = "move_failed"
STALE_EVIDENCE = "stale_evidence"
EXEMPT = "exempt"
ACKNOWLEDGED = "acknowledged"
RESTORED, PURGED, RESOLVED = "restored", "purged", "resolved"
STATE_OF = {
    WARN: OPEN, WOULD: REPORTED, PENDING: PATHLESS, ASK: APPROVAL, MOVE: APPROVAL, STALE: STALE_EVIDENCE,
    NOTHING: EXEMPT, TOLD: TOLD,
}  # fmt: skip
ENDED = (RESTORED, PURGED, RESOLVED)
SETTLED = (QUARANTINED, *ENDED)
TRIED = (FAILED, STALE_EVIDENCE)
SEVERITIES = ("critical", "high", "medium", "low")
_COLUMNS = (
    "id", "ecosystem", "name", "version", "path", "observed", "state", "severity", "groups", "evidence", "why",
    "opened_ms", "updated_ms", "by", "hold", "approved",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM incident"  # noqa: S608 - our own names
_INSERT = f"INSERT OR REPLACE INTO incident VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - marks only
_TARGET = ("ecosystem", "name", "version", "path", "incident", "made_ms", "until_ms")
_TARGETS = f"SELECT {', '.join(_TARGET)} FROM target WHERE until_ms > ? ORDER BY made_ms"  # noqa: S608 - our own names
_SCHEMA = """
CREATE TABLE IF NOT EXISTS incident(
  id TEXT PRIMARY KEY, ecosystem TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL,
  observed TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL, groups TEXT NOT NULL, evidence TEXT NOT NULL,
  why TEXT NOT NULL, opened_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, by TEXT NOT NULL, hold TEXT NOT NULL,
  approved INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS exemption(
  incident TEXT NOT NULL, digest TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, kind TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS target(
  ecosystem TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, incident TEXT NOT NULL,
  made_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (incident)
) STRICT;
PRAGMA user_version = 1;
"""


class Incident:
    """One artifact that something speaks against."""

    __slots__ = _COLUMNS

    def __init__(  # noqa: PLR0917 - the columns of a row, in order
        self,
        id: str,  # noqa: A002 - the column's name
        ecosystem: str,
        name: str,
        version: str,
        path: str,
        observed: str,
        state: str,
        severity: str,
        groups: Sequence[str],
        evidence: Sequence[Mapping[str, Json]],
        why: str,
        opened_ms: int = 0,
        updated_ms: int = 0,
        by: str = "",
        hold: str = "",
        approved: int = 0,
    ) -> None:
        self.id = id
        self.ecosystem = ecosystem
        self.name = name
        self.version = version
        self.path = path
        self.observed = observed
        self.state = state
        self.severity = severity
        self.groups = tuple(groups)
        self.evidence = tuple(evidence)
        self.why = why
        self.opened_ms = opened_ms
        self.updated_ms = updated_ms
        self.by = by
        self.hold = hold
        self.approved = approved

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do about it."""
        return self.state in ENDED

    def told(self) -> dict[str, Json]:
        """For a program."""
        made: dict[str, Json] = {name: getattr(self, name) for name in _COLUMNS}
        made["groups"], made["evidence"] = list(self.groups), [dict(each) for each in self.evidence]
        made["approved"] = bool(self.approved)
        return made


def key(ecosystem: str, name: str, version: str, path: str) -> str:
    """The incident's id: the same artifact is the same incident, whenever it is found."""
    told = "\0".join((ecosystem, name, version, path)).encode(errors="surrogateescape")
    return sha256(told).hexdigest()[:16]


class Book:
    """The open book of incidents. Use as a context manager; a reader never makes one."""

    __slots__ = ("_con", "_path", "_write")

    def __init__(self, state: State, *, write: bool = False) -> None:
        self._path = f"{state.root}/incidents.db"
        self._write = write

    def __enter__(self) -> Book:
        try:
            if self._write:
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
                self._con = sqlite3.connect(self._path, timeout=15.0, isolation_level=None)
                self._con.execute("PRAGMA journal_mode = WAL")
                self._con.executescript(_SCHEMA)
            elif os.path.exists(self._path):
                self._con = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5.0, isolation_level=None)
                self._con.execute("SELECT 1 FROM incident LIMIT 1")
            else:
                self._con = sqlite3.connect(":memory:", isolation_level=None)
                self._con.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BkError("the incidents cannot be read", f"{self._path}: {error}", "bk diag") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    # ---- what the responder does

    def saw(self, found: Incident, ruling: Ruling, now_ms: int) -> tuple[Incident, bool]:
        """Take in what a pass found; the incident as it is now, and whether anything about it is new.

        What a person has settled is not opened again by being seen again: only by worse evidence than they saw.
        """
        held = self.get(found.id)
        found.state, found.why = STATE_OF[ruling.kind], ruling.why
        if held is None:
            found.opened_ms = found.updated_ms = now_ms
            self._put(found)
            return found, True
        if ruling.kind == MOVE and held.state in TRIED:
            found.state, found.why = held.state, held.why  # until the next try says something else
        worse = set(found.groups) > set(held.groups) or _rank(found.severity) < _rank(held.severity)
        if held.state == ACKNOWLEDGED and not worse and found.state in (OPEN, REPORTED, PATHLESS, TOLD):
            found.state = ACKNOWLEDGED
        found.opened_ms, found.hold, found.by, found.approved = held.opened_ms, held.hold, held.by, held.approved
        changed = (found.state, set(found.groups), found.severity) != (held.state, set(held.groups), held.severity)
        if held.state in ENDED and found.state not in ENDED:
            found.approved = 0  # it is there again: what was approved then is not approved now
        found.updated_ms = now_ms if changed else held.updated_ms
        if changed or found.why != held.why:
            self._put(found)
        return found, changed

    def gone(self, seen: Collection[str], now_ms: int, proven: Callable[[Incident], str]) -> list[Incident]:
        """Settle what a pass no longer found, where `proven` knows why it is over."""
        ended = []
        for incident in self.every():
            if incident.id not in seen and incident.state not in SETTLED and (why := proven(incident)):
                incident.state, incident.why, incident.updated_ms = RESOLVED, why, now_ms
                self._put(incident)
                ended.append(incident)
        return ended

    def becomes(
        self, incident: Incident, state: str, now_ms: int, *, why: str = "", by: str = "", hold: str = ""
    ) -> None:
        """Another state, with its reason."""
        incident.state, incident.updated_ms = state, now_ms
        incident.why = why or incident.why
        incident.by = by or incident.by
        incident.hold = hold or incident.hold
        self._put(incident)

    def approve(self, incident: Incident, now_ms: int, by: str, *, on: bool = True) -> None:
        """A person's word that this very artifact may be moved, once; or that the word is used up or taken back."""
        incident.approved, incident.by, incident.updated_ms = int(on), by, now_ms
        self._put(incident)

    # ---- exemptions

    def exempt(
        self,
        incident: Incident,
        *,
        digest: str,
        reason: str,
        by: str,
        at_ms: int,
        until_ms: int = 0,
        kind: str = "exempt",
    ) -> None:
        """Leave this artifact alone, for a while or until it is revoked. `kind` is `exempt` or `restored`."""
        self._con.execute(
            "INSERT INTO exemption VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
            (incident.id, digest, reason, by, at_ms, until_ms, kind),
        )

    def exempted(self, incident: str, now_ms: int) -> str:
        """The reason why an artifact is left alone now; "" when it is not."""
        row = self._con.execute(
            "SELECT reason, by FROM exemption WHERE incident = ? AND ended_ms = 0 AND (until_ms = 0 OR until_ms > ?)"
            " ORDER BY at_ms DESC LIMIT 1",
            (incident, now_ms),
        ).fetchone()
        return f"{row[0]} ({row[1]})" if row else ""

    def restored_ms(self, incident: str) -> int:
        """When a person last restored this artifact; 0 when nobody did."""
        row = self._con.execute(
            "SELECT max(at_ms) FROM exemption WHERE incident = ? AND kind = 'restored'", (incident,)
        ).fetchone()
        return row[0] or 0

    def unexempt(self, incident: str, now_ms: int, *, made_ms: int = 0) -> int:
        """End an artifact's exemptions, or the ones that were made at one moment; how many there were."""
        done = self._con.execute(
            "UPDATE exemption SET ended_ms = ? WHERE incident = ? AND ended_ms = 0 AND (? = 0 OR at_ms = ?)",
            (now_ms, incident, made_ms, made_ms),
        )
        return done.rowcount

    def forget_restored(self, incident: str, made_ms: int) -> None:
        """A restore that was refused is none: its exemption never was."""
        self._con.execute("DELETE FROM exemption WHERE incident = ? AND at_ms = ?", (incident, made_ms))

    # ---- targets: what the sensor watches more closely; never more than that

    def aim(self, incident: Incident, now_ms: int, until_ms: int) -> bool:
        """Watch what runs from this artifact; True when it was not watched yet, or could not be by what was written."""
        known = self._con.execute(
            "SELECT 1 FROM target WHERE incident = ? AND until_ms > ? AND path = ?",
            (incident.id, now_ms, _stored(incident.path)),
        ).fetchone()
        if known:
            return False
        self._con.execute(
            "INSERT OR REPLACE INTO target VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                incident.ecosystem,
                incident.name,
                incident.version,
                _stored(incident.path),
                incident.id,
                now_ms,
                until_ms,
            ),
        )
        return True

    def lower(self, incident: str) -> bool:
        """Stop watching; True when it was watched."""
        return self._con.execute("DELETE FROM target WHERE incident = ?", (incident,)).rowcount > 0

    def targets(self, now_ms: int) -> list[dict[str, Json]]:
        """What is watched now. A row that makes no sense is left out: the next pass writes it anew."""
        found = []
        for row in self._con.execute(_TARGETS, (now_ms,)):
            with suppress(ValueError):
                found.append({**dict(zip(_TARGET, row, strict=True)), "path": _read(row[3])})
        return found

    # ---- looking

    def get(self, ident: str) -> Incident | None:
        """One incident by its id."""
        row = self._con.execute(f"{_SELECT} WHERE id = ?", (ident,)).fetchone()
        return _incident(row) if row else None

    def one(self, ident: str) -> Incident:
        """One incident by its id or the beginning of it; BkError when there is none, or more than one."""
        rows = self._con.execute(
            f"{_SELECT} WHERE substr(id, 1, ?) = ? LIMIT 2",
            (len(ident), ident),
        ).fetchall()
        if not ident or not rows:
            raise BkError("there is no such incident", ident[:40], "`bk incidents list` shows them", code=USAGE)
        if len(rows) > 1:
            raise BkError("that is the beginning of several ids", ident[:40], "give more of it", code=USAGE)
        return _incident(rows[0])

    def every(self) -> list[Incident]:
        """All of them, the open and the worst first."""
        found = list(self._all())
        return sorted(
            found, key=lambda one: (one.ended, _rank(one.severity), -len(one.groups), -one.updated_ms, one.id)
        )

    def states(self) -> dict[str, str]:
        """How each of them stands, without what is known of it."""
        return dict(self._con.execute("SELECT id, state FROM incident"))

    def _all(self) -> Iterator[Incident]:
        for row in self._con.execute(_SELECT):
            yield _incident(row)

    def _put(self, one: Incident) -> None:
        values = [getattr(one, name) for name in _COLUMNS]
        values[4], values[5] = _stored(one.path), _stored(one.observed)
        values[8], values[9] = json.dumps(list(one.groups)), json.dumps([dict(each) for each in one.evidence])
        self._con.execute(_INSERT, values)


class Draft(Book):
    """A copy of the book in memory, to be written in while the book itself stays as it is."""

    __slots__ = ()

    def __enter__(self) -> Draft:
        super().__enter__()
        copy = sqlite3.connect(":memory:", isolation_level=None)
        try:
            self._con.backup(copy)
        except sqlite3.Error as error:
            raise BkError("the incidents cannot be read", f"{self._path}: {error}", "bk diag") from error
        finally:
            self._con.close()
        copy.executescript(_SCHEMA)
        self._con = copy
        return self


def _incident(row: Sequence[Json]) -> Incident:
    values = list(row)
    values[4], values[5] = _read(values[4]), _read(values[5])
    values[8], values[9] = json.loads(values[8]), json.loads(values[9])
    return Incident(*values)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _stored(path: str) -> str:
    """A path as text that SQLite takes, whatever bytes are in it."""
    return json.dumps(path)


def _read(text: str) -> str:
    told: str = json.loads(text)
    return told
