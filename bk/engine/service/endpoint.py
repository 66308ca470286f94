"""The socket's place on disk: taken whole, kept, and checked, because whoever holds the path answers for the guard."""

from __future__ import annotations

import _socket
import os
import stat
import struct

from bk.engine.errors import BkError
from bk.engine.service import activation
from bk.engine.service.lock import identity
from bk.engine.state import SOCKET_MAX, trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

BACKLOG = 1024
PROBE_S = 0.5
_CRED = struct.Struct("3i")


class Peer:
    """The process at the other end of a socket, as the kernel knows it."""

    __slots__ = ("gid", "pid", "uid")

    def __init__(self, pid: int, uid: int, gid: int) -> None:
        self.pid = pid
        self.uid = uid
        self.gid = gid

    @property
    def program(self) -> str:
        """What it runs: for a report, never for a decision."""
        try:
            with open(f"/proc/{self.pid}/cmdline", "rb") as file:
                return file.read(400).replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""

    @property
    def is_service_manager(self) -> bool:
        """Whether it is systemd, which listens on our behalf while no engine runs."""
        try:
            return os.path.basename(os.readlink(f"/proc/{self.pid}/exe")) in ("systemd", "systemd-executor")
        except OSError:
            return False


def peer_of(sock: _socket.socket) -> Peer:
    """Who connected, or who listens: fixed by the kernel at that moment."""
    return Peer(*_CRED.unpack(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CRED.size)))


def listening(path: str) -> Peer | None:
    """Who listens at a socket path now; None when nobody does."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        sock.settimeout(PROBE_S)
        sock.connect(path)
        return peer_of(sock)
    except BlockingIOError:
        return Peer(0, -1, -1)  # its queue is full: somebody is there, and does not say who
    except TimeoutError:
        return Peer(0, -1, -1)
    except OSError:
        return None
    finally:
        sock.close()


class Endpoint:
    """The bound, listening socket. `planted` tells who was listening in its place before; `stale`, that a file was."""

    __slots__ = ("_identity", "_shared", "activated", "listener", "path", "planted", "stale")

    def __init__(self, state: State) -> None:
        self.path = state.socket
        self._shared = state.callers != {state.owner}
        self.planted: Peer | None = None
        self.stale = False
        trusted(state.run, os.lstat(state.run), state.owner, shared=self._shared)
        handed = activation.inherited(self.path)
        self.activated = handed is not None
        if handed is not None:
            handed.setblocking(False)
            self.listener = handed
            self._identity = identity(self.path)
            return
        self.planted = self._squatter()
        self.listener, self._identity = self._bind()

    def intact(self) -> bool:
        """Whether clients that open the path still reach us."""
        return identity(self.path) == self._identity

    def rebind(self) -> Peer | None:
        """Take the path back; tells who listened there meanwhile. The old listener is closed by the caller."""
        squatter = listening(self.path)
        self.listener, self._identity = self._bind()
        self.activated = False
        return squatter

    def withdraw(self) -> None:
        """Take the path away, if it is ours, so that clients decide by themselves at once."""
        if not self.activated and self.intact():
            os.unlink(self.path)

    def _squatter(self) -> Peer | None:
        """Who listens at our path although no engine runs (we hold the lock)."""
        try:
            info = os.lstat(self.path)
        except FileNotFoundError:
            return None
        self.stale = True
        if not stat.S_ISSOCK(info.st_mode):
            return None
        peer = listening(self.path)
        if peer is not None and peer.is_service_manager:
            raise BkError(
                "the service manager holds the socket",
                f"{self.path}: systemd starts the engine when a client connects",
                "systemctl --user start bk-engine.service, or bk engine uninstall",
            )
        return peer

    def _bind(self) -> tuple[_socket.socket, tuple[int, int]]:
        """Bind beside the path and rename into it: the path is never absent and never half there."""
        beside = f"{os.path.dirname(self.path)}/e.{os.getpid()}"
        if max(len(os.fsencode(beside)), len(os.fsencode(self.path))) > SOCKET_MAX:
            raise BkError(
                "the socket's path is too long",
                f"{self.path}: the system allows {SOCKET_MAX} bytes",
                "use a state directory with a shorter path",
            )
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            if os.path.lexists(beside):
                os.unlink(beside)
            sock.bind(beside)
            if self._shared:
                os.chmod(beside, 0o666)  # noqa: S103 - the directory and the peer check keep everyone else out
            sock.listen(BACKLOG)
            ours = identity(beside)
            os.replace(beside, self.path)
        except OSError as error:
            sock.close()
            raise BkError("the socket cannot be made", f"{self.path}: {error.strerror}", "bk diag") from error
        finally:
            os.umask(before)
        return sock, ours
