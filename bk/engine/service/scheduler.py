"""What the engine does between calls: chores in the serving thread, and one thread that only flushes."""

from __future__ import annotations

import _thread
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FLUSH_S = 0.1


class Chore:
    """Something to be done every so often."""

    __slots__ = ("due", "name", "period", "work")

    def __init__(self, name: str, period: float, work: Callable[[], None], due: float) -> None:
        self.name = name
        self.period = period
        self.work = work
        self.due = due


class Scheduler:
    """Runs chores when they are due, through something that survives their failing."""

    __slots__ = ("_attempt", "_chores")

    def __init__(self, attempt: Callable[[str, Callable[[], None]], None]) -> None:
        self._chores: list[Chore] = []
        self._attempt = attempt

    def every(self, period: float, name: str, work: Callable[[], None], now: float) -> None:
        """Add a chore, first due a period from now."""
        self._chores.append(Chore(name, period, work, now + period))

    def turn(self, now: float) -> None:
        """Do what is due."""
        for chore in self._chores:
            if chore.due <= now:
                chore.due = now + chore.period
                self._attempt(chore.name, chore.work)

    def wait(self, now: float) -> float:
        """Seconds until something is due."""
        return max(0.0, min(chore.due for chore in self._chores) - now)


class Flusher:
    """Makes what was committed durable within a tenth of a second, while the serving thread goes on."""

    __slots__ = ("_busy", "_pending", "_stopped", "_sync", "_wake", "error")

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._pending = self._stopped = False
        self._busy = _thread.allocate_lock()
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self.error = ""
        _thread.start_new_thread(self._flush, ())

    def dirty(self) -> None:
        """Something was committed that is not flushed yet."""
        if not self._pending:
            self._pending = True
            self._wake.release()

    def stop(self) -> None:
        """Wait for a flush under way and begin no other: the ledger is about to be closed."""
        with self._busy:
            self._stopped = True

    def _flush(self) -> None:
        while True:
            self._wake.acquire()
            time.sleep(FLUSH_S)
            self._pending = False
            with self._busy:
                if self._stopped:
                    return
                try:
                    self._sync()
                    self.error = ""
                except Exception as error:  # noqa: BLE001 - told to the serving thread, which reports it
                    self.error = f"{type(error).__name__}: {error}"
