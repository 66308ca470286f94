"""Connections that cannot hold us up: every wait on a socket ends at a deadline, at a silence or at a crawl."""

from __future__ import annotations

import io
import math
import select
import socket
import ssl
import time

from bk.engine.intel.sources.source import FeedError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from _typeshed import WriteableBuffer

    from bk.engine.intel.web.address import Address

BLOCK = 1 << 16


class Limit:
    """How long is left: until the deadline of it all, and until this step has to have brought enough."""

    def __init__(self, deadline_s: float, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline_s = deadline_s
        self._patience_s = patience_s
        self._end = clock() + deadline_s
        self._least = math.inf
        self._step_end = self._end
        self._got = 0
        self._whom = ""

    def step(self, whom: str, rate: float = math.inf) -> None:
        """Begin a step that must be over within the patience or, with a rate, bring that many bytes a second."""
        self._whom = whom
        self._least = rate * self._patience_s
        self._step_end = self._clock() + self._patience_s
        self._got = 0

    def came(self, size: int) -> None:
        """Count bytes that arrived."""
        self._got += size

    def now(self) -> float:
        """The moment, for `spared`."""
        return self._clock()

    def spared(self, since: float) -> None:
        """Do not hold against the other side the time that we ourselves have taken since then."""
        self._step_end += self._clock() - since

    def left(self) -> float:
        """Seconds that the next wait may take, more than none; raises FeedError when there are none."""
        now = self._clock()
        if now >= self._end:
            raise FeedError("timeout", f"{self._whom} was not done within {self._deadline_s:g} s")
        if now >= self._step_end:
            if not self._got:
                raise FeedError("timeout", f"nothing came from {self._whom} for {self._patience_s:g} s")
            if self._got < self._least:
                raise FeedError("slow", f"{self._whom} sends too slowly: {self._got} bytes in {self._patience_s:g} s")
            self._got = 0
            self._step_end = now + self._patience_s
        return max(min(self._end, self._step_end) - now, 0.001)


class Line:
    """A connected socket under a Limit, in the form that http.client wants; it outlives one answer."""

    def __init__(self, sock: socket.socket, limit: Limit, relay: Mapping[str, str] | None = None) -> None:
        self._sock = sock
        self._limit = limit
        self._relayed = relay is not None
        self.relay = relay or {}
        self.used = False
        self.dry = False
        self.unread = False

    def target(self, address: Address) -> str:
        """What the request line names: a proxy that relays (plain http) wants the whole URL."""
        return address.url if self._relayed else address.target

    def sendall(self, data: bytes) -> None:
        """Send everything, or fail in time."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(self._limit.left())
            try:
                view = view[self._sock.send(view) :]
            except TimeoutError:
                continue
            except ssl.SSLError as error:
                raise _spoiled(error) from error

    def recv_into(self, buffer: WriteableBuffer) -> int:
        """Receive what there is, or fail in time."""
        while True:
            self._sock.settimeout(self._limit.left())
            try:
                size = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            except ssl.SSLError as error:
                raise _spoiled(error) from error
            self._limit.came(size)
            return size

    def makefile(self, mode: str, *_rest: Any) -> io.BufferedReader:
        """What http.client reads an answer from."""
        assert mode == "rb"
        self.dry = self.unread = False
        return _Reader(self)

    def surplus(self) -> bool:
        """Whether more is here already than the answer, which must be closed, said that there would be."""
        if self.unread:
            return True
        if isinstance(self._sock, ssl.SSLSocket):
            return self._sock.pending() > 0
        return self.stirs() and bool(self._sock.recv(1, socket.MSG_PEEK))

    def stirs(self) -> bool:
        """Whether an idle line has something to say: then it is closing, or out of step."""
        return bool(select.select([self._sock], [], [], 0)[0])

    def close(self) -> None:
        """Nothing: http.client closes while the answer is still to be read. See hang_up."""

    def hang_up(self) -> None:
        """Close the socket."""
        self._sock.close()


class _Inflow(io.RawIOBase):
    """The reading side of a Line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return 0 if self._line.dry else self._line.recv_into(buffer)


class _Reader(io.BufferedReader):
    """The buffer over it, which says when it is closed whether anything was left in it."""

    def __init__(self, line: Line) -> None:
        super().__init__(_Inflow(line), BLOCK)
        self._line = line

    def close(self) -> None:
        if not self.closed:
            self._line.dry = True
            self._line.unread = bool(self.peek(1))
        super().close()


def _spoiled(error: ssl.SSLError) -> Exception:
    """An end without the TLS word for it is a cut connection; anything else is TLS that went wrong."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ConnectionResetError("the connection was cut")
    return FeedError("tls", f"the secure connection broke ({inert(error.reason or 'unknown', 80)})")
