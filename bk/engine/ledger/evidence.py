"""What an installation knows about its ledger outside the database, and how the two are compared."""

from __future__ import annotations

from bk.engine.ledger.chain import evolve
from bk.engine.ledger.checkpoint import notes_path
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.mark import Mark
from bk.engine.ledger.note import BadNote, Note, opened, public_key, split_notes, unverified
from bk.engine.ledger.seal import KeyFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from bk.engine.ledger.mark import Record
    from bk.engine.ledger.report import Report
    from bk.engine.ledger.verify import _File
    from bk.engine.notes import PublicKey
    from bk.engine.state import State


class Evidence:
    """The mark, its tags, the present key, the checkpoints on file: each may be unknown."""

    __slots__ = ("file", "notes", "public", "record", "slots", "tags", "wrong")

    def __init__(self, public: PublicKey | None = None) -> None:
        self.public = public
        self.record: Record | None = None
        self.tags: dict[int, bytes] = {}
        self.slots: dict[int, tuple[bytes, bool]] = {}
        self.notes: list[Note] = []
        self.file = ""
        self.wrong: list[tuple[str, str]] = []

    def key_of(self, epoch: int, fresh: Mapping[int, int]) -> bytes | None:
        """The present epoch's key; an older file evolves into it, a newer one cannot go back."""
        whole = [number for number, (_, new) in self.slots.items() if number <= epoch and (not new or number in fresh)]
        if not whole or any(max(whole) < number <= epoch for number in fresh):
            return None  # read before a new seal began, which no older key leads to
        return evolve(self.slots[max(whole)][0], epoch - max(whole))

    def compare_mark(self, con: sqlite3.Connection, last: int, epoch: int, report: Report) -> None:
        """Has the database gone back, or does it tell another story than the one that the mark saw?"""
        for cause, detail in self.wrong:
            report.add(last + 1, cause, detail)
        newest = max((number for number, (_, fresh) in self.slots.items() if not fresh), default=-1)
        record = self.record
        if record is None:
            if newest > epoch:
                report.add(last + 1, "rolled-back", f"it is of epoch {epoch}; the key is of epoch {newest}")
            return
        if record.seq > last:
            behind = max(newest, record.epoch) > epoch
            kind = "rolled-back" if behind else "truncated"
            if not report.problems or report.problems[-1].seq != last + 1:
                report.add(last + 1, kind, f"the ledger had come to entry {record.seq}", record.seq)
        elif newest > epoch:
            report.add(last + 1, "rolled-back", f"it is of epoch {epoch}; the key is of epoch {newest}")
        first = min((each.seq for each in report.problems), default=0)
        low = min(self.tags, default=record.seq)
        for seq, mac in con.execute("SELECT seq, mac FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq", (low, last)):
            if self.tags.get(seq, mac[:8]) == mac[:8] and (seq != record.seq or mac == record.mac):
                continue
            if report.ok:
                report.add(seq, "forked", "another entry with this number had been recorded")
            elif seq < first:
                report.add(seq, "edited", "its link is not the one that had been recorded")
            return

    def compare_notes(self, files: Sequence[_File], report: Report) -> None:
        """Every checkpoint that was put on file must be in the ledger, and the other way round."""
        walks = {walk.segment.number: walk for file in files for walk in file.walks}
        latest = max((seq for walk in walks.values() for seq in walk.notes), default=0)
        for note in self.notes:
            walk = walks.get(note.segment)
            if walk is None:
                continue
            held = walk.notes.get(note.seq)
            if held is not None and held.root != note.root:
                report.add(note.seq, "forked", "another root was signed for the same entries")
            elif held is None and note.seq > walk.last:
                if not any(each.seq <= note.seq <= each.last for each in report.problems):
                    report.add(walk.last + 1, "rolled-back", f"entries up to {note.seq} had been signed", note.seq)
            elif held is None and not any(each.seq == note.seq for each in report.problems):
                report.add(note.seq, "bad-checkpoint", "a signed checkpoint was taken out of the ledger")
        if not self.file:
            return
        on_file = _places(self.file)  # once more: what was signed after the first look is in the snapshot
        for number, walk in walks.items():
            gone = [seq for seq in walk.notes if (number, seq) not in on_file and seq != latest]
            if gone and not any(each.kind in ("foreign-key", "bad-checkpoint") for each in report.problems):
                report.add(min(gone), "missing", "a checkpoint is gone from the file that is kept beside the ledger")


# Everything is read before the database's snapshot is taken, so the database can only be ahead of it, never behind.
def gather(state: State, public: PublicKey | None, report: Report) -> Evidence:
    """Everything that this installation knows; what is unreadable is a problem of its own."""
    known = Evidence(public or public_key(state.keys))
    if known.public is None:
        report.notes.append("there is no public key yet: nothing has been signed")
    try:
        mark = Mark(state.mark)
        try:
            known.record = mark.read()
            known.tags = {seq: tag for seq, tag in mark.tags().items() if seq <= known.record.seq}
        finally:
            mark.close()
    except LedgerError as error:
        known.wrong.append((error.cause, f"the high-water mark: {error.detail}"))
    try:
        known.slots = KeyFile(f"{state.keys}/seal").slots()
    except LedgerError as error:
        known.wrong.append((error.cause, f"the epoch key: {error.detail}"))
    if known.public is None:
        return known
    try:
        with open(notes_path(state), encoding="utf-8") as file:
            texts = split_notes(file.read())
    except (OSError, ValueError) as error:
        texts = []
        report.notes.append(f"the checkpoints beside the ledger cannot be read: {error}")
    known.file = notes_path(state)
    for text in texts:
        try:
            known.notes.append(opened(text, known.public))
        except BadNote as bad:
            report.add(_seq_in(text), bad.kind, f"in the file beside the ledger: {bad.detail}")
    return known


def _places(path: str) -> set[tuple[int, int]]:
    """Segment and entry of every note in the file; who signed them was looked at before."""
    try:
        with open(path, encoding="utf-8") as file:
            texts = split_notes(file.read())
    except (OSError, ValueError):
        return set()
    found = set()
    for text in texts:
        try:
            note = unverified(text)
        except BadNote:
            continue
        found.add((note.segment, note.seq))
    return found


def _seq_in(text: str) -> int:
    told = [line[4:] for line in text.splitlines() if line.startswith("seq ") and line[4:].isdecimal()]
    return int(told[0]) if told else 0
