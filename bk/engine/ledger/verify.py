"""Is the ledger what it was? From a file and a public key alone, or with everything that an installation knows."""

from __future__ import annotations

import json
import os
import re
import sqlite3

from bk.engine.errors import BkError
from bk.engine.ledger.chain import evolve
from bk.engine.ledger.errors import LedgerError, from_sqlite
from bk.engine.ledger.evidence import Evidence, gather
from bk.engine.ledger.report import Good, Report
from bk.engine.ledger.schema import reader
from bk.engine.ledger.seal import SealKey
from bk.engine.ledger.walk import ENDLESS, Segment, Walk
from bk.engine.notes import PublicKey
from bk.engine.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.model import Json

_ARCHIVE = re.compile(r"audit-(\d+)-(\d+)\.db")


def verify(
    target: str | State, public_key: str | PublicKey | None = None, seal_key: str | SealKey | None = None
) -> Report:
    """Verify an installation (a State or its directory) or a single file; raises BkError when it cannot be read."""
    public = PublicKey.parse(public_key) if isinstance(public_key, str) else public_key
    seal = SealKey.parse(seal_key) if isinstance(seal_key, str) else seal_key
    if isinstance(target, str):
        if not os.path.isdir(target):
            return verify_file(target, public, seal)
        target = State(os.path.abspath(target), "/", os.stat(target).st_uid)
    return _verify_state(target, public, seal)


def verify_file(path: str, public_key: str | PublicKey | None = None, seal_key: SealKey | None = None) -> Report:
    """Verify one segment's file offline, from what it holds and the public key."""
    public = PublicKey.parse(public_key) if isinstance(public_key, str) else public_key
    report = Report()
    if public is None:
        report.notes.append("no public key was given: signatures were not checked")
    file = _File(path, report, Evidence(public=public), seal_key)
    wrong = _tried(file.check, path)
    if wrong is not None:
        if wrong.cause != "corrupt":
            raise wrong
        report.add(file.last + 1, "corrupt", wrong.detail)
    _conclude(report, [file])
    return report


def archives(root: str) -> list[tuple[int, int, str]]:
    """The closed segments' files, oldest first."""
    found = [(match, name) for name in os.listdir(root) if (match := _ARCHIVE.fullmatch(name))]
    return sorted((int(match[1]), int(match[2]), f"{root}/{name}") for match, name in found)


def _verify_state(state: State, public: PublicKey | None, seal: SealKey | None) -> Report:
    report = Report()
    known = gather(state, public, report)
    live = _File(state.audit, report, known, seal)
    broken = _tried(live.snapshot, live.path)
    files = [
        _File(path, report, Evidence(public=known.public), seal)
        for first, _, path in archives(state.root)
        if broken or not live.still_holds(first)
    ]
    for file in files:
        wrong = _tried(file.check, file.path)
        if wrong is not None:
            report.add(file.named_first(), "corrupt", wrong.detail)
    broken = broken or _tried(live.check, live.path)
    if broken is None:
        live.join(files)
        known.compare_notes([*files, live], report)
    elif broken.cause in ("missing", "corrupt"):
        report.add(max((file.last for file in files), default=0) + 1, broken.cause, broken.detail)
    else:
        raise broken
    _conclude(report, [*files, live])
    return report


def _tried(step: Callable[[], None], path: str) -> LedgerError | None:
    """Why a file cannot be read, if it cannot."""
    try:
        step()
    except LedgerError as error:
        return error
    except sqlite3.DatabaseError as error:
        return from_sqlite(error, path)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        return LedgerError("corrupt", f"{path} is not in the form that bk writes: {error}")
    return None


class _File:
    """One database being verified."""

    def __init__(self, path: str, report: Report, known: Evidence, seal: SealKey | None) -> None:
        self.path = path
        self.report = report
        self.known = known
        self.walks: list[Walk] = []
        self.segments: dict[int, Segment] = {}
        self.last = 0
        self._seal = seal
        self._at: tuple[int, bytes] | None = None
        self._fresh: dict[int, int] = {}
        self._epoch = 0
        self._head: tuple[int, bytes, int, int] = (0, b"", 0, 0)
        self._meta: dict[str, str] = {}
        self.con: sqlite3.Connection | None = None

    def snapshot(self) -> None:
        """Open the file and fix what is seen of it; files that are closed after this are not missed."""
        self.con = con = reader(self.path)
        con.execute("BEGIN")
        row = con.execute("SELECT seq, mac, epoch, segment FROM head").fetchone()
        self._meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
        if row is None or "ledger" not in self._meta:
            raise LedgerError("corrupt", f"{self.path} has no head")
        self._head = row
        self._fresh = dict(con.execute("SELECT epoch, seq FROM seal").fetchall())
        for number, first, last, before, epoch, state, by in con.execute(
            "SELECT number, first, last, before, epoch, state, by FROM segment ORDER BY number"
        ).fetchall():
            self.segments[number] = Segment(number, first, last, before=before, epoch=epoch, state=state, by=by)

    def still_holds(self, first: int) -> bool:
        """Whether the segment that begins here was not yet kept as a file when the snapshot was taken."""
        return any(each.first == first and each.state in ("open", "closed") for each in self.segments.values())

    def check(self) -> None:
        """Walk every segment whose entries this file holds, as one snapshot."""
        if self.con is None:
            self.snapshot()
        con, meta = self._opened(), self._meta
        seq, mac, self._epoch, current = self._head
        held = [each for each in self.segments.values() if self._holds(each, current)]
        counted = self.report.entries, self.report.checkpoints, self.report.segments
        self._strangers(held)
        for each in held:
            walk = Walk(
                con,
                each,
                self.report,
                ident=meta["ledger"],
                public=self.known.public,
                keys=self._key,
                marked=self.known.record.seq if self.known.record else ENDLESS,
            )
            self._chained(each)
            walk.run(self._epoch)
            self.walks.append(walk)
            self.last = walk.last
            if each.state == "archived":  # its file was counted
                self.report.entries, self.report.checkpoints, self.report.segments = counted
        if not self.report.first and held:
            self.report.first = held[0].first
        self._end(seq, mac)
        self._signer(meta)
        self._seals()

    def _holds(self, segment: Segment, current: int) -> bool:
        """Whether the entries are here: all of a closed segment, or of one that is also kept as a file."""
        if segment.state in ("open", "closed"):
            return True
        if segment.state != "archived" or segment.last is None:
            return False
        count = self._one("SELECT count(*) FROM entry WHERE seq BETWEEN ? AND ?", segment.first, segment.last)
        return segment.number >= current - 1 and bool(count)

    def _strangers(self, held: list[Segment]) -> None:
        """Entries before everything that this file should hold; a deletion in progress is no stranger."""
        first = held[0].first if held else 1
        moving = min((s.first for s in self.segments.values() if s.state == "archived"), default=first)
        seq = self._one("SELECT min(seq) FROM entry")
        if seq is not None and seq < min(first, moving):
            self.report.add(seq, "inserted", "it is before the first entry of this file")

    def _chained(self, segment: Segment) -> None:
        """A segment begins with the statement that closed the one before."""
        previous = self.segments.get(segment.number - 1)
        if previous is None or previous.state in ("lost", "dropped"):
            return
        row = self._body(segment.first)
        told = row.get("data", {}).get("previous", {}) if row else {}
        note = self._one("SELECT note FROM checkpoint WHERE segment = ? AND seq = ?", previous.number, previous.last)
        if told.get("last") != previous.last or told.get("mac") != segment.before.hex():
            self.report.add(segment.first, "edited", "it does not name the end of the segment before")
        elif note is not None and told.get("note") != note:
            self.report.add(segment.first, "forked", "the segment before was closed by another checkpoint")

    def _end(self, seq: int, mac: bytes) -> None:
        """The last entry against the head, and against what is known outside the file."""
        last = self.last
        signed = self._one("SELECT max(seq) FROM checkpoint") or 0
        if last < max(seq, signed):
            self.report.add(last + 1, "truncated", "the end of the ledger was cut off", max(seq, signed))
        elif last > seq:
            marked = self.known.record.seq if self.known.record else 0
            if marked > seq:
                self.report.add(seq + 1, "edited", "the head was set back")
            elif self.report.ok:
                self.report.add(seq + 1, "inserted", "it was put in behind the end of the ledger", last)
        elif self.report.ok and last and self._one("SELECT mac FROM entry WHERE seq = ?", last) not in (mac, None):
            self.report.add(last, "edited", "the head names another chain value")
        self.known.compare_mark(self._opened(), last, self._epoch, self.report)

    def _key(self, epoch: int) -> bytes | None:
        """The epoch's key if we hold it: the present one, or one that follows from the person's seal key."""
        current = self.known.key_of(epoch, self._fresh) if epoch == self._epoch else None
        if current is not None:
            return current
        if self._seal is None or epoch < self._seal.epoch:
            return None
        if any(self._seal.epoch < fresh <= epoch for fresh in self._fresh):
            return None
        if self._at is None or self._at[0] > epoch:
            self._at = (self._seal.epoch, self._seal.key)
        self._at = (epoch, evolve(self._at[1], epoch - self._at[0]))
        return self._at[1]

    def _seals(self) -> None:
        """A fresh seal takes the seal key's reach away, so it must be one that the ledger itself tells of."""
        for epoch, seq in self._fresh.items():
            row = self._body(seq)
            if row is not None and row["data"].get("verb") not in ("seal", "recovered"):
                self.report.add(seq, "edited", f"it does not start the seal of epoch {epoch}")

    def _signer(self, meta: dict[str, str]) -> None:
        """The public key must be the one that the ledger names."""
        public = self.known.public
        for walk in self.walks:
            if public is None or not walk.notes:
                continue
            seq, _, _ = meta.get(f"signer/{walk.segment.number}", "").partition(" ")
            row = self._body(int(seq)) if seq.isdecimal() else None
            if row is None or row["data"].get("public_key") != str(public):
                at = int(seq) if seq.isdecimal() else walk.segment.first
                self.report.add(at, "foreign-key", "the ledger names another signing key than the one given")

    def join(self, files: list[_File]) -> None:
        """The files before this one: each must be there, and end where the next begins."""
        by_first = {walk.segment.first: walk for file in files for walk in file.walks}
        at = 1
        for segment in self.segments.values():
            if segment.first != at:
                self.report.add(at, "missing", "no segment is known to hold these entries", segment.first - 1)
            at = (segment.last or segment.first) + 1
        for segment in self.segments.values():
            span = f"{segment.first}..{segment.last}"
            if segment.state == "archived" and segment.first not in by_first:
                if segment.number not in (walk.segment.number for walk in self.walks):
                    self.report.add(segment.first, "missing", f"the file of entries {span} is gone", segment.last or 0)
            elif segment.state == "archived":
                walk = by_first[segment.first]
                after = self.segments.get(segment.number + 1)
                end = walk.con.execute("SELECT mac FROM entry WHERE seq = ?", (segment.last,)).fetchone()
                if after is not None and (end is None or end[0] != after.before):
                    self.report.add(segment.first, "forked", f"the file of entries {span} is of another history")
            elif segment.state in ("dropped", "lost"):
                self._declared(segment, span, files)

    def _declared(self, segment: Segment, span: str, files: list[_File]) -> None:
        row = next((row for file in [self, *files] if (row := file.find(segment.by)) is not None), None)
        verb = row["data"].get("verb") if row is not None else ""
        if segment.state == "dropped" and verb == "dropped":
            self.report.notes.append(f"entries {span} were dropped by retention (entry {segment.by})")
        elif segment.state == "lost" and verb == "recovered":
            self.report.notes.append(f"entries {span} were lost; the recovery is entry {segment.by}")
        else:
            self.report.add(
                segment.first, "missing", f"entries {span} are gone, and no entry says why", segment.last or 0
            )

    def close(self) -> None:
        """Let go of the file."""
        if self.con is not None:
            self.con.close()
            self.con = None

    def find(self, seq: int) -> Json | None:
        """The body with this number, if this file was readable and holds it."""
        return None if self.con is None else self._body(seq)

    def named_first(self) -> int:
        """The first entry that the file's name promises."""
        match = _ARCHIVE.fullmatch(os.path.basename(self.path))
        return int(match[1]) if match else 1

    def _body(self, seq: int) -> Json | None:
        text = self._one("SELECT body FROM entry WHERE seq = ?", seq)
        try:
            row = json.loads(text) if text is not None else None
        except ValueError:
            return None
        return row if isinstance(row, dict) and isinstance(row.get("data"), dict) else None

    def _one(self, sql: str, *values: object) -> Json:
        row = self._opened().execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _opened(self) -> sqlite3.Connection:
        if self.con is None:
            raise BkError("the file was not opened", self.path)
        return self.con


def _conclude(report: Report, files: list[_File]) -> None:
    """The first bad entry first, and the newest checkpoint that lies wholly before it."""
    report.sort()
    good = report.last_good_checkpoint
    if report.problems and good is not None and good.seq >= report.problems[0].seq:
        report.last_good_checkpoint = _last_before(report.problems[0].seq, files)
    for file in files:
        file.close()


def _last_before(seq: int, files: list[_File]) -> Good | None:
    """The newest checkpoint that lies wholly before the first bad entry."""
    found = [(note, walk) for file in files for walk in file.walks for note in walk.notes.values() if note.seq < seq]
    if not found:
        return None
    note, walk = max(found, key=lambda pair: pair[0].seq)
    return Good(note.segment, note.size, note.seq, note.at, walk.text(note.seq))
