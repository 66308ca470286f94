"""Signing what is new: verify it once more, fold it into the tree, sign the root, let the key evolve."""

from __future__ import annotations

import os
import sqlite3
import time

from blake3 import blake3

from bk.engine.ledger.chain import evolve
from bk.engine.ledger.errors import LedgerError, from_os, from_sqlite
from bk.engine.ledger.mark import wait_for
from bk.engine.ledger.merkle import Frontier, leaf_hash
from bk.engine.ledger.note import body, sign, signing_key
from bk.engine.ledger.seal import SealKey
from bk.engine.model import Entry
from bk.engine.notes import PublicKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from nacl.signing import SigningKey

    from bk.engine.ledger.store import Head, Ledger
    from bk.engine.state import State

_SEAL = "bk ledger checkpoint v1"
_BATCH = 512
_NEAR = 64  # entries that may remain to be checked while writers wait
_PATIENCE = 30.0
_NEW = "SELECT seq, CAST(body AS BLOB), leaf, mac FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"


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


class Fold:
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
        """Add these entries, each checked against the chain first."""
        leaves = []
        for seq, text, leaf, mac in rows:
            self.seq += 1
            if seq != self.seq or leaf_hash(text) != leaf or blake3(self.mac + leaf, key=key).digest() != mac:
                raise LedgerError("corrupt", f"entry {self.seq} is not what was recorded; it is not signed")
            self.mac = mac
            leaves.append(leaf)
        self.tiles += self.tree.extend(leaves)


class Signing:
    """The right to sign, one holder among all processes: an epoch's key may be replaced only by who ended the epoch."""

    __slots__ = ("fd", "key", "ledger", "public")

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.fd = -1

    def __enter__(self) -> Self:
        path = notes_path(self.ledger.state)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            wait_for(self.fd, path, _PATIENCE)
            name = key_name(self.ledger.ident)
            self.key: SigningKey = signing_key(self.ledger.state.keys, name)
            self.public = PublicKey(name, bytes(self.key.verify_key))
            self._announce()
        except BaseException:
            os.close(self.fd)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def _announce(self) -> None:
        """Record who signs, so that replacing the key files later contradicts the ledger."""
        ledger = self.ledger
        key = f"signer/{ledger.look().segment}"
        row = ledger.keeper().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row and row[0].partition(" ")[2] == str(self.public):
            return
        data = {"verb": "signing key", "public_key": str(self.public)}
        head = ledger.begin()
        try:
            said = ledger.put(head, Entry("admin", "ledger", data, level="warn" if row else ""))
            self.named_at(head.segment, said.seq)
            ledger.commit(head)
        except BaseException:
            ledger.abort()
            raise

    def named_at(self, segment: int, seq: int) -> None:
        """Inside a transaction: which entry of a segment names the signer."""
        values = (f"signer/{segment}", f"{seq} {self.public}")
        self.ledger.sql().execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", values)

    def caught_up(self) -> tuple[Head, Fold]:
        """An open transaction and the tree up to its head; the long part is done before writers have to wait."""
        ledger = self.ledger
        con = ledger.keeper()
        seen = ledger.look()
        key = ledger.key_of(seen.epoch)
        fold = Fold(con, seen)
        while seen.seq - fold.seq > _NEAR:
            fold.take(con.execute(_NEW, (fold.seq, min(_BATCH, seen.seq - fold.seq))).fetchall(), key)
        head = ledger.begin()
        try:
            fold.take(ledger.sql().execute(_NEW, (fold.seq, head.seq - fold.seq)).fetchall(), head.key)
        except BaseException:
            ledger.abort()
            raise
        return head, fold

    def sign(self, head: Head, fold: Fold) -> Checkpoint:
        """Inside a transaction: the checkpoint over everything up to its head, and the epoch after it."""
        size = head.seq - head.first + 1
        if fold.seq < head.seq:
            fold.take(self.ledger.sql().execute(_NEW, (fold.seq, head.seq - fold.seq)).fetchall(), head.key)
        root = fold.tree.root()
        at = time.time_ns() // 1_000_000
        origin = f"{self.public.name}/{head.segment}"
        made = Checkpoint(origin, head.segment, size, head.seq, root=root, epoch=head.epoch, at=at)
        lines = body(origin, size, root, at=at, seq=head.seq)
        made.note = sign(lines, head.epoch, seal_of(head.key, lines), self.key, self.public.name)
        con = self.ledger.sql()
        con.execute(
            "INSERT INTO checkpoint(seq, segment, size, epoch, note) VALUES(?, ?, ?, ?, ?)",
            (head.seq, head.segment, size, head.epoch, made.note),
        )
        con.executemany("INSERT INTO tile VALUES(?, ?, ?)", [(head.segment, *tile) for tile in fold.tiles])
        con.execute(
            "UPDATE segment SET folded = ?, peaks = ? WHERE number = ?", (size, fold.tree.packed(), head.segment)
        )
        head.epoch += 1
        head.key = evolve(head.key)
        head.moved = True
        return made

    def settle(self) -> None:
        """After the commit: all of it reaches the disk before the only key that could redo it is erased."""
        ledger = self.ledger
        ledger.flushed()
        size = os.fstat(self.fd).st_size
        tail = os.pread(self.fd, 4096, max(0, size - 4096)).decode(errors="replace")
        told = [line for line in tail.splitlines() if line.startswith("seq ") and line[4:].isdecimal()]
        last = int(told[-1][4:]) if told else 0
        notes = ledger.keeper().execute("SELECT note FROM checkpoint WHERE seq > ? ORDER BY seq", (last,)).fetchall()
        if notes:
            os.write(self.fd, "".join(f"{note}\n" for (note,) in notes).encode())
            os.fsync(self.fd)
        ledger.forget_key()
        seen = ledger.look()
        ledger.keyfile.settle(seen.epoch, ledger.key_of(seen.epoch))


def notes_path(state: State) -> str:
    """Every checkpoint once more, outside the database."""
    return f"{os.path.dirname(state.mark)}/checkpoints"


def sign_new(ledger: Ledger) -> Checkpoint | None:
    """Sign what came since the last checkpoint; None when nothing did."""
    try:
        if _nothing_new(ledger):
            return None
        with Signing(ledger) as signing:
            if _nothing_new(ledger):
                return None
            head, fold = signing.caught_up()
            try:
                made = signing.sign(head, fold)
                ledger.commit(head)
            except BaseException:
                ledger.abort()
                raise
            signing.settle()
    except sqlite3.Error as error:
        raise from_sqlite(error, ledger.state.audit) from error
    except OSError as error:
        raise from_os(error, error.filename or ledger.state.keys) from error
    return made


def _nothing_new(ledger: Ledger) -> bool:
    head = ledger.look()
    if head.seq < head.first:
        return True
    return bool(ledger.keeper().execute("SELECT 1 FROM checkpoint WHERE seq = ?", (head.seq,)).fetchone())


def reseal(ledger: Ledger, actor: str) -> SealKey:
    """Sign everything under the old key, then go on under a new random one, and say so in the ledger."""
    with Signing(ledger) as signing:
        head, fold = signing.caught_up()
        try:
            epoch = head.epoch + 1
            said = ledger.put(head, Entry("admin", actor, {"verb": "seal", "epoch": epoch}))
            signing.sign(head, fold)
            fresh = os.urandom(32)
            ledger.keyfile.put(epoch, fresh, fresh=True)
            ledger.sql().execute("INSERT INTO seal(epoch, seq) VALUES(?, ?)", (epoch, said.seq))
            ledger.commit(head)
        except BaseException:
            ledger.abort()
            raise
        signing.settle()
    return SealKey(ledger.ident.hex(), epoch, said.seq, fresh)
