"""Tables of measured figures, and the page that shows them: it cannot say what was not measured."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from os import cpu_count
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Figure(NamedTuple):
    """One measured figure; without a bound it is only shown."""

    what: str
    value: float
    bound: float | None = None
    form: str = "{:.2f}"

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.bound is None or self.value <= self.bound

    def row(self) -> tuple[str, str, str, str]:
        """What, measured, bound, holds."""
        shown = self.form.format(self.value)
        if self.bound is None:
            return self.what, shown, "", ""
        return self.what, shown, f"≤ {self.bound:g}", "yes" if self.holds else "**no**"


def machine() -> str:
    """What it was measured on."""
    return (
        f"Python {platform.python_version()}, {cpu_count()} cores, "
        f"{platform.system()} {platform.release().split('-')[0]}"
    )


def table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Rows of (what, measured, bound, holds) as a table."""
    return "\n".join(
        ["| what | measured | bound | holds |", "|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    )


def put(page: str, mark: str, text: str) -> None:
    """Replace what stands between a page's marks of this name."""
    path = ROOT / page
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    head, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{page} has no place for what was measured: {begin}")
    path.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
