"""Starting and stopping the engine from outside. The first part is on the cold path: it must cost next to nothing."""

from __future__ import annotations

import fcntl
import os
import sys
import time

from bk.engine.errors import BkError
from bk.engine.service.lock import FLAGS, Holder, holder, start_ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

STARTING = "BK_STARTING"
FREE_TRIES = 3
MAX_PAUSE_S = 60.0
START_S = 15.0
STOP_S = 8.0


def ensure_running(state: State) -> None:
    """Leave an engine starting and return at once; does nothing when one runs or is being started.

    The new engine inherits the lock on `starting.lock` and lets go of it when it serves, so a herd of callers starts
    one engine. One that keeps failing is tried ever less often.
    """
    if os.geteuid() != state.owner:
        return
    fd = os.open(_starting(state), FLAGS, 0o600)
    try:
        if _locked(fd) and holder(state.engine_lock) is None and _due(fd):
            _spawn(state, fd)
    finally:
        os.close(fd)


def started() -> None:
    """In the engine: others may start one again, and this one counts as a success."""
    text = os.environ.pop(STARTING, "")
    if not text.isdigit():
        return
    try:
        os.ftruncate(int(text), 0)
        os.close(int(text))
    except OSError:
        return  # the number came with an environment that was not ours


def running(state: State) -> Holder | None:
    """The engine that runs now."""
    there = holder(state.engine_lock)
    return there if there is not None and there.known else None


def start(state: State, *, patience_s: float = START_S) -> Holder:
    """An engine that answers: the one that runs, or a new one. Raises BkError with the reason when there is none."""
    from bk.engine.service.endpoint import listening

    until = time.monotonic() + patience_s
    state.ensure()
    peer = listening(state.socket)  # where a service manager listens, this already starts the engine
    seen = _size(state.log)
    pid = 0 if peer is not None and peer.is_service_manager else _launch(state, until)
    while time.monotonic() < until:
        there = holder(state.engine_lock)
        if there is not None and there.known:
            peer = listening(state.socket)
            if peer is not None and (peer.pid == there.pid or peer.is_service_manager):
                return there
        elif pid and not start_ticks(pid):
            raise BkError("the engine did not start", _tail(state.log, seen) or "it left no message", "bk engine run")
        time.sleep(0.02)
    raise BkError(
        "the engine does not answer", _tail(state.log, seen) or f"{patience_s:.0f} s went by", "bk engine status"
    )


def stop(state: State, *, patience_s: float = STOP_S) -> Holder | None:
    """Ask the engine to finish and wait until it has; None when none was running."""
    import select
    import signal

    there = holder(state.engine_lock)
    if there is None:
        return None
    if not there.known:
        raise BkError(
            "the engine cannot be stopped",
            f"the process that holds {state.engine_lock} is not the one written in it",
            f"find it with: fuser {state.engine_lock}",
        )
    try:
        process = os.pidfd_open(there.pid)
    except ProcessLookupError:
        return there
    try:
        # the descriptor now names one process for good; make sure that it is the one that the lock file means
        if start_ticks(there.pid) != there.start:
            return there
        if os.stat(f"/proc/{there.pid}").st_uid != state.owner:
            raise BkError("the engine cannot be stopped", f"process {there.pid} belongs to another user")
        signal.pidfd_send_signal(process, signal.SIGTERM)
        waiting = select.poll()
        waiting.register(process, select.POLLIN)
        if not waiting.poll(patience_s * 1000):
            raise BkError(
                "the engine does not stop",
                f"process {there.pid} was asked to, {patience_s:.0f} s ago",
                f"look at {state.log}; then: kill -KILL {there.pid} (what it recorded stays)",
            )
    finally:
        os.close(process)
    return there


def _starting(state: State) -> str:
    return f"{state.run}/starting.lock"


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _due(fd: int) -> bool:
    """Count this try; False while a pause after several failed ones lasts."""
    text = os.pread(fd, 16, 0)
    tries = int(text) if text.isdigit() else 0
    if tries >= FREE_TRIES:
        pause = min(2.0 ** min(tries - FREE_TRIES, 10), MAX_PAUSE_S)
        if 0 <= time.time() - os.fstat(fd).st_mtime < pause:
            return False
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d" % (tries + 1), 0)
    return True


def _spawn(state: State, lock: int) -> int:
    """Start a detached engine that owns nothing of its caller's: no terminal, no descriptors, no environment."""
    import _signal  # type: ignore[import-not-found]  # `signal` costs more than all the rest here

    from bk.engine.service.log import open_log

    if not os.path.isabs(sys.executable):
        raise BkError("no engine can be started", "the Python interpreter does not know its own path", "bk diag")
    env = {"HOME": state.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", STARTING: str(lock)}
    if not state.placed:
        env["BK_HOME"] = state.root
    log = open_log(state.log)
    os.set_inheritable(lock, True)
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, log, 1),
        (os.POSIX_SPAWN_DUP2, log, 2),
    ]
    actions += [(os.POSIX_SPAWN_CLOSE, fd) for fd in _leaking() if fd != lock]
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        os.chdir("/")  # an engine must not keep its caller's directory, which may be a mount, busy
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-m", "bk.serve"],
            env,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=(_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGALRM),
        )
    finally:
        os.fchdir(here)
        os.close(here)
        os.close(log)
        os.set_inheritable(lock, False)


def _leaking() -> list[int]:
    """Descriptors above standard error that a child would inherit: a harness that waits for their end would hang."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
        except OSError:
            continue  # the descriptor of the listing itself
    return found


def _launch(state: State, until: float) -> int:
    """Start an engine that is nobody's child; 0 when there is one, or somebody else is starting one."""
    fd = os.open(_starting(state), FLAGS, 0o600)
    try:
        while not _locked(fd):
            if holder(state.engine_lock) is not None or time.monotonic() > until:
                return 0
            time.sleep(0.02)
        if holder(state.engine_lock) is not None:
            return 0
        os.ftruncate(fd, 0)  # a person asked: earlier failures do not count
        answer, tell = os.pipe2(os.O_CLOEXEC)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.write(tell, b"%d" % _spawn(state, fd))
                code = 0
            finally:
                os._exit(code)
        os.close(tell)
        os.waitpid(child, 0)
        said = os.read(answer, 16)
        os.close(answer)
    finally:
        os.close(fd)
    if not said:
        raise BkError("the engine did not start", f"{sys.executable} cannot be run", "bk diag")
    return int(said)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _tail(path: str, offset: int) -> str:
    """What the log gained since `offset`: its last lines."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, min(offset, _size(path))))
            return "\n".join(file.read(16384).decode(errors="replace").strip().splitlines()[-4:])
    except OSError:
        return ""
