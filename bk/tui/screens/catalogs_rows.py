"""The columns of the list of sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bk.engine.console.catalogs.sheet import Agreement, Sheet, SourceRow
from bk.tui.screens.catalogs_words import VOUCHED, bar, change, look, share, until
from bk.tui.widgets.lines import Cell, Column
from bk.tui.words import age

# what needs a person comes first
RANK = {"degraded": 0, "failing": 1, "waiting": 2, "good": 3, "new": 4, "off": 5}


class Known:
    """What the cells look at: the sheet, how far the sources agree, and what is being done to which of them."""

    __slots__ = ("agreed", "doing", "now", "sheet")

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.sheet: Sheet | None = None
        self.agreed: Agreement | None = None
        self.doing: Mapping[str, str] = {}


def columns(known: Known) -> list[Column]:
    """The columns, the least needed ones only where there is room."""

    def state(row: SourceRow) -> Cell:
        if row.name in known.doing:
            return Cell(f"… {known.doing[row.name]}", "ask")
        glyph, word, style = look(row, known.sheet.hours if known.sheet else 0, known.now())
        return Cell(f"{glyph} {word}", style)

    def news(row: SourceRow) -> Cell:
        return Cell(age(row.last_success_ms, known.now()) if row.last_success_ms else "never", "quiet")

    def tried(row: SourceRow) -> Cell:
        failed = bool(row.problem) and row.enabled
        said = age(row.last_attempt_ms, known.now()) if row.last_attempt_ms else "-"
        return Cell(f"{said} failed" if failed else said, "block" if failed else "quiet")

    def coming(row: SourceRow) -> Cell:
        return Cell(until(row.next_ms, known.now()) if row.enabled and row.next_ms else "", "quiet")

    def changed(row: SourceRow) -> Cell:
        return Cell(change(known.sheet, row.name) if known.sheet else "", "quiet")

    def moved(row: SourceRow) -> int:
        return -sum(known.sheet.changes.get(row.name, (0, 0))) if known.sheet else 0

    def agreed(row: SourceRow) -> Cell:
        whole, both = share(row, known.agreed)
        return Cell(f"{both * 100 // whole:>3}% {bar(both / whole, 5)}" if whole else "", "held")

    def name(row: SourceRow) -> Cell:
        return Cell(row.name, "" if row.enabled else "quiet")

    def entries(row: SourceRow) -> Cell:
        return Cell(f"{row.entries:,}" if row.entries else "")

    return [
        Column("SOURCE", 0, name, sort=lambda row: row.name),
        Column("STATE", 12, state, sort=lambda row: RANK.get(row.state, 9)),
        Column("NEWS", 5, news, right=True, sort=lambda row: -row.last_success_ms),
        Column("TRIED", 11, tried, right=True, needs=104, sort=lambda row: -row.last_attempt_ms),
        Column("ENTRIES", 8, entries, right=True, needs=50, sort=lambda row: -row.entries),
        Column("DELTA", 12, changed, right=True, needs=92, sort=moved),
        Column(
            "NEXT", 4, coming, right=True, needs=60, sort=lambda row: (not (row.enabled and row.next_ms), row.next_ms)
        ),
        Column(
            "VOUCHED BY",
            13,
            lambda row: Cell(VOUCHED.get(row.provenance, ""), "quiet"),
            needs=76,
            sort=lambda row: VOUCHED.get(row.provenance, "~"),
        ),
        Column("AGREED", 10, agreed, needs=72, sort=lambda row: -share(row, known.agreed)[1]),
    ]
