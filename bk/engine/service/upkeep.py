"""What keeps a running engine honest: fresh sources, its own path and lock, signed checkpoints, and a true status."""

from __future__ import annotations

import _thread
import os

from bk import __version__
from bk.engine.catalogs.due import Keeper, spawn
from bk.engine.errors import BkError
from bk.engine.responder import watch
from bk.engine.service import events, side_index, status
from bk.engine.service.lock import start_ticks
from bk.engine.trail import tidy as trail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bk.engine.model import Entry, Json
    from bk.engine.service.contract import Book, WorldSource
    from bk.engine.service.desk import Tally
    from bk.engine.service.endpoint import Endpoint, Peer
    from bk.engine.service.lock import EngineLock
    from bk.engine.service.log import EngineLog
    from bk.engine.service.scheduler import Flusher
    from bk.engine.state import State

TIDY_WAIT_S = 2.0


class Upkeep:
    """The chores, and the reports they make. `troubles` is what is wrong now, by matter."""

    __slots__ = (
        "_book", "_catalogs", "_endpoint", "_flusher", "_lock", "_log", "_rare", "_recovered", "_side_index",
        "_signed_at", "_signed_seq", "_state", "_tally", "_tidying", "_told", "_watch", "_world", "clock", "troubles",
    )  # fmt: skip

    def __init__(
        self,
        state: State,
        *,
        book: Book,
        world: WorldSource,
        endpoint: Endpoint,
        lock: EngineLock,
        log: EngineLog,
        flusher: Flusher,
        tally: Tally,
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._book = book
        self._world = world
        self._endpoint = endpoint
        self._lock = lock
        self._log = log
        self._flusher = flusher
        self._tally = tally
        self._rare = events.Rare(clock)
        self._signed_at, self._signed_seq = clock(), 0
        self._told: dict[str, Json] = {}
        self._recovered = not os.path.exists(f"{state.root}/quarantine.db")
        self._tidying = _thread.allocate_lock()
        self._catalogs = Keeper(state, clock())
        self._watch = watch.Watch(
            state, lambda words, answers: spawn(state, words, module=watch.MODULE, answers=answers), clock=clock
        )
        self._side_index = side_index.SideIndex(state, lambda: spawn(state, (), module=side_index.MODULE), clock())
        self.clock = clock
        self.troubles: dict[str, str] = {}

    def started(self) -> None:
        """Record the start, and what was found in our place before it; an engine that cannot record must not run."""
        world = self._world.current()
        entries = [
            events.engine(
                "start",
                version=__version__,
                pid=os.getpid(),
                policy=world.policy.digest,
                index=world.generation,
                socket=self._state.socket,
                activated=self._endpoint.activated,
                previous="killed" if self._lock.leftover else "stopped",
            )
        ]
        if self._endpoint.planted is not None:
            entries.append(self._squatted("before this engine started", self._endpoint.planted))
        self._keep(entries)
        for entry in entries[1:]:
            self._noted("socket", entry)
        self._log.write(f"engine {__version__} serves {self._state.socket}, policy {world.policy.digest[:12]}")
        if not self._recovered:
            self.tidy()

    def stopped(self) -> None:
        """Record the stop and sign it, as far as the ledger still can."""
        served = self._tally.served
        self._tidying.acquire(timeout=TIDY_WAIT_S)  # what is cut short here is taken up again by the next engine
        self.attempt("record the stop", lambda: self._keep([events.engine("stop", pid=os.getpid(), served=served)]))
        self.attempt("checkpoint", self._sign)
        self._catalogs.stop()
        self._side_index.stop()
        self._watch.stop()
        self._log.write(f"stopped after {served} calls")

    def refresh(self) -> None:
        """Look at config, rules and index; what changed is recorded."""
        news = self._world.refresh()
        if news:
            self._keep(news)
            for entry in news:
                self._log.write(f"{entry.kind}: {entry.data.get('title') or entry.data.get('event')}")
        if self._flusher.error:
            self.failed("flush to disk", BkError("what was recorded may not survive a power cut", self._flusher.error))
        else:
            self.troubles.pop("flush to disk", None)

    def path_taken(self) -> bool:
        """Whether the socket's path leads elsewhere now."""
        return not self._endpoint.intact()

    def path_taken_back(self, squatter: Peer | None) -> None:
        """Report whom the path was taken back from."""
        entry = self._squatted("while this engine ran", squatter)
        self._noted("socket", entry)
        self.attempt("record an incident", lambda: self._keep([entry]))

    def guard_lock(self) -> None:
        """Say so when the lock file is not the one we hold: a second engine could start."""
        if self._lock.intact():
            return
        title = "the engine's lock file was replaced"
        self.troubles["lock"] = title
        self.report(events.incident("lock-replaced", title, self._state.engine_lock, "bk engine stop, then start"))

    def watch(self) -> None:
        """See that things are checked as they land, if they are to be."""
        self._watch.keep(self._world.current().policy.values)
        if self._watch.trouble:
            raise BkError("things are not checked as they land", self._watch.trouble)

    def checkpoint(self) -> None:
        """Sign the ledger's head when enough was added or enough time has passed."""
        values = self._world.current().policy.values
        added = self._tally.seq - self._signed_seq
        overdue = self.clock() - self._signed_at >= values["audit.checkpoint_seconds"]
        if overdue or added >= values["audit.checkpoint_entries"]:
            self._sign()

    def tidy(self) -> None:
        """Close a long segment, drop what is old, ask for news: in a thread of its own, because it takes seconds."""
        if self._tidying.acquire(blocking=False):
            values = self._world.current().policy.values
            _thread.start_new_thread(self._tidy, (values,))

    def _tidy(self, values: Mapping[str, Json]) -> None:
        entries, days = values["audit.segment_entries"], values["audit.retention_days"]
        try:
            if not self._recovered:
                self.attempt("recover the quarantine", self._recover)
            self.attempt("tidy the ledger", lambda: self._book.tidy(segment_entries=entries, retention_days=days))
            self.attempt("tidy the trail", self._tidy_trail)
            self.attempt("keep the side index", lambda: self._side_index.turn(self._tally.seq, self.clock()))
            self.attempt("bring the catalogs up to date", lambda: self._catalogs.turn(values, self.clock()))
            self.attempt("ask registries", lambda: self._ask(values))
        finally:
            self._tidying.release()

    def _recover(self) -> None:
        """Bring moves that a crash cut off to their end, once, and say what became of each."""
        from bk.quarantine.recovery import recover

        done = recover(self._state)
        self._recovered = True
        if done:
            self._keep([events.recovered(each.held, each.was) for each in done])

    def _tidy_trail(self) -> None:
        """Keep the trail of sessions small; one that was damaged is an incident."""
        why = trail.tidy(self._state)
        if why:
            title = "the trail of sessions cannot be used"
            self.report(events.incident("trail-unavailable", title, why, "find out what changed it"))

    def _ask(self, values: Mapping[str, Json]) -> None:
        """Look up what decisions wanted to know of packages, where a registry is named at all."""
        from bk.engine.intel.registry import fetch

        fetch(self._state, values)

    def tell_status(self) -> None:
        """Bring the status file up to date; an idle engine writes nothing."""
        world = self._world.current()
        problems = [*self.troubles.values(), *map(str, world.policy.problems)]
        if world.rules is not None:
            problems += world.rules.problems
        if world.failure is not None:
            problems.append(str(world.failure))
        said: dict[str, Json] = {
            "pid": os.getpid(),
            "start": start_ticks(os.getpid()),
            "activated": self._endpoint.activated,
            "policy": world.policy.digest,
            "generation": world.generation,
            "requests": self._tally.told(),
            "watch": self._watch.told(),
            "side_index": self._side_index.told(),
            "problems": problems,
        }
        if said == self._told:
            return
        self._told = said
        seq, chain = self._book.head()
        status.write(self._state, {**said, "ledger": {"seq": seq, "chain": chain.hex()}})

    def stranger(self, peer: Peer) -> None:
        """Another user connected: counted always, recorded once a minute."""
        self._tally.foreign += 1
        title = "another user tried to talk to the engine"
        detail = f"uid {peer.uid}, process {peer.pid} ({peer.program or 'unknown'})"
        self.report(events.incident("foreign-uid", title, detail, "find out what runs as that user"))

    def malformed(self, why: str) -> None:
        """A frame that is none: counted always, logged once a minute."""
        self._tally.malformed += 1
        if self._rare.due("malformed"):
            self._log.write(f"refused a malformed request (once a minute is told): {why}")

    def report(self, entry: Entry) -> None:
        """Log and record an incident, each kind once a minute; when recording is what fails, the log has it."""
        if not self._rare.due(str(entry.data["incident"])):
            return
        self._log.write(f"{entry.data['title']}: {entry.data['detail']}")
        self.attempt("record an incident", lambda: self._keep([entry]))

    def attempt(self, name: str, work: Callable[[], None]) -> None:
        """Do something that may fail without taking the calls down with it."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told in the status and the log
            self.failed(name, error)
        else:
            self.troubles.pop(name, None)

    def failed(self, name: str, error: Exception) -> None:
        """Keep a chore's failure in the status, and log it once a minute."""
        cause, detail = events.explained(error)
        self.troubles[name] = f"{name}: {cause}: {detail}"
        if self._rare.due(f"chore {name}"):
            self._log.write(f"{name} failed: {cause}: {detail}")
        if name == "checkpoint" and cause == "corrupt":  # what does not fit the chain is never signed, and is told
            title = "the ledger was changed by something else"
            self.report(events.incident("ledger-damaged", title, detail, "bk audit verify", level="block"))

    def _sign(self) -> None:
        self._signed_at, self._signed_seq = self.clock(), self._tally.seq
        self._book.checkpoint()

    def _keep(self, entries: list[Entry]) -> None:
        self._tally.seq = self._book.append(entries, sync=True)[-1].seq

    def _noted(self, matter: str, entry: Entry) -> None:
        self.troubles[matter] = f"{entry.data['title']}: {entry.data['detail']}"
        self._log.write(self.troubles[matter])

    def _squatted(self, when: str, squatter: Peer | None) -> Entry:
        path = self._state.socket
        if squatter is None:
            title, detail = "the engine's socket was taken away", f"{path} was removed or replaced {when}"
            return events.incident("socket-removed", title, detail, "find out what did it", level="block")
        title = "something else listened in the engine's place"
        detail = (
            f"{path} {when}: process {squatter.pid}, uid {squatter.uid} ({squatter.program or 'unknown'}); "
            "calls that it answered were not decided by bk"
        )
        return events.incident("socket-planted", title, detail, "find out what did it; bk took it back", level="block")
