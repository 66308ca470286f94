"""When a source is asked again. Pure, but for the dice that the caller hands in."""

from __future__ import annotations

FIRST_MS = 5 * 60_000
LONGEST_MS = 6 * 3_600_000
OBEYED_MS = 24 * 3_600_000  # a source may ask for patience, not for being forgotten
HOUR_MS = 3_600_000
SPREAD = 0.2


def after_failure(failures: int, retry_after_s: float, dice: float) -> int:
    """Milliseconds to wait after so many failures in a row; `dice` is a random number from 0 to 1."""
    doubled = FIRST_MS * 2 ** min(max(failures, 1) - 1, 20)
    spread = min(doubled, LONGEST_MS) * (1 + SPREAD * (2 * dice - 1))
    asked = min(max(retry_after_s, 0.0) * 1000, OBEYED_MS)
    return int(max(spread, asked))


def after_success(interval_hours: int, dice: float) -> int:
    """Milliseconds until the next look; never earlier than asked, and not all installations at once."""
    return int(interval_hours * HOUR_MS * (1 + SPREAD / 2 * dice))


def due(next_ms: int, last_attempt_ms: int, now_ms: int) -> bool:
    """Whether a source may be asked now; a plan that lies further ahead than any plan can is a clock that was set."""
    return next_ms <= now_ms or last_attempt_ms > now_ms or next_ms > now_ms + OBEYED_MS + HOUR_MS * 4
