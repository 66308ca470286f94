"""Turns complete requests into recorded, framed answers: many at a time, one ledger transaction for all of them."""

from __future__ import annotations

import signal

from bk.engine.errors import Refusal
from bk.engine.service import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import Any

    from bk.engine.model import Entry
    from bk.engine.service.connection import Connection
    from bk.engine.service.contract import Book, Pending, Surface, WorldSource

SHARE = 0.8  # of the client's deadline: what remains is for recording and relaying


class Tally:
    """What was done since the start; `seq` is the last entry that this engine recorded."""

    __slots__ = ("busy", "crashed", "foreign", "malformed", "seq", "served", "slow", "unrecorded")

    def __init__(self) -> None:
        self.served = self.unrecorded = self.crashed = self.malformed = 0
        self.busy = self.slow = self.foreign = self.seq = 0

    def told(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "seq"}


class Desk:
    """Answers requests. No request, and no entry, can fail another."""

    __slots__ = ("_alarm", "_book", "_dirty", "_report", "_surface", "_world", "tally")

    def __init__(
        self,
        surface: Surface,
        book: Book,
        world: WorldSource,
        *,
        tally: Tally,
        dirty: Callable[[], None],
        report: Callable[[Entry], None],
    ) -> None:
        self._surface = surface
        self._book = book
        self._world = world
        self._dirty = dirty
        self._report = report
        self._alarm = False
        self.tally = tally
        signal.signal(signal.SIGALRM, self._ring)

    def answer(self, batch: Sequence[Connection]) -> None:
        """Fill in `out` of every connection; None stays where there is nothing that could be said."""
        ready: list[tuple[Connection, Pending]] = []
        for connection in batch:
            pending = self._prepared(connection)
            if pending is not None:
                ready.append((connection, pending))
        if not ready:
            return
        entries = [entry for _, pending in ready for entry in pending.entries]
        try:
            stored = self._record(entries, sync=any(pending.sync for _, pending in ready))
        except Exception as error:  # noqa: BLE001 - whatever it was, these calls are denied with it as the reason
            if len(ready) == 1:
                self._unrecorded(ready[0][0], error)
            else:
                for connection, pending in ready:
                    self._alone(connection, pending)
            return
        at = 0
        for connection, pending in ready:
            count = len(pending.entries)
            self._reply(connection, pending, stored[at : at + count])
            at += count

    def _record(self, entries: list[Entry], *, sync: bool) -> list[Entry]:
        stored = self._book.append(entries, sync=sync)
        self.tally.seq = max(self.tally.seq, stored[-1].seq)
        if not sync:
            self._dirty()
        return stored

    def _alone(self, connection: Connection, pending: Pending) -> None:
        try:
            stored = self._record(pending.entries, sync=pending.sync)
        except Exception as error:  # noqa: BLE001 - the same, for this call alone
            self._unrecorded(connection, error)
        else:
            self._reply(connection, pending, stored)

    def _reply(self, connection: Connection, pending: Pending, stored: list[Entry]) -> None:
        try:
            connection.out = memoryview(pending.reply(stored))
            self.tally.served += 1
        except Exception as error:  # noqa: BLE001 - an answer that cannot be rendered is a denial
            self._crashed(connection, error)

    def _prepared(self, connection: Connection) -> Pending | None:
        """The decision; None when it broke, and the connection then has its denial already."""
        world: Any = None
        request = connection.request
        try:
            world = self._world.current()
            self._alarm = True
            left = min(request.deadline_ms, world.policy.values["hook.deadline_ms"])
            signal.setitimer(signal.ITIMER_REAL, max(left, 1) / 1000 * SHARE)
            pending = self._surface.prepare(request, world)
            self._alarm = False
        except Exception as error:  # noqa: BLE001 - a defect in deciding one call must deny it and keep serving
            self._alarm = False
            self._broke(connection, world, error)
            return None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return pending

    def _broke(self, connection: Connection, world: Any, error: Exception) -> None:
        """Deny a call whose decision broke; the denial is recorded like any other."""
        cause, detail = events.explained(error)
        if world is None:
            self._fail(connection, cause, detail)
            return
        try:
            self._record([events.broken(connection.request, cause, detail, world)], sync=True)
        except Exception as second:  # noqa: BLE001 - then that is the reason which the client hears
            self._unrecorded(connection, second)
            return
        self._crashed(connection, error)

    def _crashed(self, connection: Connection, error: Exception) -> None:
        self.tally.crashed += 1
        cause, detail = events.explained(error)
        self._fail(connection, cause, detail)
        title = "a call could not be decided"
        self._report(events.incident("crash", title, detail, "run `bk diag`; the call was denied", level="block"))

    def _unrecorded(self, connection: Connection, error: Exception) -> None:
        self.tally.unrecorded += 1
        cause, detail = events.explained(error)
        self._fail(connection, "ledger" if cause == "internal" else cause, detail)

    def _fail(self, connection: Connection, cause: str, detail: str) -> None:
        try:
            connection.out = memoryview(self._surface.failed(connection.request, cause, detail))
        except Exception as error:  # noqa: BLE001 - no bytes at all make the client decide by itself
            connection.out = None
            self._report(events.incident("crash", "a denial could not be rendered", str(error), "run `bk diag`"))

    def _ring(self, _signum: int, _frame: FrameType | None) -> None:
        if self._alarm:
            self._alarm = False
            raise Refusal("deadline", "deciding took longer than the client waits", "make the call smaller")
