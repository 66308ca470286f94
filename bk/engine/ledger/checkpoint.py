"""Signing what is new: verify it once more, fold it into the tree, sign the root, let the key evolve."""

from __future__ import annotations

import os
import sqlite3
import time

from blake3 import blake3

from bk.engine.ledger.chain import evolve
from bk.engine.ledger.errors import LedgerError, from_os, from_sqlite
from bk.engine.ledger.merkle import Frontier, leaf_hash
from bk.engine.ledger.note import PublicKey, body, sign, signing_key
from bk.engine.ledger.seal import SealKey
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.ledger.store import Head, Ledger

_SEAL = "bk ledger checkpoint v1"
_BATCH = 512
_NEAR = 64  # entries that may remain to be checked while writers wait
_TRIES = 8
_NEW = (
    "SELECT seq, CAST(body AS BLOB), leaf, mac FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
)


class Checkpoint:
    """A signed statement of how long the ledger was and what it held."""

    __slots__ = ("at", "epoch", "note", "origin", "root", "segment", "seq", "size")

    def __init__(self, origin: str, segment: int, size: int, seq: int, *, root: bytes, epoch: int, at: int) -> None:
        self.origin = origin
        self.segment = segment
        self.size = size
        self.seq = seq
        self.root = root
        self.epoch = epoch
        self.at = at
        self.note = ""


def seal_of(key: bytes, text: str) -> bytes:
    """The epoch key's own statement about a checkpoint: it holds even when the signing key was stolen later."""
    subkey = blake3(key, derive_key_context=_SEAL).digest()
    return blake3(text.encode(), key=subkey).digest()


def key_name(ident: bytes) -> str:
    """Under which name this ledger signs."""
    return f"bk/{ident.hex()}"


class _Fold:
    """Takes entries since the last checkpoint into the tree, refusing to sign for what does not fit the chain."""

    __slots__ = ("mac", "seq", "start", "tiles", "tree")

    def __init__(self, con: sqlite3.Connection, head: Head) -> None:
        row = con.execute("SELECT folded, peaks, before FROM segment WHERE number = ?", (head.segment,)).fetchone()
        folded, peaks, before = row
        self.start = folded
        self.tree = Frontier(folded, peaks)
        self.seq = head.first - 1 + folded
        self.tiles: list[tuple[int, bytes]] = []
        mac = con.execute("SELECT mac FROM entry WHERE seq = ?", (self.seq,)).fetchone() if folded else (before,)
        if mac is None:
            raise LedgerError("corrupt", f"entry {self.seq}, the last one signed, is gone")
        self.mac: bytes = mac[0]

    def take(self, rows: list[tuple[int, bytes, bytes, bytes]], key: bytes) -> None:
        leaves = []
        for seq, text, leaf, mac in rows:
            self.seq += 1
            if seq != self.seq or leaf_hash(text) != leaf or blake3(self.mac + leaf, key=key).digest() != mac:
                raise LedgerError("corrupt", f"entry {self.seq} is not what was recorded; it is not signed")
            self.mac = mac
            leaves.append(leaf)
        self.tiles += self.tree.extend(leaves)


def sign_new(ledger: Ledger) -> Checkpoint | None:
    """Sign what came since the last checkpoint; None when nothing did."""
    try:
        seq = ledger.head()[0]
        if ledger.keeper().execute("SELECT 1 FROM checkpoint WHERE seq = ?", (seq,)).fetchone() or not seq:
            return None
        announce_key(ledger)
        head, fold = caught_up(ledger)
        try:
            made = sign_head(ledger, head, fold)
            ledger.commit(head)
        except BaseException:
            ledger.abort()
            raise
        settle(ledger, made)
    except sqlite3.Error as error:
        raise from_sqlite(error, ledger.state.audit) from error
    except OSError as error:
        raise from_os(error, error.filename or ledger.state.keys) from error
    return made


def announce_key(ledger: Ledger) -> None:
    """Record the public half of a new signing key, so that replacing the key files later contradicts the ledger."""
    key, made = signing_key(ledger.state.keys, key_name(ledger.ident))
    if made:
        public = str(PublicKey(key_name(ledger.ident), bytes(key.verify_key)))
        ledger.append([Entry("admin", "ledger", {"verb": "signing key made", "public_key": public})])


def caught_up(ledger: Ledger) -> tuple[Head, _Fold]:
    """An open transaction and the tree up to its head; the long part is done before writers have to wait."""
    con = ledger.keeper()
    for _ in range(_TRIES):
        seen = ledger.look()
        fold = _Fold(con, seen)
        while seen.seq - fold.seq > _NEAR:
            fold.take(con.execute(_NEW, (fold.seq, min(_BATCH, seen.seq - fold.seq))).fetchall(), seen.key)
        head = ledger.begin()
        try:
            row = ledger.sql().execute("SELECT folded FROM segment WHERE number = ?", (head.segment,)).fetchone()
            if (head.epoch, head.segment, row[0]) == (seen.epoch, seen.segment, fold.start):
                fold.take(ledger.sql().execute(_NEW, (fold.seq, head.seq - fold.seq)).fetchall(), head.key)
                return head, fold
        except BaseException:
            ledger.abort()
            raise
        ledger.abort()
    raise LedgerError("busy", "other processes keep signing checkpoints")


def sign_head(ledger: Ledger, head: Head, fold: _Fold) -> Checkpoint:
    """Inside a transaction: the checkpoint over everything up to its head, and the epoch after it."""
    name = key_name(ledger.ident)
    key, _ = signing_key(ledger.state.keys, name)
    size = head.seq - head.first + 1
    root = fold.tree.root()
    at = time.time_ns() // 1_000_000
    made = Checkpoint(f"{name}/{head.segment}", head.segment, size, head.seq, root=root, epoch=head.epoch, at=at)
    lines = body(made.origin, size, root, at=at, seq=head.seq)
    made.note = sign(lines, head.epoch, seal_of(head.key, lines), key, name)
    con = ledger.sql()
    con.execute(
        "INSERT INTO checkpoint(seq, segment, size, epoch, note) VALUES(?, ?, ?, ?, ?)",
        (head.seq, head.segment, size, head.epoch, made.note),
    )
    con.executemany("INSERT INTO tile VALUES(?, ?, ?)", [(head.segment, number, hash_) for number, hash_ in fold.tiles])
    con.execute(
        "UPDATE segment SET folded = ?, peaks = ? WHERE number = ?", (size, fold.tree.packed(), head.segment)
    )
    head.epoch += 1
    head.key = evolve(head.key)
    head.moved = True
    return made


def settle(ledger: Ledger, made: Checkpoint) -> None:
    """After the commit: entries and checkpoint reach the disk before the only key that could redo them is erased."""
    ledger.flushed()
    _publish(ledger)
    epoch, key = ledger.current_key()
    if epoch > made.epoch:
        ledger.keyfile.settle(epoch, key)


def _publish(ledger: Ledger) -> None:
    """Append to the file outside the database whatever it lacks, also what an earlier crash kept from it."""
    path = f"{os.path.dirname(ledger.state.mark)}/checkpoints"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        ledger.lock_writers()
        try:
            size = os.fstat(fd).st_size
            tail = os.pread(fd, 4096, max(0, size - 4096)).decode(errors="replace")
            told = [line for line in tail.splitlines() if line.startswith("seq ") and line[4:].isdecimal()]
            last = int(told[-1][4:]) if told else 0
            notes = ledger.keeper().execute("SELECT note FROM checkpoint WHERE seq > ? ORDER BY seq", (last,)).fetchall()
            if notes:
                os.write(fd, "".join(f"{note}\n" for (note,) in notes).encode())
        finally:
            ledger.unlock_writers()
        os.fsync(fd)
    finally:
        os.close(fd)


def reseal(ledger: Ledger, actor: str) -> SealKey:
    """Sign everything under the old key, then go on under a new random one, and say so in the ledger."""
    announce_key(ledger)
    head, fold = caught_up(ledger)
    try:
        epoch = head.epoch + 1
        before = head.seq
        said = ledger.put(head, Entry("admin", actor, {"verb": "seal", "epoch": epoch}))
        rows = ledger.sql().execute(_NEW, (before, 1)).fetchall()
        fold.take(rows, head.key)
        made = sign_head(ledger, head, fold)
        fresh = os.urandom(32)
        ledger.keyfile.put(epoch, fresh, fresh=True)
        ledger.sql().execute("INSERT INTO seal(epoch, seq) VALUES(?, ?)", (epoch, said.seq))
        head.key = fresh
        ledger.commit(head)
    except BaseException:
        ledger.abort()
        raise
    ledger.forget_key()
    settle(ledger, made)
    return SealKey(ledger.ident.hex(), epoch, said.seq, fresh)
