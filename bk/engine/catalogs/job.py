"""One run of the worker: its settings and clock, where it tells of its progress, and what it leaves in the ledger."""

from __future__ import annotations

import random
import time

from bk.engine.catalogs.sanity import Limits, Moment
from bk.engine.catalogs.store import Store
from bk.engine.config import snapshot
from bk.engine.errors import BkError
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from bk.engine.model import Json
    from bk.engine.state import State

BOOT = "/proc/sys/kernel/random/boot_id"
SHOWN = 300


class Job:
    """What every verb of the worker works with. `by` is who asked: the engine, or a person's uid."""

    def __init__(
        self,
        state: State,
        *,
        verb: str,
        by: str,
        say: Callable[[dict[str, Json]], None],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.state = state
        self.verb = verb
        self.by = by
        self._say = say
        self._clock_ms = clock_ms
        self.values: Mapping[str, Json] = snapshot.read(state).values
        self.limits = Limits.of(self.values)
        self.store = Store.open(state)
        self._ledger: Ledger | None = None
        self._ident = 0

    def __enter__(self) -> Job:
        with self.store:
            self.store.prune(self.now_ms())
            self._ident = self.store.began(self.verb, self.by, self.now_ms())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                why = str(error) if isinstance(error, BkError) else f"{type(error).__name__}: {error}"
                self.end({"problem": inert(why, SHOWN)}, ok=False, generation=0)
                self.record("failed", level="warn", detail=inert(why, SHOWN))
        finally:
            self.store.close()
            if self._ledger is not None:
                self._ledger.close()

    def now_ms(self) -> int:
        """The wall clock."""
        return self._clock_ms()

    def moment(self) -> Moment:
        """Now, by the wall clock and by this boot's own."""
        up = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        try:
            with open(BOOT, encoding="ascii") as file:
                return Moment(self.now_ms(), file.read().strip(), up)
        except OSError:
            return Moment(self.now_ms())

    @staticmethod
    def dice() -> float:
        """A random number from 0 to 1, so that not all installations ask at once."""
        return random.random()  # noqa: S311 - it spreads load, it guards nothing

    def tell(self, step: str, source: str = "", detail: str = "", done: int = 0, total: int = 0) -> None:
        """One line of progress."""
        self._say({"step": step, "source": source, "done": done, "total": total, "detail": inert(detail, SHOWN)})

    def record(self, event: str, *, level: str = "", **said: Json) -> None:
        """An entry in the ledger, on disk before what follows it."""
        self.keep([Entry("catalog", self.by, {"event": event, "verb": self.verb, **said}, level=level)])

    def keep(self, entries: Sequence[Entry]) -> None:
        """Entries of others that this run came upon."""
        if not entries:
            return
        if self._ledger is None:
            patterns = self.values["audit.redact_patterns"]
            self._ledger = Ledger.open(self.state, redact=redactor(patterns))
        self._ledger.append(list(entries), sync=True)

    def end(self, said: Mapping[str, Json], *, ok: bool, generation: int) -> None:
        """Write down how the run ended."""
        with self.store:
            self.store.ended(self._ident, self.now_ms(), said, ok=ok, generation=generation)
