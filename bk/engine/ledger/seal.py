"""The epoch key on disk, and starting a fresh seal.

The key file has two slots, so that a new key is on disk before the old one is erased and a crash never leaves none.
A slot flagged `fresh` holds a key that does not follow from the one before; it counts only once the database says so.
"""

from __future__ import annotations

import os
import struct
import time

from blake3 import blake3

from bk.engine.ledger.chain import evolve
from bk.engine.ledger.errors import LedgerError, from_os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.ledger.store import Ledger

_SLOT = struct.Struct(">8sQQ32s")
_MAGIC = b"BKSEAL1\n"
_CHECK = "bk ledger key slot v1"
_STRIDE = 512
_FRESH = 1


class KeyFile:
    """`<state>/keys/seal`: the current epoch's key and nothing older."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def slots(self) -> dict[int, tuple[bytes, bool]]:
        """epoch -> (key, fresh) of every slot that is whole; a slot being rewritten meanwhile is not."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise from_os(error, self.path) from error
        try:
            for _ in range(5):
                found = _slots(os.pread(fd, 2 * _STRIDE, 0))
                if found:
                    return found
                time.sleep(0.001)
        finally:
            os.close(fd)
        raise LedgerError("corrupt", f"{self.path}: no readable key")

    def readable(self) -> bool:
        """Whether there is a key; only a ledger without entries may be given another one when there is not."""
        try:
            return bool(self.slots())
        except LedgerError as error:
            if error.cause in ("missing", "corrupt"):
                return False
            raise

    def key(self, epoch: int, started: Callable[[int], bool]) -> bytes:
        """The key of this epoch; `started` tells whether the database knows of a fresh seal in an epoch.

        A crash between the commit of a checkpoint and the rewriting of the file leaves an older key, which evolves
        into the wanted one. A newer key than the database knows means that the database was put back.
        """
        best = -1
        held = b""
        for number, (key, fresh) in self.slots().items():
            if number > epoch:
                if not fresh:
                    raise LedgerError("rolled-back", f"its epoch is {epoch}, but its key is of epoch {number}")
            elif number > best and (not fresh or started(number)):
                best, held = number, key
        if best < 0:
            raise LedgerError("corrupt", f"{self.path}: no key for epoch {epoch}")
        return evolve(held, epoch - best)

    def put(self, epoch: int, key: bytes, *, fresh: bool = False) -> None:
        """Write one slot to disk and leave the other."""
        packed = _SLOT.pack(_MAGIC, epoch, _FRESH if fresh else 0, key)
        slot = packed + blake3(packed, derive_key_context=_CHECK).digest()
        self._write(slot.ljust(_STRIDE, b"\0"), epoch % 2)

    def settle(self, epoch: int, key: bytes) -> None:
        """Make this the only key on disk."""
        self.put(epoch, key)
        self._write(bytes(_STRIDE), (epoch + 1) % 2)

    def _write(self, raw: bytes, slot: int) -> None:
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.pwrite(fd, raw, slot * _STRIDE)
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise from_os(error, self.path) from error


def _slots(raw: bytes) -> dict[int, tuple[bytes, bool]]:
    found: dict[int, tuple[bytes, bool]] = {}
    for start in (0, _STRIDE):
        packed = raw[start : start + _SLOT.size]
        check = raw[start + _SLOT.size : start + _SLOT.size + 32]
        if len(check) == 32 and check == blake3(packed, derive_key_context=_CHECK).digest():
            magic, epoch, flags, key = _SLOT.unpack(packed)
            if magic == _MAGIC:
                found[epoch] = (key, bool(flags & _FRESH))
    return found


class SealKey:
    """What a person keeps away from the machine: it verifies every link and seal from `seq` on."""

    __slots__ = ("epoch", "key", "ledger", "seq")

    def __init__(self, ledger: str, epoch: int, seq: int, key: bytes) -> None:
        self.ledger = ledger
        self.epoch = epoch
        self.seq = seq
        self.key = key

    def __str__(self) -> str:
        text = f"bkseal1:{self.ledger}:{self.epoch}:{self.seq}:{self.key.hex()}"
        return f"{text}:{_typo_check(text)}"

    @classmethod
    def parse(cls, text: str) -> SealKey:
        """The key in this text; raises ValueError when a character was lost or changed."""
        parts = text.strip().split(":")
        if len(parts) != 6 or parts[0] != "bkseal1" or _typo_check(":".join(parts[:5])) != parts[5]:
            raise ValueError("not a seal verification key, or mistyped")
        return cls(parts[1], int(parts[2]), int(parts[3]), bytes.fromhex(parts[4]))


def _typo_check(text: str) -> str:
    return blake3(text.encode()).hexdigest()[:8]


def start(ledger: Ledger, actor: str = "admin") -> str:
    """Seal with a new random key from here on; returns the verification key, which is kept nowhere else."""
    from bk.engine.ledger.checkpoint import reseal

    return str(reseal(ledger, actor))
