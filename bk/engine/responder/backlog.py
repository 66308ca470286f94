"""What is to be checked, and when: each target once, and a place that never comes to rest ever less often."""

from __future__ import annotations

from bk.engine.responder.eyes import EVERYTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.responder.eyes import Target

RETRIES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
PAUSE_S, PAUSE_MAX_S = 2.0, 60.0
FAILED_S = 60.0
BATCH = 256
WAITING_MAX = 1000


class Waiting:
    """When a target is to be checked, how often it was asked for again, and how often its check broke off."""

    __slots__ = ("at", "failed", "tries")

    def __init__(self, at: float, tries: int = 0, failed: int = 0) -> None:
        self.at = at
        self.tries = tries
        self.failed = failed

    @property
    def last(self) -> bool:
        """Whether it is not asked for again after this."""
        return self.tries >= len(RETRIES_S)


class Backlog:
    """The targets that wait."""

    __slots__ = ("_pauses", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[Target, Waiting] = {}
        self._pauses: dict[Target, tuple[float, float]] = {}  # when it was last checked, and the pause after that

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, targets: Iterable[Target], now: float) -> None:
        """Something landed there, and it has been quiet since."""
        for target in targets:
            last, pause = self._pauses.get(target, (0.0, 0.0))
            self._waiting[target] = Waiting(max(now, last + pause))
        if len(self._waiting) > WAITING_MAX:
            self._waiting = {EVERYTHING: Waiting(now)}

    def again(self, target: Target, now: float, tries: int) -> None:
        """It was not whole: once more, a little later."""
        self._waiting.setdefault(target, Waiting(now + RETRIES_S[min(tries, len(RETRIES_S)) - 1], tries))

    def failed(self, target: Target, was: Waiting, now: float) -> bool:
        """It could not be checked: once more, much later; False when that was tried often enough."""
        if was.failed >= len(RETRIES_S):
            return False
        self._waiting.setdefault(target, Waiting(now + FAILED_S, was.tries, was.failed + 1))
        return True

    def due(self, now: float) -> dict[Target, Waiting]:
        """Take what is due, as much as one process is asked at once."""
        ready = [target for target, waiting in self._waiting.items() if waiting.at <= now][:BATCH]
        taken = {target: self._waiting.pop(target) for target in ready}
        for target in taken:
            last, pause = self._pauses.pop(target, (now - 3 * PAUSE_MAX_S, 0.0))
            calm = now - last > 2 * PAUSE_MAX_S
            self._pauses[target] = (now, PAUSE_S if calm else min(2 * pause, PAUSE_MAX_S))
        while len(self._pauses) > WAITING_MAX:
            del self._pauses[next(iter(self._pauses))]
        return taken

    def wait(self, now: float) -> float | None:
        """Seconds until something is due; None when nothing waits."""
        first = min((waiting.at for waiting in self._waiting.values()), default=None)
        return None if first is None else max(0.0, first - now)
