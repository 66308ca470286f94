"""How the threat catalogs stand: which generation is in force, how fresh it is, and what became of every source."""

from __future__ import annotations

import os

from bk.engine.catalogs import feeds
from bk.engine.catalogs.store import Held, Row, Run, Store
from bk.engine.intel.freshness import stale_days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.intel.sources.source import Source
    from bk.engine.model import Json
    from bk.engine.state import State

IMPORTED = "import-"
_ROW = (
    "name", "title", "group", "licence", "provenance", "enabled", "needs", "entries", "packages", "last_success_ms",
    "last_attempt_ms", "next_ms", "problem", "problem_kind", "serial",
)  # fmt: skip


class SourceRow:
    """One source as it stands. `needs` is what a person must still give; `held` says why its news waits, or is None."""

    __slots__ = (*_ROW, "held")

    def __init__(self, source: Source | None, row: Row, held: Held | None, *, enabled: bool, missing: str) -> None:
        self.name = row.name
        self.title = source.title if source else f"imported: {row.name.removeprefix(IMPORTED)}"
        self.group = row.grp or (source.group if source else "")
        self.licence = source.licence if source else ""
        self.provenance = row.provenance
        self.enabled = enabled
        self.needs = missing
        self.entries = row.entries
        self.packages = row.packages
        self.last_success_ms = row.last_success_ms
        self.last_attempt_ms = row.last_attempt_ms
        self.next_ms = row.next_ms
        self.problem = row.problem
        self.problem_kind = row.kind
        self.serial = row.serial
        self.held = held

    @property
    def state(self) -> str:
        """One word: `off`, `waiting` for what it needs, `degraded`, `failing`, `new` or `good`."""
        if not self.enabled:
            return "off"
        if self.held is not None:
            return "degraded"
        if self.needs:
            return "waiting"
        if self.problem:
            return "failing"
        return "good" if self.last_success_ms else "new"

    def told(self) -> dict[str, Json]:
        """For a program."""
        held = self.held
        told = {name: getattr(self, name) for name in _ROW}
        told["state"] = self.state
        told["held"] = held and {name: getattr(held, name) for name in ("reason", "added", "removed", "at_ms")}
        return told


class Status:
    """The whole picture at one moment; `stale_days` is None while the catalogs are fresh."""

    __slots__ = ("built_ms", "generation", "now_ms", "origin", "runs", "sources", "stale_days", "synced_ms")

    def __init__(
        self, generation: int, origin: str, *, built_ms: int, synced_ms: int, stale_days: int | None, now_ms: int
    ) -> None:
        self.generation = generation
        self.origin = origin
        self.built_ms = built_ms
        self.synced_ms = synced_ms
        self.stale_days = stale_days
        self.now_ms = now_ms
        self.sources: list[SourceRow] = []
        self.runs: list[Run] = []

    @property
    def stale(self) -> bool:
        """Whether there was no news for longer than the policy allows."""
        return self.stale_days is not None


def read(state: State, values: Mapping[str, Json], now_ms: int) -> Status:
    """How things stand now; an index that cannot be told is generation 0, everything else is still said."""
    number, origin, built_ms = _in_force(state)
    store = Store.read(state)
    rows: dict[str, Row] = {}
    holds: dict[str, Held] = {}
    runs: list[Run] = []
    if store is not None:
        try:
            rows, holds, runs = store.sources(), feeds.holds(state, store), store.runs()
        finally:
            store.close()
    known = feeds.sources()
    told: list[SourceRow] = []
    for source in known:
        row = rows.pop(source.name, None) or Row(source.name)
        lacks = feeds.missing(source, state, values)
        told.append(
            SourceRow(source, row, holds.get(source.name), enabled=feeds.wanted(source.name, values), missing=lacks)
        )
    told += [
        SourceRow(None, row, holds.get(name), enabled=True, missing="")
        for name, row in rows.items()
        if name.startswith(IMPORTED)
    ]
    synced = max((row.last_success_ms for row in told if row.enabled), default=0) or built_ms
    days = stale_days(synced, values, now_ms)
    made = Status(number, origin, built_ms=built_ms, synced_ms=synced, stale_days=days, now_ms=now_ms)
    made.sources, made.runs = told, runs
    return made


def _in_force(state: State) -> tuple[int, str, int]:
    """(number, origin, when built) of the generation in force; zeros when there is none that can be told."""
    try:
        with open(f"{state.intel}/current", encoding="ascii") as file:
            name, origin = [*file.read(512).split("\n"), ""][:2]
        built = int(os.stat(f"{state.intel}/{name}").st_mtime * 1000)
    except (OSError, ValueError):
        return 0, "", 0
    digits = "".join(char for char in name if char.isdigit())
    return int(digits or 0), origin, built
