"""Where the engine is and whether it is ours: the native client's rules, in Python.

`bk.engine.state` says where things live; a caller without a HOME, which a person's shell always has, is refused here.
"""

from __future__ import annotations

import _socket
import os

from bk.engine import state as places
from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

S_IFMT, S_IFDIR = 0o170000, 0o040000
SUN_PATH = 108


class Denied(Exception):  # noqa: N818 - it is an answer, not a mishap
    """The call is denied with "reason: detail". `detail` may be outside text."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def errno_denial(reason: str, error: OSError) -> Denied:
    """A denial because the system said no."""
    return Denied(reason, f"errno {error.errno}")


def locate(env: Mapping[str, str], cwd: str) -> places.State:
    """This user's installation; raises Denied where nobody could tell, or the project would."""
    try:
        state = places.locate(env, cwd)
    except BkError as error:
        raise Denied(error.title, error.detail) from None
    if not (state.placed or env.get("HOME") or env.get("BK_HOME")):
        raise Denied("HOME is not set", "so there is no telling where the engine is")
    return state


def run_directory(state: places.State) -> bool:
    """Whether the socket's directory is there; raises Denied when it is not the owner's alone."""
    run = state.run
    try:
        info = os.lstat(run)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise errno_denial("the engine's directory cannot be examined", error) from None
    if info.st_mode & S_IFMT != S_IFDIR:
        raise Denied("the engine's directory is not a real directory", run)
    if info.st_uid != state.owner:
        raise Denied("the engine's directory belongs to another user", run)
    # callers of an engine with its own uid must get in
    if info.st_mode & (0o077 if state.owner == os.geteuid() else 0o022):
        raise Denied("the engine's directory is open to others", run)
    return True


def connect(state: places.State) -> _socket.socket | None:
    """A connection to the engine, its uid checked; None when nobody listens."""
    path = os.fsencode(state.socket)
    if len(path) >= SUN_PATH:
        return None
    try:
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    except OSError as error:
        raise errno_denial("there is no socket to be had", error) from None
    sock.setblocking(False)  # a queue that is full must not hold the call
    try:
        sock.connect(path)
    except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
        sock.close()
        return None
    except OSError as error:
        raise errno_denial("the engine's socket cannot be opened", error) from None
    sock.setblocking(True)
    cred = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    uid = int.from_bytes(cred[4:8], "little" if _LITTLE else "big")
    if uid != state.owner:
        raise Denied("another user's process holds the engine's socket; its uid is", str(uid))
    return sock


_LITTLE = memoryview(b"\1\0").cast("H")[0] == 1
