"""What a person may ask of the resident engine, and do with it; what changes something leaves an entry."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bk.engine.console.gate import require_admin
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.service import lifecycle, systemd
from bk.engine.service.lock import Holder
from bk.engine.service.status import EngineStatus
from bk.engine.state import State, locate

if TYPE_CHECKING:
    from bk.engine.model import Json


class Service:
    """What `install` or `uninstall` did: files, and the commands that are still to be run by hand."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.ran: list[str] = []
        self.to_run: list[str] = []
        self.problem = ""

    def tell(self, verb: str, commands: list[list[str]]) -> None:
        """Tell systemd; after the first command that fails the rest is for the person."""
        for words in commands:
            why = "" if self.to_run else systemd.tell(words)
            if why or self.to_run:
                self.problem = self.problem or f"{verb}: {why}"
                self.to_run.append(" ".join(words))
            else:
                self.ran.append(" ".join(words))


def status(env: Mapping[str, str] | None = None) -> EngineStatus:
    """How the engine is."""
    return EngineStatus(_state(env))


def watching(said: Mapping[str, Json]) -> str:
    """What the engine's own status says of its watch over what lands, in one line."""
    watch = said.get("watch")
    if not isinstance(watch, dict) or not watch.get("on"):
        return "off: what is installed is checked by scans alone"
    told = f"{watch.get('places', 0)} places are watched"
    if watch.get("polled"):
        told += f", {watch['polled']} of them by looking every few seconds: {watch.get('why')}"
    return told + (f"; {watch['left_out']} more are left to scans" if watch.get("left_out") else "")


def unindexed(said: Mapping[str, Json]) -> tuple[str, str]:
    """Why the engine does not keep the index for free text, and what to do; "" while it does."""
    index = said.get("side_index")
    if not isinstance(index, dict) or index.get("on") is not False:
        return "", ""
    return str(index.get("why", "")), str(index.get("next", ""))


def start(env: Mapping[str, str] | None = None) -> tuple[Holder, bool]:
    """An engine that answers, and whether it was running before."""
    state = _state(env)
    before = lifecycle.running(state)
    there = lifecycle.start(state)
    return there, before is not None and before.pid == there.pid


def stop(*, admin: bool, env: Mapping[str, str] | None = None) -> Holder | None:
    """Let the engine finish and end; None when none was running."""
    require_admin(admin, env)
    state = _state(env)
    there = lifecycle.running(state)
    if there is None:
        return None
    _record(state, "engine stop", pid=there.pid)
    return lifecycle.stop(state)


def install(*, now: bool, env: Mapping[str, str] | None = None) -> Service:
    """Write the user service; with `now`, also hand it to systemd."""
    state = _state(env)
    state.ensure()
    done = Service(systemd.install(state))
    _record(state, "engine install", units=done.paths)
    first, last = systemd.steps("install")
    if not now:
        done.to_run = [" ".join(words) for words in (first, last)]
        return done
    done.tell("install", [first])
    if not done.problem:
        lifecycle.stop(state)  # systemd must bind the path; an engine that holds it would be in the way
    done.tell("install", [last])
    return done


def uninstall(*, admin: bool, env: Mapping[str, str] | None = None) -> Service:
    """Take the user service away."""
    require_admin(admin, env)
    state = _state(env)
    done = Service([])
    if not systemd.installed(state):
        return done
    first, last = systemd.steps("uninstall")
    _record(state, "engine uninstall")
    done.tell("uninstall", [first])
    done.paths = systemd.uninstall(state)
    done.tell("uninstall", [last])
    return done


def foreground(env: Mapping[str, str] | None = None) -> None:
    """Become the engine: this process does not come back."""
    state = _state(env)
    state.ensure()
    sys.stdout.flush()
    words = [sys.executable, "-I", "-m", "bk.serve"]
    try:
        os.execv(sys.executable, words)  # noqa: S606 - its own interpreter, by absolute path
    except OSError as error:
        raise BkError("the engine cannot be run", f"{sys.executable}: {error.strerror}", "bk diag") from error


def _state(env: Mapping[str, str] | None) -> State:
    return locate(os.environ if env is None else env, os.getcwd())


def _record(state: State, verb: str, **said: object) -> None:
    from bk.engine.ledger.store import Ledger

    ledger = Ledger.open(state)
    try:
        ledger.append([Entry("admin", "person", {"verb": verb, **said})], sync=True)
    finally:
        ledger.close()
