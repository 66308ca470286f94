"""Levels, states and times as people read them: a glyph and a word first, colour second."""

from __future__ import annotations

import time

# word -> (glyph, what the list shows, style class)
LEVELS = {
    "allow": ("·", "allow", "quiet"),
    "warn": ("▲", "warn", "warn"),
    "ask": ("?", "ask", "ask"),
    "block": ("■", "BLOCK", "block"),
    "quarantine": ("◆", "QUAR", "held"),
    "": (" ", "", "quiet"),
}
STATES = {"open": ("●", "open", "open"), "acknowledged": ("○", "seen", "quiet"), "closed": ("✓", "closed", "quiet")}
HEALTH = {"ok": "good", "old": "warn", "off": "warn", "down": "warn", "checking": "quiet", "unknown": "quiet"}


def age(then_ms: int, now_ms: int) -> str:
    """How long ago, in at most four characters."""
    seconds = max(0, now_ms - then_ms) // 1000
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{min(seconds // size, 999)}{unit}"
    return f"{seconds}s"


def clock(at_ms: int) -> str:
    """The time of day, in the local zone."""
    return time.strftime("%H:%M:%S", time.localtime(at_ms / 1000))


def moment(at_ms: int) -> str:
    """Date and time, in the local zone."""
    return time.strftime("%a %d %b %Y, %H:%M:%S", time.localtime(at_ms / 1000))


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
