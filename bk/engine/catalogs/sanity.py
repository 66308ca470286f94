"""Whether a source's news may be believed at once, or waits for a person: counts in, reasons out. Pure.

What is counted is what could block something: a listed version, an interval, a wildcard, each with its severity. So an
entry that becomes critical, or a record that gains a thousand versions, counts like new entries do.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bk.engine.model import Json

DAY_MS = 86_400_000
FEW = 20  # so many of one kind may always go: small ecosystems would otherwise hold up everybody's news
MOSTLY = 0.5
TOTAL = "all"


class Limits:
    """What a person allows: the `catalog_sync` settings."""

    __slots__ = ("max_new", "max_new_percent", "max_removed_percent")

    def __init__(self, max_new: int, max_new_percent: int, max_removed_percent: int) -> None:
        self.max_new = max_new
        self.max_new_percent = max_new_percent
        self.max_removed_percent = max_removed_percent

    @classmethod
    def of(cls, values: Mapping[str, Json]) -> Limits:
        """From the settings in force."""
        return cls(*(int(values[f"catalog_sync.{name}"]) for name in cls.__slots__))

    def new(self, held: int) -> int:
        """How many may be new within a day where so many are held."""
        return max(self.max_new, held * self.max_new_percent // 100)

    def removed(self, held: int) -> int:
        """How many may go within a day where so many are held."""
        return max(FEW, held * self.max_removed_percent // 100)


class Change:
    """How one ecosystem of one source changed: what was held, what is new, what was dropped and what withdrawn."""

    __slots__ = ("added", "dropped", "held", "withdrawn")

    def __init__(self, held: int = 0, added: int = 0, dropped: int = 0, withdrawn: int = 0) -> None:
        self.held = held
        self.added = added
        self.dropped = dropped
        self.withdrawn = withdrawn

    @property
    def removed(self) -> int:
        """What is not said any more, for whatever reason."""
        return self.dropped + self.withdrawn


class Shape:
    """What the news looks like in itself: entries read and left out, wrongly silenced facts, its proof and serial."""

    __slots__ = ("bundled", "left_out", "proven", "read", "serial", "silenced")

    def __init__(
        self,
        read: int,
        left_out: int = 0,
        *,
        proven: bool = True,
        serial: int = 0,
        silenced: int = 0,
        bundled: int = 0,
    ) -> None:
        self.read = read
        self.left_out = left_out
        self.proven = proven
        self.serial = serial
        self.silenced = silenced
        self.bundled = bundled


class Moment:
    """A point in time that survives a clock that is set: the wall clock, and how long this boot has lasted."""

    __slots__ = ("boot", "now_ms", "up_ms")

    def __init__(self, now_ms: int, boot: str = "", up_ms: int = 0) -> None:
        self.now_ms = now_ms
        self.boot = boot
        self.up_ms = up_ms

    def age_ms(self, row: Mapping[str, Json]) -> int:
        """How old a row is: by this boot's own clock where it can be; never less than nothing."""
        if self.boot and row.get("boot") == self.boot:
            return max(0, self.up_ms - int(row["up_ms"]))
        return max(0, self.now_ms - int(row["at_ms"]))

    def row(self, changes: Mapping[str, Change]) -> dict[str, Json]:
        """What to keep of this moment's changes."""
        counts = {name: [change.added, change.removed] for name, change in changes.items()}
        return {"at_ms": self.now_ms, "boot": self.boot, "up_ms": self.up_ms, "counts": counts}


def within_day(rows: Iterable[Mapping[str, Json]], moment: Moment) -> list[Mapping[str, Json]]:
    """The rows that still count."""
    return [row for row in rows if moment.age_ms(row) < DAY_MS]


def spent(rows: Iterable[Mapping[str, Json]]) -> dict[str, tuple[int, int]]:
    """By ecosystem, how much was added and removed in these rows."""
    total: dict[str, tuple[int, int]] = {}
    for row in rows:
        for name, (added, removed) in row["counts"].items():
            known = total.get(name, (0, 0))
            total[name] = (known[0] + added, known[1] + removed)
    return total


def judge(
    changes: Mapping[str, Change],
    shape: Shape,
    before: Shape | None,
    limits: Limits,
    used: Mapping[str, tuple[int, int]],
) -> list[str]:
    """Why the news must wait, in words; nothing when it need not. `before` is None for a source's first news.

    The first import has nothing to be compared with, so only its shape is looked at. `used` is what the last day's
    accepted news already added and removed.
    """
    reasons = list(_misshapen(shape))
    if before is None:
        return reasons
    if before.proven and not shape.proven:
        reasons.append("nobody vouches for it any more: its entries would lose their voice")
    if shape.serial < before.serial:
        reasons.append(f"its serial went back from {before.serial} to {shape.serial}")
    whole = _whole(changes.values())
    sums = [sum(each[at] for each in used.values()) for at in (0, 1)]
    reasons += _limits(TOTAL, whole, (sums[0], sums[1]), limits)
    if not reasons:
        for name, change in sorted(changes.items()):
            reasons += _limits(name, change, used.get(name, (0, 0)), limits)
    return reasons


def _misshapen(shape: Shape) -> Iterable[str]:
    total = shape.read + shape.left_out
    if shape.left_out and not shape.read:
        yield f"none of its {shape.left_out} entries can be used"
        return
    if total > FEW and shape.left_out > total * MOSTLY:
        yield f"{shape.left_out} of its {total} entries name packages that cannot be"
    if shape.silenced > max(FEW, shape.bundled * MOSTLY):
        yield f"it withdraws {shape.silenced} of the {shape.bundled} facts that bk itself brings of it"


def _limits(name: str, change: Change, used: tuple[int, int], limits: Limits) -> Sequence[str]:
    """What one ecosystem, or all together, does too much of."""
    where = "" if name == TOTAL else f" in {name}"
    reasons = []
    before = max(0, change.held - used[0] + used[1])  # what was held a day ago is what shares are taken of
    if change.added and change.added + used[0] > limits.new(before):
        lately = f", after {used[0]} within a day" if used[0] else ""
        reasons.append(f"{change.added} new entries{where}{lately}, where {limits.new(before)} are allowed")
    if change.removed and change.removed + used[1] > limits.removed(before):
        lately = f", after {used[1]} within a day" if used[1] else ""
        gone = f"{change.removed} entries{where} would go ({change.withdrawn} withdrawn){lately}"
        reasons.append(f"{gone}, where {limits.removed(before)} of {before} may")
    return reasons


def _whole(changes: Iterable[Change]) -> Change:
    whole = Change()
    for change in changes:
        whole.held += change.held
        whole.added += change.added
        whole.dropped += change.dropped
        whole.withdrawn += change.withdrawn
    return whole
