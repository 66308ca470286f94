"""The folder of stand-ins: put in, taken out, and whether each of them really comes first on the PATH."""

from __future__ import annotations

import os
from contextlib import suppress

from bk.engine.errors import USAGE, BkError
from bk.engine.shims.stand_in import MANAGERS, MARK, interpreter, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Json
    from bk.engine.state import State


class Shim:
    """One stand-in: whether it comes before the real program on this PATH, and where that one is."""

    __slots__ = ("first", "name", "real")

    def __init__(self, name: str, real: str, *, first: bool) -> None:
        self.name = name
        self.real = real
        self.first = first

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {"name": self.name, "real": self.real, "effective": self.first}


def folder(state: State) -> str:
    """Where stand-ins are."""
    return f"{state.root}/shims"


def install(state: State, names: Sequence[str], guard: str) -> list[str]:
    """Put stand-ins for these managers; which of them were not there as they should be."""
    for name in names:
        if name not in MANAGERS:
            raise BkError(f"bk has no stand-in for {name}", f"known: {', '.join(MANAGERS)}", code=USAGE)
    state.ensure()
    here = folder(state)
    os.makedirs(here, 0o700, exist_ok=True)
    made = []
    for name in dict.fromkeys(names):
        wanted = text(name, python=interpreter(), guard=guard, folder=os.path.realpath(here)).encode()
        path = f"{here}/{name}"
        if _read(path) == wanted and os.access(path, os.X_OK):
            continue
        if os.path.lexists(path) and MARK not in _read(path)[:200]:
            raise BkError(f"{path} is no stand-in of ours", "it was left alone", "move it away, then try again")
        with open(f"{path}.new", "wb") as file:
            file.write(wanted)
            os.fchmod(file.fileno(), 0o755)
        os.rename(f"{path}.new", path)
        made.append(name)
    return made


def uninstall(state: State, names: Sequence[str]) -> list[str]:
    """Take stand-ins away (all when none is named); which were there."""
    here = folder(state)
    there = [each.name for each in status(state, "")]
    gone = [name for name in (names or there) if name in there]
    for name in gone:
        os.unlink(f"{here}/{name}")
    with suppress(OSError):  # somebody has put something there
        os.rmdir(here)
    return gone


def status(state: State, path: str) -> list[Shim]:
    """Every stand-in, and whether it is what a shell with this PATH would start."""
    here = folder(state)
    try:
        names = sorted(os.listdir(here))
    except FileNotFoundError:
        return []
    return [_standing(name, here, path) for name in names if MARK in _read(f"{here}/{name}")[:200]]


def _standing(name: str, here: str, path: str) -> Shim:
    first, ours = "", os.path.realpath(here)
    for each in path.split(os.pathsep):
        if os.path.realpath(each or ".") == ours:
            first = first or here
        elif os.access(f"{each}/{name}", os.X_OK):
            return Shim(name, f"{each}/{name}", first=first == here)
    return Shim(name, "", first=first == here)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(65_536)
    except OSError:
        return b""
