"""Proofs that others can check: that one entry is under a signed checkpoint, and that a newer one only added to it."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from bk.engine.errors import BkError
from bk.engine.ledger.merkle import (
    TILE,
    Frontier,
    consistency_path,
    consistent,
    included,
    inclusion_path,
    leaf_hash,
)
from bk.engine.ledger.note import BadNote, Note, opened, public_key
from bk.engine.ledger.schema import reader
from bk.engine.ledger.verify import archives
from bk.engine.state import State

Json = Any


class Held:
    """One segment in one file: where it begins, and the hashes in it."""

    def __init__(self, con: sqlite3.Connection, number: int, first: int) -> None:
        self.con = con
        self.number = number
        self.first = first

    def note_at(self, seq: int) -> str | None:
        """The first checkpoint that covers this entry."""
        row = self.con.execute(
            "SELECT note FROM checkpoint WHERE segment = ? AND seq >= ? ORDER BY seq LIMIT 1", (self.number, seq)
        ).fetchone()
        return None if row is None else str(row[0])

    def newest_note(self) -> str | None:
        """The last checkpoint of the segment."""
        row = self.con.execute(
            "SELECT note FROM checkpoint WHERE segment = ? ORDER BY seq DESC LIMIT 1", (self.number,)
        ).fetchone()
        return None if row is None else str(row[0])

    def subtree(self, start: int, stop: int) -> bytes:
        """The root over the leaves [start, stop), from stored tiles as far as they reach."""
        tree = Frontier()
        whole = (stop - start) // TILE if start % TILE == 0 else 0
        if whole:
            rows = self.con.execute(
                "SELECT hash FROM tile WHERE segment = ? AND number >= ? AND number < ? ORDER BY number",
                (self.number, start // TILE, start // TILE + whole),
            ).fetchall()
            if len(rows) == whole:
                tree.extend(row[0] for row in rows)
                tree = Frontier(whole * TILE, tree.packed())  # a tile's root takes the place of its leaves
                start += whole * TILE
        rows = self.con.execute(
            "SELECT leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (self.first + start, self.first + stop)
        ).fetchall()
        if len(rows) != stop - start:
            raise BkError(
                "the proof cannot be made", "entries that it needs are gone", "bk audit verify says which", code=4
            )
        tree.extend(row[0] for row in rows)
        return tree.root()


def file_of(state: State, seq: int) -> str:
    """The file that holds this entry."""
    for first, last, path in archives(state.root) if os.path.isdir(state.root) else ():
        if first <= seq <= last:
            return path
    return state.audit


def held(con: sqlite3.Connection, seq: int) -> Held:
    """The segment that this entry belongs to."""
    row = con.execute(
        "SELECT number, first FROM segment WHERE first <= ? ORDER BY number DESC LIMIT 1", (seq,)
    ).fetchone()
    if row is None:
        raise absent(seq)
    return Held(con, row[0], row[1])


def absent(seq: int) -> BkError:
    """No such entry."""
    return BkError(
        f"there is no entry #{seq}", "the ledger holds no entry of that number", "bk audit tail shows the newest"
    )


def inclusion(state: State, seq: int) -> dict[str, Json]:
    """That entry `seq` is leaf `index` of the tree that a signed checkpoint names. `holds` says whether it checks out.

    Before a checkpoint covers the entry there is nothing to prove it against: `checkpoint` is None then.
    """
    con = reader(file_of(state, seq))
    try:
        row = con.execute("SELECT CAST(body AS BLOB) FROM entry WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise absent(seq)
        segment = held(con, seq)
        told: dict[str, Json] = {
            "seq": seq,
            "segment": segment.number,
            "index": seq - segment.first,
            "body": bytes(row[0]).decode(errors="replace"),
            "leaf": leaf_hash(bytes(row[0])).hex(),
            "hash": "sha256: leaf = H(00 body), node = H(01 left right)",
            "checkpoint": None,
            "holds": False,
        }
        text = segment.note_at(seq)
        if text is None:
            return told
        note, signed = _note(state, text)
        told |= _statement(state, note, text, signed)
        path = inclusion_path(seq - segment.first, note.size, segment.subtree)
        told["path"] = [step.hex() for step in path]
        told["holds"] = signed and included(
            bytes.fromhex(told["leaf"]), seq - segment.first, note.size, path, note.root
        )
        return told
    finally:
        con.close()


def growth(state: State, seq: int) -> dict[str, Json]:
    """That the newest checkpoint of a segment only added to the one that covers `seq`."""
    con = reader(file_of(state, seq))
    try:
        segment = held(con, seq)
        texts = (segment.note_at(seq), segment.newest_note())
        if texts[0] is None or texts[1] is None:
            raise BkError(
                "there is nothing to compare", f"no checkpoint covers entry #{seq} yet", "bk audit checkpoint"
            )
        (old, old_signed), (new, new_signed) = _note(state, texts[0]), _note(state, texts[1])
        path = consistency_path(old.size, new.size, segment.subtree)
        told = _statement(state, new, texts[1], old_signed and new_signed)
        return {
            "segment": segment.number,
            "old": {"seq": old.seq, "size": old.size, "root": old.root.hex(), "checkpoint": texts[0]},
            "new": {"seq": new.seq, "size": new.size, "root": new.root.hex(), "checkpoint": texts[1]},
            "public_key": told["public_key"],
            "signed": told["signed"],
            "path": [step.hex() for step in path],
            "holds": old_signed and new_signed and consistent(old.size, new.size, old.root, new.root, path),
        }
    finally:
        con.close()


def _note(state: State, text: str) -> tuple[Note, bool]:
    """The checkpoint's contents, and whether this installation's key signed it."""
    public = public_key(state.keys)
    try:
        if public is not None:
            return opened(text, public), True
    except BadNote:
        pass
    try:
        return Note(text.rpartition("\n\n")[0] + "\n"), False
    except BadNote as bad:
        raise BkError("the checkpoint cannot be read", bad.detail, "bk audit verify", code=4) from bad


def _statement(state: State, note: Note, text: str, signed: bool) -> dict[str, Json]:
    public = public_key(state.keys)
    return {
        "checkpoint": text,
        "checkpoint_seq": note.seq,
        "checkpoint_at": note.at,
        "size": note.size,
        "root": note.root.hex(),
        "signed": signed,
        "public_key": None if public is None else str(public),
    }
