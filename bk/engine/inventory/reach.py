"""How far a run got: the trees that it went through, and the places in them of which it does not know everything.

Absence is proven for a place and not for a run: one folder that could not be listed hides what lies in it, and says
nothing about the rest of the machine.
"""

from __future__ import annotations

import os

from bk.engine.inventory.place import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_INTO = frozenset((".git", ".hg", ".svn", ".jj", "CVS", ".bzr", "__pycache__", ".Trash", "$RECYCLE.BIN"))
BLIND_MAX = 10_000


class Reach:
    """`roots` are the trees that were gone through to their end, each with how deep; `blind` is what was not read."""

    __slots__ = ("blind", "roots")

    def __init__(self, roots: Iterable[tuple[str, int]] = (), blind: Iterable[str] = ()) -> None:
        self.blind = frozenset(blind)
        self.roots = [] if len(self.blind) > BLIND_MAX else list(roots)

    def covers(self, file: str) -> bool:
        """Whether whatever is said by this file would have been seen."""
        folder = file.rpartition("/")[0]
        return not self.spoiled(file) and any(_down(folder, root) <= depth for root, depth in self.roots)

    def spoiled(self, path: str) -> bool:
        """Whether something on the way to it, or it itself, could not be read."""
        while path:
            if path in self.blind:
                return True
            path = path.rpartition("/")[0]
        return "/" in self.blind

    def plain(self) -> list[object]:
        """As it is kept."""
        return [self.roots, sorted(self.blind)]


def _down(folder: str, root: str) -> float:
    """How many directories lie between a root and a folder; without end where the walk does not go."""
    front = root.rstrip("/") + "/"
    if folder == root:
        return 0
    if not folder.startswith(front):
        return float("inf")
    way = folder[len(front) :].split("/")
    return float("inf") if NOT_INTO.intersection(way) else len(way)


def vanished(path: str) -> bool:
    """Whether nothing is there, by the word of the file system: what may not be looked at may be there."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno in MISSING
    except ValueError:
        return False
    return False
