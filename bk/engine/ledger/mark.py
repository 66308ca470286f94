"""The high-water mark: how far the ledger had come, kept outside the database so that going back is noticed.

One preallocated file, written in place: the record (who, where, chain value), how far the disk is known to hold it,
and a ring with a tag of each of the last 4096 chain values, which is what tells where two histories part. Its flock
is also the queue in which writers of all processes wait, because SQLite's own waiting is a poll with long sleeps.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time

from blake3 import blake3

from bk.engine.ledger.errors import LedgerError, from_os

_RECORD = struct.Struct(">8s16s16sQQQ32s")
_SYNCED = struct.Struct(">8s16sQ")
_SLOT = struct.Struct(">Q8s")
_MAGIC = b"BKMARK1\n"
_CHECK = "bk ledger mark v1"
_SYNCED_AT = 512
_RING_AT = 4096
SLOTS = 4096
_SIZE = _RING_AT + SLOTS * _SLOT.size
_PATIENCE = 5.0
_BOOT = "/proc/sys/kernel/random/boot_id"


class Record:
    """How far the ledger had come when an append last returned."""

    __slots__ = ("boot", "epoch", "ledger", "mac", "segment", "seq")

    def __init__(self, ledger: bytes, boot: bytes, *, epoch: int, segment: int, seq: int, mac: bytes) -> None:
        self.ledger = ledger
        self.boot = boot
        self.epoch = epoch
        self.segment = segment
        self.seq = seq
        self.mac = mac


def boot_id() -> bytes:
    """Which boot this is: only a power cut may cost the tail that was not yet synced."""
    try:
        with open(_BOOT, encoding="ascii") as file:
            return bytes.fromhex(file.read().strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


def _checked(packed: bytes) -> bytes:
    return packed + blake3(packed, derive_key_context=_CHECK).digest()


def _opened(raw: bytes, size: int) -> bytes:
    """The bytes before a checksum that holds, else nothing."""
    packed = raw[:size]
    return packed if raw[size : size + 32] == blake3(packed, derive_key_context=_CHECK).digest() else b""


def wait_for(fd: int, path: str, patience: float, mode: int = fcntl.LOCK_EX) -> None:
    """Take a lock, but never wait longer than a caller's deadline can bear."""
    give_up = 0.0
    pause = 0.0001
    while True:
        try:
            fcntl.flock(fd, mode | fcntl.LOCK_NB)
        except BlockingIOError as error:
            now = time.monotonic()
            give_up = give_up or now + patience
            if now >= give_up:
                raise LedgerError("busy", f"{path} stayed locked for {patience:g} s") from error
            time.sleep(pause)
            pause = min(pause * 2, 0.002)
        else:
            return


class Mark:
    """The open mark file. Whoever holds its lock may write the ledger."""

    __slots__ = ("fd", "path")

    def __init__(self, path: str, *, create: bool = False) -> None:
        self.path = path
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0), 0o600)
        except OSError as error:
            raise from_os(error, path) from error

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)

    def lock(self, patience: float = _PATIENCE) -> None:
        """Wait for the right to write."""
        wait_for(self.fd, self.path, patience)

    def unlock(self) -> None:
        """Let the next writer in."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def empty(self) -> bool:
        """Whether no ledger was ever begun with this mark."""
        return os.fstat(self.fd).st_size == 0

    def read(self) -> Record:
        """The record; an unreadable one is damage, never a fresh start."""
        size = _RECORD.size
        for _ in range(3):  # a reader does not hold the lock and may meet a half-written record
            packed = _opened(os.pread(self.fd, size + 32, 0), size)
            if packed and packed[:8] == _MAGIC:
                _, ledger, boot, epoch, segment, seq, mac = _RECORD.unpack(packed)
                return Record(ledger, boot, epoch=epoch, segment=segment, seq=seq, mac=mac)
            time.sleep(0.001)
        raise LedgerError("corrupt", f"{self.path}: the high-water mark is unreadable")

    def begin(self, record: Record) -> None:
        """Lay the whole file out on disk, so that raising it later never needs room."""
        try:
            self.put(record)
            os.pwrite(self.fd, bytes(_SIZE - _SYNCED_AT), _SYNCED_AT)
            os.fsync(self.fd)
        except OSError:
            os.ftruncate(self.fd, 0)
            raise
        to_disk(os.path.dirname(self.path))

    def put(self, record: Record) -> None:
        """Set the record; the caller holds the lock."""
        packed = _RECORD.pack(_MAGIC, record.ledger, record.boot, record.epoch, record.segment, record.seq, record.mac)
        os.pwrite(self.fd, _checked(packed), 0)

    def raise_to(self, record: Record, macs: list[bytes]) -> None:
        """Raise the mark over entries just committed, whose chain values are `macs`; the caller holds the lock."""
        seq = record.seq - len(macs)
        for mac in macs:
            seq += 1
            os.pwrite(self.fd, _SLOT.pack(seq, mac[:8]), _RING_AT + seq % SLOTS * _SLOT.size)
        self.put(record)

    def tags(self) -> dict[int, bytes]:
        """The remembered tags by sequence number, for finding where two histories part."""
        raw = os.pread(self.fd, SLOTS * _SLOT.size, _RING_AT)
        whole = raw[: len(raw) // _SLOT.size * _SLOT.size]
        return {seq: tag for seq, tag in _SLOT.iter_unpack(whole) if seq}

    def synced(self) -> tuple[bytes, int]:
        """The boot in which, and the sequence number up to which, the disk is known to hold the entries."""
        packed = _opened(os.pread(self.fd, _SYNCED.size + 32, _SYNCED_AT), _SYNCED.size)
        if not packed:
            return bytes(16), 0
        _, boot, seq = _SYNCED.unpack(packed)
        return boot, seq

    def set_synced(self, boot: bytes, seq: int, *, lower: bool = False) -> None:
        """Note what a completed fdatasync covers; the caller holds the lock."""
        if lower or seq > self.synced()[1]:
            os.pwrite(self.fd, _checked(_SYNCED.pack(_MAGIC, boot, seq)), _SYNCED_AT)

    def flush(self) -> None:
        """Bring the mark itself to the disk."""
        os.fdatasync(self.fd)


def hold(mark_path: str, *, alone: bool = False) -> int:
    """A lock that every open ledger shares; recovery takes it alone, because it moves files that others hold open."""
    path = f"{os.path.dirname(mark_path)}/users.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        wait_for(fd, path, 2.0, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    except BaseException:
        os.close(fd)
        raise
    return fd


def to_disk(path: str) -> None:
    """Sync a directory or a file; never a database that this process has open, whose locks closing it would drop."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
