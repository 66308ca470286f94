"""Points in time as people write them: `1h`, `2d`, `yesterday`, `2025-01-31`, `2025-01-31T12:00Z`."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

from bk.engine.errors import USAGE, BkError

UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_AGO = re.compile(r"(?:\d{1,6}[smhdw]){1,5}")
_MAX_AGO = 200 * 365 * UNITS["d"]


class Moment(NamedTuple):
    """A point in time in milliseconds: fixed, or so long before now, or so many local midnights ago."""

    fixed: int = 0
    ago: int = 0
    midnight: int = -1
    end: bool = False

    def at(self, now_ms: int) -> int:
        """The moment in epoch milliseconds."""
        if self.midnight >= 0:
            today = datetime.fromtimestamp(now_ms / 1000).astimezone().date()
            return _day(today - timedelta(days=self.midnight), end=self.end)
        return max(0, now_ms - self.ago) if self.ago else self.fixed


def moment(text: str, *, shown: str, end: bool = False) -> Moment:
    """The moment that `text` names; a day alone means its first millisecond, or its last when `end` is set.

    A time without an offset is local, because people read clocks; raises BkError that shows what can be written.
    """
    low = text.lower()
    if low in ("today", "yesterday"):
        return Moment(midnight=int(low == "yesterday"), end=end)
    if low == "now":
        return Moment(ago=1)
    if _AGO.fullmatch(low):
        ago = sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", low))
        return Moment(ago=max(1, min(ago, _MAX_AGO)))
    try:
        if len(text) == 10:
            return Moment(fixed=_day(date.fromisoformat(text), end=end))
        said = datetime.fromisoformat(text.upper().replace(" ", "T"))
        return Moment(fixed=int(said.astimezone().timestamp() * 1000))
    except (ValueError, OverflowError, OSError) as error:
        raise BkError(
            f"{text!r} is not a time",
            shown,
            "write 30m, 1h, 2d, 1w, today, yesterday, 2025-01-31 or 2025-01-31T12:00Z",
            code=USAGE,
        ) from error


def _day(day: date, *, end: bool) -> int:
    """A local midnight, found through the calendar: a day is not always 24 hours long."""
    if end:
        return int(datetime.combine(day + timedelta(days=1), datetime.min.time()).astimezone().timestamp() * 1000) - 1
    return int(datetime.combine(day, datetime.min.time()).astimezone().timestamp() * 1000)
