"""What proves that a directory still says what it said: the stamps of everything that was looked at there.

A stamp holds the change time, which nobody who rewrites a file can set back. It is compared for equality only, so a
clock that jumps costs a second reading and never a missed change.
"""

from __future__ import annotations

import os
import zlib
from hashlib import blake2b
from time import time_ns

from bk.engine.inventory.place import GONE, stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.inventory.place import Stamp

SETTLED_NS = 2_000_000_000  # the coarsest clock of a file system that is in use


class Proof:
    """The paths that were looked at, below their directory, and the digest of their stamps."""

    __slots__ = ("digest", "paths")

    def __init__(self, digest: bytes, paths: bytes) -> None:
        self.digest = digest
        self.paths = paths

    @classmethod
    def none(cls) -> Proof:
        """The proof that proves nothing: the directory will be read again."""
        return cls(b"", b"")

    @classmethod
    def of(cls, path: str, stamps: Mapping[str, Stamp], started_ns: int = 0) -> Proof:
        """The proof for what was read since `started_ns`; none where something changed too recently to be told apart.

        A file that changes again within one tick of its file system's clock keeps its stamp, so stamps that are
        younger than the coarsest tick prove nothing. Neither do stamps from the future.
        """
        until = (started_ns or time_ns()) - SETTLED_NS
        if any(stamp[2] > until for stamp in stamps.values()):
            return cls.none()
        cut = len(path) + 1
        subs = [one[cut:] if one.startswith(f"{path}/") else one for one in stamps if one != path]
        packed = zlib.compress(os.fsencode("\0".join(subs)), 1)
        return cls(_digest([stamps[path], *(stamp for one, stamp in stamps.items() if one != path)]), packed)

    def holds(self, path: str, own: Stamp) -> bool:
        """Whether everything is as it was; `own` is the directory's stamp now."""
        if not self.digest:
            return False
        stamps = [own]
        joined = os.fsdecode(zlib.decompress(self.paths))
        if joined:
            look, front = os.lstat, path + "/"
            for sub in joined.split("\0"):
                try:
                    info = look(sub if sub[:1] == "/" else front + sub)
                except (OSError, ValueError):
                    stamps.append(GONE)
                else:
                    stamps.append(stamp_of(info))
        return _digest(stamps) == self.digest


def _digest(stamps: list[Stamp]) -> bytes:
    return blake2b(repr(stamps).encode(), digest_size=16).digest()
