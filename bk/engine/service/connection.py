"""One client: what it has sent, what it still has to be sent, and until when it may take its time."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHUNK = 64 * 1024  # below the size from which the allocator maps fresh pages for every read
READS_A_TURN = 8
NOW = _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL


class Connection:
    """A client's socket. Reading and writing never wait: a slow client costs its own time only."""

    __slots__ = ("buffer", "deadline", "fd", "out", "request", "sock", "watched")

    def __init__(self, sock: _socket.socket, deadline: float) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.deadline = deadline
        self.buffer = bytearray()
        self.out: memoryview | None = None
        self.request: Any = None
        self.watched = 0

    def read(self) -> bool:
        """Take what has arrived; False when the client is gone."""
        for _ in range(READS_A_TURN):
            try:
                data = self.sock.recv(CHUNK, _socket.MSG_DONTWAIT)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self.buffer += data
            if len(data) < CHUNK:
                return True
        return True

    def write(self) -> bool | None:
        """Send what fits: True when all is sent, False while some remains, None when the client is gone."""
        if self.out is None:
            return True
        while self.out:
            try:
                self.out = self.out[self.sock.send(self.out, NOW) :]
            except BlockingIOError:
                return False
            except OSError:
                return None
        return True
