"""What a replay of recorded calls came to, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bk.cli.audit_words import clock
from bk.cli.paint import LEVELS, dim, paint, width
from bk.engine.console.audit import now
from bk.engine.console.whatif import FLIPS_MAX, WHY_NOT
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.whatif import Flip, Result

SHOWN = 40


def outcome(result: Result, *, against_then: bool) -> Iterator[str]:
    """The flips, then the counts, then what could not be told."""
    cells = width()
    for flip in result.flips[:SHOWN]:
        yield line(flip, cells)
    if result.flipped > SHOWN:
        kept = f"; --json lists {min(FLIPS_MAX, result.flipped):,}" if result.flipped > SHOWN else ""
        yield dim(f"… and {result.flipped - min(SHOWN, len(result.flips)):,} more{kept}")
    if result.flips:
        yield ""
    told = ", ".join(f"{many:,} {what}" for what, many in result.counts.items() if many)
    against = "what was answered then" if against_then else "what holds now"
    told = told or "nothing would flip"
    yield f"{result.replayed:,} of {result.calls:,} recorded calls were replayed against {against}: {told}"
    for what, many in result.left_out.items():
        if many:
            yield dim(f"{many:,} cannot be replayed: {WHY_NOT[what]}")
    if result.drifted and not against_then:
        yield dim(f"{result.drifted:,} are answered otherwise today than they were then, with or without the change")
    if result.cancelled:
        yield "stopped early: the rest was not looked at"


def line(flip: Flip, cells: int) -> str:
    """One call that would be answered otherwise."""
    head = f"#{flip.seq:<8} {clock(flip.at, now())}  {flip.before:>10} -> "
    rules = ", ".join(flip.rules[:2])
    room = max(20, cells - len(head) - 14)
    text = inert(f"{flip.subject}  [{rules}]" if rules else flip.subject, room)
    return f"{head}{paint(f'{flip.after:<10}', LEVELS.get(flip.after, ''))}  {text}"
