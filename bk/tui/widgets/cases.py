"""The incidents: what waits for a person, open ones first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bk.tui.widgets.lines import Cell, Column, Key, LineList
from bk.tui.words import LEVELS, STATES, age

if TYPE_CHECKING:
    from bk.engine.console.incidents import Case


class Cases(LineList):
    """Incidents, selected by id."""

    def __init__(self, now: Callable[[], int], *, id: str) -> None:  # noqa: A002 - the library's word
        super().__init__(id=id)
        self._now = now
        self._cases: list[Case] = []
        self.can_focus = False

    def show(self, cases: list[Case]) -> None:
        """Replace the rows; the selected incident stays selected."""
        self._cases = cases
        self.rows_changed(keep=False)
        self.reveal()

    @property
    def selected(self) -> Case | None:
        """The selected incident."""
        return self._cases[self.cursor] if self.cursor < len(self._cases) else None

    def row_count(self) -> int:
        """How many incidents there are."""
        return len(self._cases)

    def key_at(self, index: int) -> Key:
        """An incident's id."""
        return self._cases[index].incident.ident

    def find(self, key: Key) -> int:
        """The row of an incident."""
        return next((at for at, case in enumerate(self._cases) if case.incident.ident == key), -1)

    def columns(self, width: int) -> Sequence[Column]:
        """Fewer columns where there is less room."""
        few = [Column("AGE", 4, right=True), Column("LEVEL", 7), Column("WHAT", 0)]
        return [*few, Column("TIMES", 5, right=True), Column("STATE", 6)] if width >= 60 else few

    def row(self, index: int) -> Sequence[Cell]:
        """An incident's cells."""
        case = self._cases[index]
        incident = case.incident
        glyph, word, style = LEVELS.get(incident.level, LEVELS[""])
        mark, state, tone = STATES.get(incident.state, STATES["open"])
        quiet = incident.state != "open"
        return [
            Cell(age(incident.at, self._now()), "quiet"),
            Cell(f"{glyph} {word}", "quiet" if quiet else style),
            Cell(incident.title, "quiet" if quiet else ""),
            Cell(f"{case.count:,}" if case.count > 1 else "", "quiet"),
            Cell(f"{mark} {state}", tone),
        ]
