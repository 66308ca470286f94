"""Who may act here: nobody, unless a person asked for it at a terminal of their own, and lately touched a key.

The engine checks again at every verb; this is the state that the header shows and that a key press meets first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

READ_ONLY, LOCKED, ADMIN = "READ-ONLY", "LOCKED", "ADMIN"
IDLE_SECONDS = 600.0
PHRASE = "unlock"


class Gate:
    """READ-ONLY, LOCKED or ADMIN. `again` asks the engine anew whether a person may act; "" is yes."""

    def __init__(
        self,
        why_not: str,
        *,
        again: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        idle: float = IDLE_SECONDS,
    ) -> None:
        self.why_not = why_not
        self.idle = idle
        self._again = again or (lambda: self.why_not)
        self._clock = clock
        self._locked = False
        self._touched = clock()

    @property
    def state(self) -> str:
        """The word for the header."""
        if self.why_not:
            return READ_ONLY
        return LOCKED if self._locked else ADMIN

    @property
    def open(self) -> bool:
        """Whether an admin verb may be asked for now."""
        return self.state == ADMIN

    @property
    def sentence(self) -> str:
        """What a person is told whose key needs more than this; "" when it does not."""
        if self.why_not:
            return f"read-only: {self.why_not}"
        return "admin is locked: press L to unlock it" if self._locked else ""

    @property
    def untouched(self) -> float:
        """For how many seconds no key and no mouse was used."""
        return self._clock() - self._touched

    def touch(self) -> None:
        """A key or the mouse was used."""
        self._touched = self._clock()

    def tick(self) -> bool:
        """Lock when nobody was here for long; True when that just happened."""
        if self.state != ADMIN or self.untouched < self.idle:
            return False
        self._locked = True
        return True

    def lock(self) -> None:
        """Lock now."""
        self._locked = True

    def unlock(self) -> str:
        """Open again, if the engine still sees a person; the sentence that says why not, or ""."""
        self.why_not = self._again()
        if not self.why_not:
            self._locked = False
            self.touch()
        return self.why_not
