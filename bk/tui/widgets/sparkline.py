"""Numbers over time in one line of text: the shape at a glance, the scale in words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content

BARS = "▁▂▃▄▅▆▇█"
NONE = "·"


def spark(values: Sequence[float], width: int, *, tone: str = "$secondary", none: str = "$text-faint") -> Content:
    """The last values as bars, one cell each when they fit, else the greatest of each group."""
    shown = grouped(values, width)
    most = max(shown, default=0)
    parts = [(NONE, none) if not value else (BARS[_step(value, most)], tone) for value in shown]
    return Content.assemble((NONE * (width - len(parts)), none), *parts)


def grouped(values: Sequence[float], width: int) -> list[float]:
    """At most `width` values: the greatest of each group, so that no peak is lost."""
    if len(values) <= width or width < 1:
        return list(values)
    edges = [at * len(values) // width for at in range(width + 1)]
    return [max(values[low:high]) for low, high in pairwise(edges)]


def _step(value: float, most: float) -> int:
    return min(len(BARS) - 1, int(value / most * (len(BARS) - 1) + 0.5)) if most else 0
