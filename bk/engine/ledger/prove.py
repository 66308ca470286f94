"""Proofs about single entries and about growth: made from the database, checked with a public key and nothing else."""

from __future__ import annotations

import os

from bk.engine.errors import BkError
from bk.engine.ledger.chain import entry_of
from bk.engine.ledger.merkle import TILE, consistency_path, consistent, included, inclusion_path, leaf_hash, root_of
from bk.engine.ledger.note import BadNote, opened, unverified
from bk.engine.ledger.schema import reader
from bk.engine.ledger.verify import archives
from bk.engine.notes import PublicKey
from bk.engine.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from bk.engine.ledger.merkle import Range
    from bk.engine.model import Entry, Json

_SIGN = "sign it first: `bk audit checkpoint`"


def prove(target: State | str, seq: int) -> dict[str, Json]:
    """That this entry is in the ledger that the newest checkpoint of its segment signed."""
    con = _holding(target, seq)
    try:
        number, first = con.execute(
            "SELECT number, first FROM segment WHERE first <= ? ORDER BY first DESC LIMIT 1", (seq,)
        ).fetchone()
        row = con.execute(
            "SELECT size, note FROM checkpoint WHERE segment = ? AND seq >= ? ORDER BY seq DESC LIMIT 1", (number, seq)
        ).fetchone()
        if row is None:
            raise BkError(f"entry {seq} cannot be proved", "no checkpoint covers it yet", _SIGN)
        size, note = row
        body: bytes = con.execute("SELECT CAST(body AS BLOB) FROM entry WHERE seq = ?", (seq,)).fetchone()[0]
        path = inclusion_path(seq - first, size, _subtrees(con, number, first))
    finally:
        con.close()
    return {
        "kind": "bk-inclusion-v1",
        "seq": seq,
        "index": seq - first,
        "body": body.decode(errors="replace"),
        "path": [step.hex() for step in path],
        "checkpoint": note,
    }


def check(proof: Mapping[str, Json], public: PublicKey) -> Entry:
    """The entry that a proof proves; raises BkError that says what does not hold."""
    try:
        note = opened(proof["checkpoint"], public)
        body = proof["body"].encode()
        index = int(proof["index"])
        path = [bytes.fromhex(step) for step in proof["path"]]
        entry = entry_of(body)
    except BadNote as bad:
        raise BkError("the proof does not hold", f"its checkpoint: {bad.detail}") from bad
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BkError("the proof cannot be read", str(error)) from error
    if entry.seq != proof.get("seq") or entry.seq - index != note.seq - note.size + 1:
        raise BkError("the proof does not hold", "it is about another entry than the one that it shows")
    if not included(leaf_hash(body), index, note.size, path, note.root):
        raise BkError("the proof does not hold", "the entry does not lead to the signed root")
    return entry


def prove_growth(target: State | str, old: str, new: str) -> dict[str, Json]:
    """That the ledger of the `new` checkpoint begins with all of the `old` one's; both are notes of one segment."""
    try:
        before, after = unverified(old), unverified(new)
    except BadNote as bad:
        raise BkError("there is no such proof", f"a checkpoint: {bad.detail}") from bad
    if before.origin != after.origin or before.size > after.size:
        raise BkError("there is no such proof", "the checkpoints must be of one segment, the older one first")
    con = _holding(target, after.seq)
    try:
        subtrees = _subtrees(con, after.segment, after.seq - after.size + 1)
        path = consistency_path(before.size, after.size, subtrees)
    finally:
        con.close()
    return {"kind": "bk-consistency-v1", "old": old, "new": new, "path": [step.hex() for step in path]}


def check_growth(proof: Mapping[str, Json], public: PublicKey) -> tuple[int, int]:
    """The two sizes between which nothing was changed; raises BkError that says what does not hold."""
    try:
        old, new = opened(proof["old"], public), opened(proof["new"], public)
        path = [bytes.fromhex(step) for step in proof["path"]]
    except BadNote as bad:
        raise BkError("the proof does not hold", f"a checkpoint: {bad.detail}") from bad
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BkError("the proof cannot be read", str(error)) from error
    if old.origin != new.origin or not consistent(old.size, new.size, old.root, new.root, path):
        raise BkError("the proof does not hold", "the newer ledger does not begin with the older one")
    return old.size, new.size


def _holding(target: State | str, seq: int) -> sqlite3.Connection:
    """The database that has this entry: the live one, or a closed segment's file."""
    paths = [target] if isinstance(target, str) and not os.path.isdir(target) else []
    if not paths:
        root = target.root if isinstance(target, State) else str(target)
        paths = [f"{root}/audit.db"] + [path for first, last, path in archives(root) if first <= seq <= last]
    for path in paths:
        con = reader(path)
        if con.execute("SELECT 1 FROM entry WHERE seq = ?", (seq,)).fetchone():
            return con
        con.close()
    raise BkError("there is no such entry", f"seq {seq}", "`bk audit tail` shows the last ones")


def _subtrees(con: sqlite3.Connection, segment: int, first: int) -> Range:
    """Subtree roots, from stored tiles where a whole tile of 256 lies inside and from leaves where not."""
    tiles: dict[int, bytes] = dict(
        con.execute("SELECT number, hash FROM tile WHERE segment = ?", (segment,)).fetchall()
    )

    def leaves(start: int, stop: int) -> list[bytes]:
        rows = con.execute(
            "SELECT leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (first + start, first + stop)
        ).fetchall()
        if len(rows) != stop - start:
            raise BkError("the proof cannot be made", "entries that it needs are gone", "`bk audit verify` says which")
        return [row[0] for row in rows]

    def subtree(start: int, stop: int) -> bytes:
        whole = [tiles.get(number) for number in range(start // TILE, stop // TILE)]
        found = [tile for tile in whole if tile is not None]
        if start % TILE or not found or len(found) < len(whole):
            return root_of(leaves(start, stop))
        rest = leaves(stop - stop % TILE, stop)
        # a whole tile is a full subtree, so in the tree above it stands for a leaf
        return root_of([*found, root_of(rest)] if rest else found)

    return subtree
