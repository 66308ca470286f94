"""What the engine tells of itself: a small file it keeps current, believed only as far as the kernel confirms it."""

from __future__ import annotations

import json
import os
import time

from bk.engine.service.endpoint import listening
from bk.engine.service.lock import holder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json
    from bk.engine.state import State

MAX_TEXT = 64 * 1024


def path_of(state: State) -> str:
    """Where the file is."""
    return f"{state.run}/status.json"


def write(state: State, said: dict[str, Json]) -> None:
    """Replace the file; readers see the old one or the new one."""
    path = path_of(state)
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(fd, json.dumps(said).encode())
    finally:
        os.close(fd)
    os.replace(f"{path}.new", path)


def remove(state: State) -> None:
    """No engine, no status."""
    try:
        os.unlink(path_of(state))
    except FileNotFoundError:
        return


class EngineStatus:
    """Whether an engine runs, and how it is. `problems` are sentences; empty means that all is well."""

    __slots__ = ("pid", "problems", "running", "said", "socket", "uptime_s", "version")

    def __init__(self, state: State) -> None:
        self.socket = state.socket
        self.problems: list[str] = []
        self.said: dict[str, Json] = {}
        self.pid, self.version, self.uptime_s = 0, "", 0.0
        held = holder(state.engine_lock)
        peer = listening(state.socket)
        self.running = held is not None and held.known
        if held is None:
            if peer is not None and not peer.is_service_manager:
                self.problems.append(
                    f"no engine runs, but process {peer.pid} (uid {peer.uid}) listens in its place: {peer.program}"
                )
            return
        if not held.known:
            self.problems.append(f"{state.engine_lock} is held by a process that is not the engine")
            return
        self.pid, self.version = held.pid, held.version
        self.uptime_s = max(0.0, time.time() - held.since) if held.since else 0.0
        self.said = _read(state, held.pid)
        if peer is None:
            self.problems.append(f"the engine runs, but nobody listens at {state.socket}")
        elif peer.pid != held.pid and not (self.said.get("activated") and peer.is_service_manager):
            self.problems.append(
                f"process {peer.pid} (uid {peer.uid}) listens in the engine's place: {peer.program or 'unknown'}"
            )
        problems = self.said.get("problems")
        self.problems += [str(problem) for problem in problems] if isinstance(problems, list) else []

    def told(self) -> dict[str, Json]:
        """The status as JSON."""
        kept = {k: v for k, v in self.said.items() if k not in ("pid", "problems", "start")}
        return {
            "running": self.running,
            "pid": self.pid,
            "version": self.version,
            "uptime_s": round(self.uptime_s, 1),
            "socket": self.socket,
            **kept,
            "problems": self.problems,
        }


def _read(state: State, pid: int) -> dict[str, Json]:
    """The file's content when it is this engine's."""
    try:
        fd = os.open(path_of(state), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return {}
    try:
        said = json.loads(os.read(fd, MAX_TEXT))
    except ValueError:
        return {}
    finally:
        os.close(fd)
    return said if type(said) is dict and said.get("pid") == pid else {}
