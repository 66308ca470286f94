"""One pass that may move things at a time: of two, one would find gone what the other is just taking, and say so."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.state import State

FILE = "responder.lock"
WAIT_S = 300.0


@contextmanager
def alone(state: State, wait_s: float = WAIT_S) -> Iterator[None]:
    """Wait until no other process passes; the lock ends with its process, however that ends."""
    path = f"{state.root}/{FILE}"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        until = time.monotonic() + wait_s
        while not _locked(fd):
            if time.monotonic() > until:
                raise BkError("another pass of the responder does not end", path, f"find it with: fuser {path}")
            time.sleep(0.05)
        yield
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
