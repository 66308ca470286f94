"""An installation whose agent acts: real decisions in a real ledger, real generations of the index, real passes."""

from __future__ import annotations

import time
from typing import Any

from bk.engine.config.schema import BY_NAME
from bk.engine.corpus.batch import Report, run
from bk.engine.corpus.shapes import Event, Label
from bk.engine.corpus.store import Corpus
from bk.engine.decide import decide
from bk.engine.intel import generations, overlay
from bk.engine.intel.record import Record
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry, ToolCall
from bk.engine.provenance import PinnedOrigin, Unproven
from bk.engine.record import entry_of
from bk.engine.state import State
from bk.engine.world import World

DAY_MS = 86_400_000
START = time.time_ns() // 1_000_000  # decisions look at the real clock for what has expired
GROUPS = {"alpha": "npm pypi", "beta": "npm pypi", "gamma": "npm"}
TABLES = ("event", "label", "cluster", "package", "overlay_entry", "envelope")


class House:
    """One installation. `now` moves only when it is told to."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.values: dict[str, Any] = {name: key.default for name, key in BY_NAME.items()}
        self.now = START
        self.records: list[Record] = []
        self.known = dict(GROUPS)
        self.generation = 0
        self.sync()

    # ---- what sources say

    def say(self, name: str, *groups: str, version: str = "1.0.0", **over: Any) -> None:
        """Have groups call a version bad, from the next sync on."""
        kind = over.get("kind", "exact")
        vouched = PinnedOrigin() if over.get("real", True) else Unproven()
        versions = (version,) if kind == "exact" else over.get("versions", ())
        severity = over.get("severity", "high")
        for group in groups:
            self.records.append(
                Record(over.get("ecosystem", "npm"), name, kind, versions, severity, (group,), vouched,
                       ident=f"MAL-{group}-1", sources=(group,))
            )  # fmt: skip

    def withdraw(self, *groups: str) -> None:
        """Have groups say nothing any more, while they are still asked."""
        self.records = [record for record in self.records if record.groups[0] not in groups]

    def sync(self, days: float = 0.0) -> None:
        """Put what the sources say in force, some time later."""
        self.now += int(days * DAY_MS)
        sources = {
            name: {"group": name, "date": "2026-01-01", "records": 1, "ecosystems": ecosystems.split()}
            for name, ecosystems in self.known.items()
        }
        meta = {"sources": sources}
        self.generation = generations.activate(self.state, list(self.records), meta, "test").number

    # ---- what happens

    def judge(self, command: str, session: str = "s1") -> Entry:
        """What would be recorded of an agent's command."""
        world = World.open(self.state)
        call = ToolCall("Bash", "shell", {"command": command}, harness="claude-code", cwd="/srv/shop",
                        home=self.state.home, session=session)  # fmt: skip
        return entry_of(call, decide(call, world), world, 1)

    def does(self, command: str, *, session: str = "s1", days: float = 0.0) -> str:
        """An agent's command, decided and recorded; the verdict's word."""
        self.now += int(days * DAY_MS)
        entry = self.judge(command, session)
        self.record(entry)
        return entry.level

    def engine(self, event: str, *, days: float = 0.0) -> None:
        """An engine starts or stops."""
        self.now += int(days * DAY_MS)
        self.record(Entry("engine", "engine", {"event": event}))

    def record(self, *entries: Entry) -> None:
        """Write entries as of now."""
        ledger = Ledger.open(self.state, redact=redactor())
        try:
            for entry in entries:
                entry.at = entry.at or self.now
            ledger.append(list(entries), sync=True)
        finally:
            ledger.close()

    def run(self, *, days: float = 0.0, **over: Any) -> Report:
        """A pass with the index that decisions use."""
        self.now += int(days * DAY_MS)
        index = overlay.in_force(self.state)
        try:
            return run(self.state, self.values, index=index, generation=self.generation, now_ms=self.now, **over)
        finally:
            index.close()

    # ---- what is known

    def events(self, **filters: Any) -> list[Event]:
        """All of them, newest first."""
        with Corpus(self.state) as corpus:
            return corpus.page(None, 1000, filters)

    def only(self) -> Event:
        """The one event there is."""
        (event,) = self.events()
        return event

    def outcome(self) -> str:
        """What the one event turned out to be."""
        return str(self.only().outcome["true_label"])

    def label(self, event: Event, true_label: str, source: str, **evidence: Any) -> str:
        """A person's word."""
        label = Label("", event.id, "", true_label, source, at_ms=self.now, actor="person:1000", evidence=evidence)
        with Corpus(self.state, write=True) as corpus:
            return corpus.label(label)

    def undo(self, label: str) -> str:
        """A person takes a label back."""
        with Corpus(self.state, write=True) as corpus:
            return corpus.undo(label, "person:1000", self.now)

    def labels(self) -> list[Label]:
        """Every label of the one event, in the order in which they were given."""
        with Corpus(self.state) as corpus:
            return corpus.labels(self.only().id)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is kept, but how far each thing was followed."""
        return tables(self.state)


def tables(state: State) -> dict[str, list[tuple[Any, ...]]]:
    """The content of the corpus's tables."""
    from bk.engine.corpus import schema

    con = schema.opened(f"{state.root}/{schema.NAME}", write=False)
    try:
        return {name: con.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in TABLES}
    finally:
        con.close()
