"""Where in the ledger a time or a number lies: the entry nearest to it, found by halving, never by reading along."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bk.engine.console.pages import entries, jump
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.moments import moment
from bk.engine.state import State

NUMBER = re.compile(r"#?(\d[\d,]{0,18})\Z")
_CLOCK = re.compile(r"(?:(today|yesterday|\d{4}-\d\d-\d\d)[ t]+)?(\d{1,2}):(\d\d)(?::(\d\d))?\Z")
_AGO = re.compile(r"-\s*(\S+)\Z|(\S+)\s+ago\Z")
_ASKED = "a time or an entry's number was asked for"
STEP = "write 14:30, yesterday 9:00, 2026-11-20 10:00, -2h, today, or #1,200"


class Spot(NamedTuple):
    """An entry's number, or a moment in milliseconds; the other is 0."""

    seq: int = 0
    at_ms: int = 0


def spot(text: str, now_ms: int) -> Spot:
    """What a person means by `14:30`, `yesterday 9:00`, `-2h` or `#1,200`.

    A time of day without a date is the latest such time that has passed. Raises BkError that says what can be written.
    """
    said = " ".join(text.lower().split())
    number = NUMBER.match(said)
    if number:
        return Spot(seq=int(number[1].replace(",", "")))
    clock = _CLOCK.match(said)
    if clock:
        return Spot(at_ms=_at_clock(clock, text, now_ms))
    ago = _AGO.match(said)
    wanted = (ago[1] or ago[2]) if ago else said
    try:
        found = moment(wanted, shown=_ASKED)
    except BkError as error:
        raise _wrong(text) from error
    if ago and not found.ago:
        raise _wrong(text)
    return Spot(at_ms=found.at(now_ms))


def nearest(state: State, where: Spot, within: Sequence[int] | None = None) -> int:
    """The entry nearest to a spot, of all or of those (ascending); 0 when there is none. For a worker thread."""
    seq = where.seq or jump(state, where.at_ms)
    if within is None:
        around: Sequence[int] = (seq - 1, seq) if seq and not where.seq else (seq,)
    else:
        after = bisect_left(within, seq)
        around = within[max(0, after - 1) : after + 1]
    if where.seq:
        return min(around, key=lambda each: (abs(each - seq), -each), default=0)
    known = entries(state, [each for each in around if each > 0])
    return min(known, key=lambda each: (abs(each.at - where.at_ms), -each.seq)).seq if known else 0


def _at_clock(said: re.Match[str], text: str, now_ms: int) -> int:
    hour, minute, second = int(said[2]), int(said[3]), int(said[4] or 0)
    today = datetime.fromtimestamp(now_ms / 1000).astimezone().date()
    try:
        if said[1] in (None, "today", "yesterday"):
            day = today - timedelta(days=said[1] == "yesterday")
        else:
            day = datetime.fromisoformat(said[1]).date()
        at = _local(datetime(day.year, day.month, day.day, hour, minute, second))
        if said[1] is None and at > now_ms:
            at = _local(datetime(day.year, day.month, day.day, hour, minute, second) - timedelta(days=1))
    except (ValueError, OverflowError, OSError) as error:
        raise _wrong(text) from error
    return at


def _local(said: datetime) -> int:
    return max(1, int(said.astimezone().timestamp() * 1000))


def _wrong(text: str) -> BkError:
    return BkError(f"{text.strip()!r} is not a time", _ASKED, STEP, code=USAGE)
