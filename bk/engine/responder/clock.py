"""Time as incidents and exemptions count it."""

from __future__ import annotations

import time

DAY_MS = 86_400_000


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000
