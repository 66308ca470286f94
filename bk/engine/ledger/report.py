"""What a verification found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

_MOST = 100


class Problem:
    """Something that must not be: the first sequence number it concerns, up to which, its kind, and what was seen.

    Kinds: `edited deleted inserted reordered truncated missing rolled-back forked foreign-key bad-checkpoint unsealed
    corrupt`.
    """

    __slots__ = ("detail", "kind", "last", "seq")

    def __init__(self, seq: int, kind: str, detail: str, last: int = 0) -> None:
        self.seq = seq
        self.kind = kind
        self.detail = detail
        self.last = last or seq

    def __repr__(self) -> str:
        return f"Problem({self})"

    def __str__(self) -> str:
        span = f"entry {self.seq}" if self.seq == self.last else f"entries {self.seq}..{self.last}"
        return f"{span}: {self.kind}: {self.detail}"


class Good:
    """The newest checkpoint that still holds."""

    __slots__ = ("at", "note", "segment", "seq", "size")

    def __init__(self, segment: int, size: int, seq: int, at: int, note: str) -> None:
        self.segment = segment
        self.size = size
        self.seq = seq
        self.at = at
        self.note = note


class Report:
    """The outcome. `notes` tells what is worth knowing but is no tampering: a clock set back, a declared loss."""

    __slots__ = (
        "checkpoints", "entries", "first", "last", "last_good_checkpoint", "links", "more", "notes", "problems",
        "segments", "signatures", "unsealed_tail",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entries = 0
        self.checkpoints = 0
        self.segments = 0
        self.links = 0
        self.signatures = 0
        self.first = 0
        self.last = 0
        self.problems: list[Problem] = []
        self.more = 0
        self.notes: list[str] = []
        self.last_good_checkpoint: Good | None = None
        self.unsealed_tail = 0

    @property
    def ok(self) -> bool:
        """Whether everything that could be checked holds."""
        return not self.problems

    def add(self, seq: int, kind: str, detail: str, last: int = 0) -> None:
        """One more problem; a run of the same kind over neighbouring entries is one."""
        if self.problems:
            before = self.problems[-1]
            if before.kind == kind and before.last + 1 == seq:
                before.last = last or seq
                return
        if len(self.problems) < _MOST:
            self.problems.append(Problem(seq, kind, detail, last))
        else:
            self.more += 1

    def doubt(self, seq: int) -> None:
        """Take back what was said of this one entry just before, because more is known now."""
        if self.problems and (self.problems[-1].seq, self.problems[-1].last) == (seq, seq):
            self.problems.pop()

    def sort(self) -> None:
        """The first bad entry first."""
        self.problems.sort(key=lambda problem: problem.seq)

    def as_json(self) -> dict[str, Json]:
        """The report for programs."""
        good = self.last_good_checkpoint
        return {
            "ok": self.ok,
            "entries": self.entries,
            "first": self.first,
            "last": self.last,
            "segments": self.segments,
            "checkpoints": self.checkpoints,
            "signatures_checked": self.signatures,
            "links_checked": self.links,
            "unsealed_tail": self.unsealed_tail,
            "last_good_checkpoint": None
            if good is None
            else {"segment": good.segment, "size": good.size, "seq": good.seq, "at": good.at, "note": good.note},
            "problems": [
                {"seq": each.seq, "last": each.last, "kind": each.kind, "detail": each.detail} for each in self.problems
            ],
            "more_problems": self.more,
            "notes": list(self.notes),
        }
