"""How much one run may look at: every bound that is met makes the run partial, and the run says which."""

from __future__ import annotations

TEXT_MAX = 5 << 20


class Limits:
    """The bounds of one run."""

    __slots__ = ("depth", "entries", "items", "read", "seconds")

    def __init__(
        self,
        *,
        seconds: float = 600.0,
        depth: int = 64,
        entries: int = 20_000_000,
        items: int = 2_000_000,
        read: int = 8 << 30,
    ) -> None:
        self.seconds = seconds
        self.depth = depth
        self.entries = entries
        self.items = items
        self.read = read


class LimitMet(Exception):  # noqa: N818 - it ends a run early, which is an answer
    """A bound of the run was met; `what` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
