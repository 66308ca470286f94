"""Who says so, at a glance: independent sources that agree, those that were asked and have nothing against it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from bk.text import inert

AGREES, SILENT = "■", "□"
NAME = 24


def agreement(agreed: Sequence[str], others: Sequence[str] = (), *, needed: int = 0) -> Content:
    """`2 of 3 ■■□ ossf, vendor-reports; nothing from osv`."""
    whole = len(agreed) + len(others)
    parts: list[tuple[str, str]] = [(f"{len(agreed)} of {whole} " if others else f"{len(agreed)} ", "bold")]
    parts += [(AGREES * len(agreed), "$error"), (SILENT * len(others), "$text-quiet")]
    if agreed:
        parts.append((f"  {', '.join(inert(name, NAME) for name in agreed)}", ""))
    if others:
        parts.append((f"  nothing from {', '.join(inert(name, NAME) for name in others)}", "$text-quiet"))
    if needed:
        parts.append((f"  (a block needs {needed})", "$text-quiet"))
    return Content.assemble(*parts)
