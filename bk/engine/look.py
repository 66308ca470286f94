"""Lowering with open eyes: the few local files that it asks for are read, bounded and harmlessly.

What was read is named by digest in the record, so that a replay can tell whether it saw the same.
"""

from __future__ import annotations

import os
import stat

from blake3 import blake3

from bk.engine.lower import Look, lower
from bk.engine.trail.steps import secret_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Json, ToolCall
    from bk.engine.trail.store import Tracks

MAX_FILES = 32
MAX_BYTES = 256 << 10
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Lowered:
    """The actions of a call, the files that were read for them, what its session's trail answered, and the facts that
    it was judged by, for whoever writes it down."""

    __slots__ = ("actions", "facts", "looked", "trail")

    def __init__(self, actions: list[Action], looked: list[list[Json]], trail: Tracks) -> None:
        self.actions = actions
        self.facts: Facts | None = None
        self.looked = looked
        self.trail = trail


def lowered(call: ToolCall, trail: Tracks) -> Lowered:
    """Lower a call; the files whose text decides what it does are read as lowering asks for them."""
    looked: list[list[Json]] = []
    look = Look(call.claims, None, trail, _reader(call.home, looked))
    return Lowered(lower(call, look), looked, trail)


def _reader(home: str, looked: list[list[Json]]) -> Callable[[str], str | None]:
    """What gets a file for lowering and notes it in `looked`; a call gets no more than its share."""
    parts = home.lower().strip("/").split("/") if home.strip("/") else []

    def fetch(path: str) -> str | None:
        if len(looked) >= MAX_FILES:
            return None
        text, told = take(path, parts)
        looked.append([path, *told])
        return text

    return fetch


def seeing(call: ToolCall, trail: Tracks) -> Look:
    """A look that fetches what it is asked for and keeps it, for whoever wants to lower the call again."""
    return Look(call.claims, None, trail, _reader(call.home, []))


def take(path: str, home: list[str], most: int = MAX_BYTES) -> tuple[str | None, list[str]]:
    """The text of a plain file, and its digest (and where it really lies); or None, and why not.

    What is opened is looked at by what it is, not by what it is called: no pipe or device is waited for, and a link
    to a place of secrets is such a place.
    """
    if not path.startswith("/") or "\0" in path:
        return None, ["no path"]
    if secret_place(path, home):
        return None, ["secret"]
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None, ["special"]
        fd = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None, ["absent"]
    except (OSError, ValueError):
        return None, ["unreadable"]
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            return None, ["special"]
        real = os.readlink(f"/proc/self/fd/{fd}")
        if real != path and secret_place(real, home):
            return None, ["secret"]
        if info.st_size > most:
            return None, ["large"]
        data = b""
        while len(data) <= most and (part := os.read(fd, most + 1 - len(data))):
            data += part
    except OSError:
        return None, ["unreadable"]
    finally:
        os.close(fd)
    if len(data) > most:
        return None, ["large"]
    where = [real] if real != path else []
    return data.decode(errors="replace"), [blake3(data).hexdigest(16), *where]
