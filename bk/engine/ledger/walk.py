"""One segment, entry by entry: hashes, links, order, and the root of every checkpoint. The verifier's hot loop."""

from __future__ import annotations

from hashlib import sha256

from blake3 import blake3

from bk.engine.ledger.checkpoint import seal_of
from bk.engine.ledger.merkle import Frontier
from bk.engine.ledger.note import BadNote, Note, opened, unverified
from bk.engine.ledger.report import Good, Report
from bk.engine.notes import PublicKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import TypeAlias

    Row: TypeAlias = tuple[int, bytes, bytes, bytes]
    Keys: TypeAlias = Callable[[int], bytes | None]

_ROWS = "SELECT seq, CAST(body AS BLOB), leaf, mac FROM entry WHERE seq >= ? AND seq <= ? ORDER BY seq"
_FETCH = 2000
ENDLESS = 2**62


class Segment:
    """A row of the segment table, as far as a verifier needs it."""

    __slots__ = ("before", "by", "epoch", "first", "last", "number", "state")

    def __init__(
        self, number: int, first: int, last: int | None, *, before: bytes, epoch: int, state: str, by: int
    ) -> None:
        self.number = number
        self.first = first
        self.last = last
        self.before = before
        self.epoch = epoch
        self.state = state
        self.by = by


class Walk:
    """Goes through one segment and notes what it finds in the report."""

    __slots__ = (
        "_backwards", "_clock", "_keys", "_marked", "_prev", "_public", "_shift", "_want", "broken", "con", "last",
        "notes", "origin", "report", "segment", "tree",
    )  # fmt: skip

    def __init__(
        self,
        con: sqlite3.Connection,
        segment: Segment,
        report: Report,
        *,
        ident: str,
        public: PublicKey | None,
        keys: Keys,
        marked: int = ENDLESS,
    ) -> None:
        self.con = con
        self.segment = segment
        self.report = report
        self.origin = f"bk/{ident}/{segment.number}"
        self.tree = Frontier()
        self.notes: dict[int, Note] = {}
        self.last = segment.first - 1
        self.broken = False
        self._marked = marked
        self._public = public
        self._keys = keys
        self._prev: bytes | None = segment.before
        self._want = segment.first
        self._shift = 0
        self._clock = 0
        self._backwards: list[str] = []

    def run(self, epoch: int) -> None:
        """Every checkpoint's stretch, then the tail that none covers yet, which is linked under `epoch`'s key."""
        segment, report = self.segment, self.report
        start = segment.first
        expected = segment.epoch
        rows = self.con.execute(
            "SELECT seq, size, epoch, note FROM checkpoint WHERE segment = ? ORDER BY seq", (segment.number,)
        ).fetchall()
        for seq, size, numbered, text in rows:
            problems = len(report.problems) + report.more
            note = self._opened(seq, text)
            if note is not None and (
                (note.origin, note.seq, note.size, note.epoch) != (self.origin, seq, seq - segment.first + 1, numbered)
                or size != note.size
            ):
                report.add(seq, "bad-checkpoint", "the note speaks of another place in the ledger")
                note = None
            if numbered != expected:
                report.add(seq, "bad-checkpoint", f"a checkpoint of epoch {expected} was taken out before it")
            expected = numbered + 1
            key = self._keys(numbered)
            self._stretch(start, seq, key)
            self.broken = self.broken or len(report.problems) + report.more > problems
            if note is not None:
                self._judge(note, key, start)
            start = seq + 1
        whole = segment.state != "open" or expected == epoch
        if not whole:
            report.add(start, "bad-checkpoint", f"a checkpoint of epoch {expected} was taken out")
        self._stretch(start, segment.last or ENDLESS, self._keys(epoch) if whole else None)
        report.unsealed_tail = self.last - start + 1
        report.segments += 1
        report.last = max(report.last, self.last)
        report.notes += self._backwards[:5]

    def _opened(self, seq: int, text: str) -> Note | None:
        self.report.checkpoints += 1
        try:
            if self._public is None:
                note = unverified(text)
            else:
                note = opened(text, self._public)
                self.report.signatures += 1
        except BadNote as bad:
            self.report.add(seq, bad.kind, f"the checkpoint at {seq}: {bad.detail}")
            return None
        self.notes[seq] = note
        return note

    def _judge(self, note: Note, key: bytes | None, start: int) -> None:
        report = self.report
        if not self.broken and (self.tree.size, self.tree.root()) != (note.size, note.root):
            report.add(
                start,
                "edited",
                f"one of the entries {start}..{note.seq} is not what was signed; its hashes were redone",
            )
            self.broken = True
        if key is not None and seal_of(key, note.sealed) != note.seal:
            report.add(note.seq, "unsealed", "signed with the signing key, but not by who held the epoch's key")
            self.broken = True
        if not self.broken:
            report.last_good_checkpoint = Good(note.segment, note.size, note.seq, note.at, self.text(note.seq))

    def text(self, seq: int) -> str:
        """The signed note at this entry."""
        row = self.con.execute("SELECT note FROM checkpoint WHERE seq = ?", (seq,)).fetchone()
        return str(row[0])

    def _stretch(self, start: int, stop: int, key: bytes | None) -> None:
        cursor = self.con.execute(_ROWS, (start, stop))
        while rows := cursor.fetchmany(_FETCH):
            self.tree.extend(self._check(rows, key))
        if self._want <= stop < ENDLESS:
            if self._later(stop):
                self.report.add(self._want, "deleted", "gone, although later entries are there", stop)
            elif stop - self._want >= self._shift:  # what a renumbering leaves open at the end was reported as deleted
                self.report.add(self._want, "truncated", "the end of the ledger was cut off", stop)
            self._want = stop + 1
            self._prev = None

    def _later(self, stop: int) -> bool:
        return self.con.execute("SELECT 1 FROM entry WHERE seq > ? LIMIT 1", (stop,)).fetchone() is not None

    def _check(self, rows: list[Row], key: bytes | None) -> list[bytes]:
        """The rows' true leaf hashes. Everything in here happens a million times."""
        new, keyed = sha256, blake3
        leaves: list[bytes] = []
        put = leaves.append
        want, prev, clock, shift = self._want, self._prev, self._clock, self._shift
        links, marked = 0, self._marked
        for seq, body, leaf, mac in rows:
            true = new(b"\0" + body).digest()
            put(true)
            fine = True
            if seq != want:
                self.report.add(want, "deleted", "gone, although later entries are there", seq - 1)
                prev, fine = None, False
            if not body.endswith(b',"seq":%d}' % (seq + shift)):
                shift = self._misplaced(seq, body, true == leaf, shift)
                fine = False
            elif true != leaf:
                self.report.add(seq, "edited", "its text is not the one that was hashed")
                fine = False
            elif key is not None and prev is not None:
                links += 1
                if keyed(prev + leaf, key=key).digest() != mac:
                    kind = "edited" if seq <= marked else "inserted"
                    self.report.add(seq, kind, "it is not linked to the one before by who held the key")
                    fine = False
            where = body.find(b'","at":') + 7
            stop = body.find(b",", where)
            try:
                at = int(body[where:stop])
            except ValueError:
                at = clock
            if at < clock:
                self._backwards.append(f"the clock went back by {clock - at} ms before entry {seq}")
            clock = at
            prev = mac if fine else None
            want = seq + 1
        self._want, self._prev, self._clock, self._shift = want, prev, clock, shift
        self.last = want - 1
        self.report.entries += len(rows)
        self.report.links += links
        return leaves

    def _misplaced(self, seq: int, body: bytes, hashed: bool, shift: int) -> int:
        """An entry that says it is another one: name what was done, and return how far the rest is displaced."""
        says = _own_seq(body)
        if says is None or says == seq + shift or (not hashed and says == seq):
            self.report.add(seq, "edited", "its text is not the one that was hashed")
            return shift
        following = self._says(seq + 1)
        if says == seq + shift - 1 and following in (None, says + 1):
            self.report.doubt(says)
            self.report.add(says, "inserted", "it is there twice, and the later entries were renumbered")
            return shift - 1
        if self._says(says) == seq and says != seq + 1:
            self.report.add(
                min(seq, says), "reordered", f"entries {min(seq, says)} and {max(seq, says)} changed places"
            )
        elif following == seq + shift:
            if self._says(says) == seq:
                self.report.add(seq, "reordered", f"entries {seq} and {says} changed places")
                return shift
            self.report.add(seq, "inserted", "it was put in, and the later entries were renumbered")
            return shift - 1
        elif following is None or following == says + 1:
            if says > seq + shift:
                self.report.add(seq + shift, "deleted", "gone, and the later entries were renumbered", says - 1)
            else:
                self.report.add(seq, "inserted", f"entries from {says} on are there twice")
            return says - seq
        else:
            self.report.add(seq, "reordered", f"it holds entry {says}")
        return shift

    def _says(self, seq: int) -> int | None:
        row = self.con.execute("SELECT CAST(body AS BLOB) FROM entry WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else _own_seq(row[0])


def _own_seq(body: bytes) -> int | None:
    tail = body.rpartition(b',"seq":')[2]
    return int(tail[:-1]) if tail.endswith(b"}") and tail[:-1].isdigit() else None
