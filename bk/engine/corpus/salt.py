"""The salt of this installation: what makes a fingerprint of a folder or a machine say nothing to anybody else."""

from __future__ import annotations

import os
import re

from bk.engine.corpus import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

NAME = "corpus.salt"
SIZE = 32
_HEX = re.compile(rb"[0-9a-f]{64}\n?")


def salt(state: State) -> bytes:
    """The 32 bytes, made on the first call; a file that holds anything else is an error, never a reason for new ones.

    A new salt would silently make every fingerprint that was kept before the fingerprint of something else.
    """
    path = f"{state.root}/{NAME}"
    data = once.kept(path, lambda: os.urandom(SIZE).hex().encode() + b"\n", state.owner)
    if not _HEX.fullmatch(data):
        raise once.unfit(path, f"it does not hold {SIZE} bytes as {2 * SIZE} hexadecimal digits")
    return bytes.fromhex(data.decode())
