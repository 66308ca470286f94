"""What a service manager hands over at start (a bound socket) and wants to hear (ready, stopping)."""

from __future__ import annotations

import _socket
import os

from bk.engine.errors import BkError

FIRST_FD = 3


def inherited(expected: str) -> _socket.socket | None:
    """The listening socket that the service manager bound for us; None when it bound none."""
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit() or int(count) < 1:
        return None
    for fd in range(FIRST_FD, FIRST_FD + int(count)):
        os.set_inheritable(fd, False)
    sock = _socket.socket(fileno=FIRST_FD)
    listens = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN)
    if sock.family != _socket.AF_UNIX or sock.type != _socket.SOCK_STREAM or not listens:
        raise BkError("the service manager handed over a socket of another kind", str(sock), "bk engine install")
    if sock.getsockname() != expected:
        raise BkError(
            "the service manager listens in another place",
            f"{sock.getsockname()!r} instead of {expected}",
            "bk engine install",
        )
    return sock


def tell(message: str) -> None:
    """Tell the service manager how we are, when there is one that wants to know."""
    target = os.environ.get("NOTIFY_SOCKET", "")
    if target[:1] not in ("/", "@"):
        return
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        sock.sendto(message.encode(), _socket.MSG_DONTWAIT, "\0" + target[1:] if target[0] == "@" else target)
    except OSError:
        return  # a manager that cannot be told will find out by itself
    finally:
        sock.close()
