"""Levels, states and times as people read them: a glyph and a word first, colour second."""

from __future__ import annotations

import time

WIRE = "bk hooks install --all-detected"  # what puts the guard in front of agents
# word -> (glyph, what the list shows, style class)
LEVELS = {
    "allow": ("·", "allow", "quiet"),
    "warn": ("▲", "warn", "warn"),
    "ask": ("?", "ask", "ask"),
    "block": ("■", "BLOCK", "block"),
    "quarantine": ("◆", "QUAR", "held"),
    "": (" ", "", "quiet"),
}
# the state of an incident -> (glyph, word, style class)
STATES = {
    "open": ("●", "open", "open"),
    "acknowledged": ("○", "seen", "quiet"),
    "closed": ("✓", "closed", "quiet"),
    "dry_run_reported": ("◇", "would move", "open"),
    "pending_path": ("●", "no path", "open"),
    "pending_approval": ("●", "approve?", "open"),
    "quarantined": ("◆", "held", "held"),
    "move_failed": ("✖", "not moved", "block"),
    "stale_evidence": ("~", "evidence old", "warn"),
    "exempt": ("○", "exempt", "quiet"),
    "restored": ("✓", "restored", "quiet"),
    "purged": ("✓", "deleted", "quiet"),
    "resolved": ("✓", "resolved", "quiet"),
}
TONES = {
    "good": "$success",
    "warn": "$warning",
    "ask": "$secondary",
    "block": "$error",
    "held": "$accent",
    "open": "$primary",
    "strong": "bold $primary",
    "quiet": "$text-quiet",
}
# how a part of the guard is -> (glyph, style class)
HEALTH = {
    "ok": ("+", "good"),
    "old": ("~", "warn"),
    "off": ("~", "warn"),
    "down": ("~", "warn"),
    "STALE": ("~", "warn"),
    "checking": ("?", "quiet"),
    "unknown": ("?", "quiet"),
}
WRONG = ("x", "block")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


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


def size(count: int) -> str:
    """Bytes, as people read them."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""
