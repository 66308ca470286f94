"""The resident engine: one thread, one socket, every client's bytes in and out without ever waiting for one."""

from __future__ import annotations

import _socket
import errno
import gc
import os
import select
import signal
import time

from bk import __version__
from bk.engine.errors import OK, BkError
from bk.engine.service import activation, lifecycle, status
from bk.engine.service.connection import Connection
from bk.engine.service.desk import Desk, Tally
from bk.engine.service.endpoint import Endpoint, peer_of
from bk.engine.service.lock import EngineLock
from bk.engine.service.log import EngineLog
from bk.engine.service.scheduler import Flusher, Scheduler
from bk.engine.service.upkeep import Upkeep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.service.contract import Book, Surface, WorldSource
    from bk.engine.state import State

BUSY, VERSION, DRAINING = 1, 2, 3
MAX_CONNECTIONS = 256
MAX_REQUEST = 12 + 65536 + (1 << 20) + 1
MAX_HELD = 16 << 20
LARGE = 64 * 1024
CLIENT_S = 5.0
DRAIN_S = 2.0
BATCH = 32
ACCEPTS_A_TURN = 64
REFRESH_S, WATCH_S, STATUS_S, CHECKPOINT_S, TIDY_S = 0.25, 1.0, 1.0, 1.0, 10.0
SHORT_OF = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server:
    """Serves until SIGTERM or SIGINT; SIGHUP makes it look at its sources at once."""

    def __init__(
        self,
        state: State,
        *,
        surface: Surface,
        ledger: Book,
        world: WorldSource,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._surface = surface
        self._ledger = ledger
        self._world = world
        self._callers = state.callers
        self._clock = clock
        self._tally = Tally()
        self._connections: dict[int, Connection] = {}
        self._poll = select.epoll()
        self._stopping = False
        self._listening = -1
        self._last_call = clock()

    def run(self) -> int:
        """Take the lock and the socket, serve, drain; the exit code."""
        os.chdir("/")
        os.umask(0o077)
        log = EngineLog(self._state.log)
        lock = EngineLock.take(self._state.engine_lock, version=__version__)
        try:
            self._run(lock, log)
        except BkError:
            lock.release()  # it said why it cannot run; that is not the trace of a killed engine
            raise
        lock.release()
        return OK

    def _run(self, lock: EngineLock, log: EngineLog) -> None:
        self._catch_signals()
        self._endpoint = Endpoint(self._state)
        flusher = Flusher(self._ledger.sync)
        self._upkeep = Upkeep(
            self._state,
            book=self._ledger,
            world=self._world,
            endpoint=self._endpoint,
            lock=lock,
            log=log,
            flusher=flusher,
            tally=self._tally,
            clock=self._clock,
        )
        self._desk = Desk(
            self._surface,
            self._ledger,
            self._world,
            tally=self._tally,
            dirty=flusher.dirty,
            report=self._upkeep.report,
        )
        try:
            self._serve()
            self._drain(log)
        finally:
            self._endpoint.withdraw()
            status.remove(self._state)
        self._upkeep.stopped()
        flusher.stop()
        self._ledger.close()

    def _serve(self) -> None:
        upkeep, now = self._upkeep, self._clock()
        self._upkeep.started()
        scheduler = Scheduler(upkeep.attempt)
        scheduler.every(REFRESH_S, "refresh", self._refresh, now)
        scheduler.every(WATCH_S, "watch the socket", self._watch, now)
        scheduler.every(WATCH_S, "watch the lock", upkeep.guard_lock, now)
        scheduler.every(CHECKPOINT_S, "checkpoint", upkeep.checkpoint, now)
        scheduler.every(TIDY_S, "tidy the ledger", upkeep.tidy, now)
        scheduler.every(WATCH_S, "watch what lands", upkeep.watch, now)
        scheduler.every(STATUS_S, "status", upkeep.tell_status, now)
        upkeep.attempt("status", upkeep.tell_status)
        self._listen()
        gc.set_threshold(20_000, 20, 100)  # a call makes some 500 objects and no cycles
        gc.freeze()  # a full collection would otherwise walk the whole program, in the middle of somebody's call
        lifecycle.started()
        activation.tell(f"READY=1\nMAINPID={os.getpid()}")
        while not self._stopping:
            self._exchange(scheduler.wait(self._clock()))
            scheduler.turn(self._clock())

    def _catch_signals(self) -> None:
        self._wake, wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _noticed)
        signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        self._poll.register(self._wake, select.EPOLLIN)

    def _listen(self) -> None:
        if self._listening < 0:
            self._listening = self._endpoint.listener.fileno()
            self._poll.register(self._listening, select.EPOLLIN)

    def _mute(self) -> None:
        """Leave new clients in the queue: for good, or out of descriptors until the next refresh."""
        if self._listening >= 0:
            self._poll.unregister(self._listening)
            self._listening = -1

    def _exchange(self, wait: float) -> None:
        """Wait for something, read whatever came, answer what is complete."""
        first = next(iter(self._connections.values()), None)
        if first is not None:
            wait = max(0.0, min(wait, first.deadline - self._clock()))
        ready: list[Connection] = []
        for fd, event in self._poll.poll(wait):
            if fd == self._listening:
                self._accept(ready)
            elif fd == self._wake:
                self._signalled(os.read(fd, 64))
            elif fd in self._connections:
                self._advance(self._connections[fd], event, ready)
        for at in range(0, len(ready), BATCH):
            batch = ready[at : at + BATCH]
            self._desk.answer(batch)
            for connection in batch:
                self._send(connection)
        now = self._clock()
        if ready:
            self._last_call = now
        self._expire(now)

    def _accept(self, ready: list[Connection]) -> None:
        for _ in range(ACCEPTS_A_TURN):
            try:
                fd, _address = self._endpoint.listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in SHORT_OF:
                    self._mute()
                return
            sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, fd)  # named, so that it need not ask
            peer = peer_of(sock)
            if peer.uid not in self._callers:
                sock.close()
                self._upkeep.stranger(peer)
                continue
            connection = Connection(sock, self._clock() + CLIENT_S)
            self._connections[fd] = connection
            if len(self._connections) > MAX_CONNECTIONS:
                self._tally.busy += 1
                self._refuse(connection, BUSY)
                continue
            self._take(connection, ready)

    def _advance(self, connection: Connection, event: int, ready: list[Connection]) -> None:
        if connection.out is not None:
            self._send(connection)
        elif event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._take(connection, ready)

    def _take(self, connection: Connection, ready: list[Connection]) -> None:
        """Read what is there; a complete request goes to `ready`."""
        alive = connection.read()
        try:
            request = self._surface.feed(connection.buffer) if connection.buffer else None
        except Exception as error:  # noqa: BLE001 - no bytes of one client may stop the engine for the others
            self._upkeep.malformed(f"{type(error).__name__}: {error}")
            self._refuse(connection, VERSION)
            return
        if request is not None:
            connection.request = request
            connection.buffer = bytearray()
            self._watch_for(connection, 0)
            ready.append(connection)
        elif not alive:
            self._drop(connection)
        elif len(connection.buffer) > MAX_REQUEST:
            self._upkeep.malformed("the request is longer than any request may be")
            self._refuse(connection, VERSION)
        elif len(connection.buffer) > LARGE and self._held() > MAX_HELD:
            self._tally.busy += 1
            self._refuse(connection, BUSY)
        else:
            self._watch_for(connection, select.EPOLLIN)

    def _held(self) -> int:
        return sum(len(connection.buffer) for connection in self._connections.values())

    def _send(self, connection: Connection) -> None:
        done = connection.write() if connection.out is not None else None
        if done is False:
            if not connection.watched:  # from here on the client's time is for reading its answer
                self._connections[connection.fd] = self._connections.pop(connection.fd)
                connection.deadline = self._clock() + CLIENT_S
            self._watch_for(connection, select.EPOLLOUT)
        else:
            self._drop(connection)

    def _refuse(self, connection: Connection, code: int) -> None:
        """A reply without an answer; the client then decides by itself."""
        connection.buffer = bytearray()
        connection.out = memoryview(self._surface.refused(code))
        self._send(connection)

    def _watch_for(self, connection: Connection, event: int) -> None:
        if event == connection.watched:
            return
        if not event:
            self._poll.unregister(connection.fd)
        elif connection.watched:
            self._poll.modify(connection.fd, event)
        else:
            self._poll.register(connection.fd, event)
        connection.watched = event

    def _drop(self, connection: Connection) -> None:
        self._watch_for(connection, 0)
        self._connections.pop(connection.fd, None)
        connection.sock.close()

    def _expire(self, now: float) -> None:
        """Let go of clients that used up their time; they were accepted in order, so the first is the oldest."""
        while self._connections:
            oldest = next(iter(self._connections.values()))
            if oldest.deadline > now:
                return
            self._tally.slow += 1
            self._drop(oldest)

    def _signalled(self, numbers: bytes) -> None:
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._stopping = True
        if signal.SIGHUP in numbers:
            self._upkeep.attempt("refresh", self._refresh)

    def _refresh(self) -> None:
        if not self._stopping:
            self._listen()
        self._upkeep.refresh()
        idle = self._world.current().policy.values["engine.idle_exit_s"]
        if idle and self._clock() - self._last_call > idle:
            self._stopping = True

    def _watch(self) -> None:
        """Whoever takes our path away is found within a second."""
        if not self._upkeep.path_taken():
            return
        old = self._endpoint.listener
        self._mute()
        squatter = self._endpoint.rebind()
        old.close()
        self._listen()
        self._upkeep.path_taken_back(squatter)

    def _drain(self, log: EngineLog) -> None:
        """Finish what is in flight. Who comes now finds no socket, or (activated) waits for the next engine."""
        activation.tell("STOPPING=1")
        log.write("stopping")
        self._endpoint.withdraw()
        if not self._endpoint.activated:
            self._exchange(0.0)
        self._mute()
        self._endpoint.listener.close()
        until = self._clock() + DRAIN_S
        while self._connections and self._clock() < until:
            self._exchange(min(0.05, until - self._clock()))
        for connection in list(self._connections.values()):
            if connection.out is None:
                self._refuse(connection, DRAINING)


def _noticed(_number: int, _frame: object) -> None:
    """The wake-up pipe carries the news; this only keeps the default action from ending the process."""
