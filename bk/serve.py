"""The composition root of the resident engine: the one place that knows both the engine and the hook surface."""

from __future__ import annotations

import os
import sys

from bk.engine.errors import BkError
from bk.engine.ledger.store import Ledger
from bk.engine.reload import Reloader
from bk.engine.service.server import Server
from bk.engine.state import State, locate
from bk.hook import protocol
from bk.hook.answer import Pending, prepare, unrecorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Entry
    from bk.engine.world import World
    from bk.hook.request import Request


class Framed:
    """A decision whose reply is the protocol's bytes."""

    __slots__ = ("_pending", "entries", "sync")

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self.entries = pending.entries
        self.sync = pending.sync

    def reply(self, stored: list[Entry]) -> bytes:
        """The framed answer, once `stored` is committed."""
        reply = self._pending.reply(stored)
        return protocol.encode_reply(protocol.ANSWER, reply.exit_code, reply.stdout, reply.stderr)


class HookSurface:
    """The hook protocol, as the server sees a surface."""

    def __init__(self, worlds: Reloader) -> None:
        self._worlds = worlds

    def feed(self, buffer: bytearray) -> Request | None:
        """A complete request from the front of `buffer`, or None while more bytes are needed."""
        return protocol.decode_request(buffer)

    def prepare(self, request: Request, world: World) -> Framed:
        """Decide a request."""
        return Framed(prepare(request, world))

    def failed(self, request: Request, cause: str, detail: str) -> bytes:
        """The reply when the decision could not be recorded."""
        reply = unrecorded(request, self._worlds.current(), cause, detail)
        return protocol.encode_reply(protocol.ANSWER, reply.exit_code, reply.stdout, reply.stderr)

    def refused(self, status: int) -> bytes:
        """A reply that carries no answer: busy, draining, or another protocol version."""
        return protocol.encode_reply(status, 2, b"", b"")


def main() -> int:
    """Run the resident engine in the foreground until SIGTERM."""
    os.umask(0o077)
    try:
        state: State = locate(os.environ, os.getcwd())
        state.ensure()
        worlds = Reloader(state)
        ledger = Ledger.open(state, redact=lambda value: worlds.current().redact(value))
        return Server(state, surface=HookSurface(worlds), ledger=ledger, world=worlds).run()
    except BkError as error:
        sys.stderr.write(f"bk: {error}\n{error.next_step}\n")
        return error.code


if __name__ == "__main__":
    sys.exit(main())
