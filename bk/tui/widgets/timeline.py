"""A day in one strip: an hour a column, the worst of it as its sign, how many above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from bk.tui.words import LEVELS, TONES

WORST_FIRST = ("quarantine", "block", "ask", "warn")
HEIGHTS = " ▁▂▃▄▅▆▇█"
AXIS = "─"


def timeline(hours: Sequence[Mapping[str, int]], labels: Sequence[str], width: int) -> list[Content]:
    """Three lines: how many (bars), the worst kind (its sign), and the axis. Each hour is `width // hours` wide."""
    each = max(1, width // max(1, len(hours)))
    totals = [sum(hour.get(level, 0) for level in WORST_FIRST) for hour in hours]
    most = max(totals, default=0)
    bars, signs = [], []
    for hour, total in zip(hours, totals, strict=True):
        worst = next((level for level in WORST_FIRST if hour.get(level)), "")
        glyph, _, style = LEVELS[worst]
        tone = TONES.get(style, "")
        height = HEIGHTS[max(1, round(total / most * 8))] if total else " "
        bars.append(((height * max(1, each - 1)).ljust(each), tone))
        signs.append((glyph.ljust(each) if worst else AXIS * each, tone if worst else "$text-faint"))
    marks = [" "] * (each * len(hours))
    end = 0
    for at, label in enumerate(labels):
        start = at * each
        if label and start >= end and start + len(label) <= len(marks):
            marks[start : start + len(label)] = label
            end = start + len(label) + 1
    return [Content.assemble(*bars), Content.assemble(*signs), Content.assemble(("".join(marks), "$text-quiet"))]
