"""One run over the machine, how far it reached, and what became of the things of an earlier one."""

from __future__ import annotations

from bk.engine.inventory.reach import Reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.inventory.item import Item
    from bk.engine.model import Json

RUNNING, COMPLETE, PARTIAL, ERROR = "running", "complete", "partial", "error"


class Run:
    """What one run looked at, how it ended, what it counted and what it could not read.

    `problems` make a run partial. `notes` do not: they tell of what belongs to somebody else. Both are left out of
    `reach`, which is what absence is proven by.
    """

    __slots__ = (
        "counts", "directories", "ended", "id", "notes", "problems", "profile", "reach", "reused", "roots", "started",
        "status", "why",
    )  # fmt: skip

    def __init__(
        self,
        ident: int,
        profile: str,
        roots: Sequence[str],
        started: int,
        *,
        ended: int = 0,
        status: str = RUNNING,
        why: str = "",
        counts: Mapping[str, int] | None = None,
        problems: Sequence[tuple[str, str]] = (),
        notes: Sequence[tuple[str, str]] = (),
        reach: Reach | None = None,
        directories: int = 0,
        reused: int = 0,
    ) -> None:
        self.id = ident
        self.profile = profile
        self.roots = list(roots)
        self.started = started
        self.ended = ended
        self.status = status
        self.why = why
        self.counts = dict(counts or {})
        self.problems = list(problems)
        self.notes = list(notes)
        self.reach = reach or Reach()
        self.directories = directories
        self.reused = reused

    @property
    def complete(self) -> bool:
        """Whether everything that it was asked to look at was looked at."""
        return self.status == COMPLETE

    @property
    def total(self) -> int:
        """How many items it saw."""
        return sum(self.counts.values())

    def plain(self) -> dict[str, Json]:
        """The run as JSON says it."""
        return {
            "id": self.id,
            "profile": self.profile,
            "roots": list(self.roots),
            "started": self.started,
            "ended": self.ended,
            "status": self.status,
            "why": self.why,
            "counts": dict(self.counts),
            "items": self.total,
            "directories": self.directories,
            "reused": self.reused,
            "problems": [{"path": path, "why": why} for path, why in self.problems],
            "notes": [{"path": path, "why": why} for path, why in self.notes],
        }


class Diff:
    """What came, what went, and what is the same artifact told differently; `proven` is whether what went is gone."""

    __slots__ = ("added", "changed", "gone", "proven")

    def __init__(self, added: list[Item], gone: list[Item], changed: list[tuple[Item, Item]], *, proven: bool) -> None:
        self.added = added
        self.gone = gone
        self.changed = changed
        self.proven = proven
