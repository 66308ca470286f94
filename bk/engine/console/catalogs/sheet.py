"""The catalogs as one picture: what is in force, every source and its last change, and how far the sources agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from bk.engine.catalogs.status import SourceRow, Status
from bk.engine.catalogs.store import Held as News
from bk.engine.catalogs.store import Run
from bk.engine.config import snapshot
from bk.engine.console.audit import query
from bk.engine.console.catalogs.standing import (
    change_words,
    difference,
    kept_generations,
    next_step,
    packages,
    status,
)
from bk.engine.console.installation import here, ready
from bk.engine.errors import BkError
from bk.engine.intel import bundle
from bk.engine.intel.index import Index

__all__ = ["Agreement", "Delta", "News", "Run", "Sheet", "SourceRow", "Status", "agreement", "delta", "entry", "sheet"]
MANY = 3
BREATH = 400  # names between two moments in which others may run
COUNTED = 20_000


class Sheet:
    """How the catalogs stand. `steps` is what to do about a source, `changes` what its last news added and removed."""

    __slots__ = ("changes", "hours", "kept", "packages", "status", "steps")

    def __init__(
        self,
        now: Status,
        *,
        kept: Sequence[int] = (),
        packages: Mapping[str, int] | None = None,
        steps: Mapping[str, str] | None = None,
        changes: Mapping[str, tuple[int, int]] | None = None,
        hours: float = 0.0,
    ) -> None:
        self.status = now
        self.kept = kept
        self.packages = packages or {}
        self.steps = steps or {}
        self.changes = changes or {}
        self.hours = hours

    @property
    def earlier(self) -> int:
        """The generation that a roll-back would put in force; 0 when none is kept."""
        return max((number for number in self.kept if number < self.status.generation), default=0)


class Agreement:
    """How many packages one, two, or more independent groups list; and of each group's, how many another lists too."""

    __slots__ = ("shared", "voices")

    def __init__(self, voices: Mapping[int, int], shared: Mapping[str, tuple[int, int]]) -> None:
        self.voices = voices
        self.shared = shared


class Delta:
    """What differs between two generations: how much of each kind, and the first of it in words."""

    __slots__ = ("counts", "first", "more", "newer", "older")

    def __init__(
        self, older: int, newer: int, counts: Mapping[str, int], first: Sequence[tuple[str, str, str]], *, more: bool
    ) -> None:
        self.older = older
        self.newer = newer
        self.counts = counts
        self.first = first
        self.more = more


def sheet(env: Mapping[str, str] | None = None) -> Sheet:
    """How the catalogs stand now."""
    listed = packages(env)  # on first use this puts the release's own facts in force
    now = status(env)
    values = snapshot.read(here(env)).values
    changes: dict[str, tuple[int, int]] = {}
    for run in sorted(now.runs, key=lambda each: -each.ident):
        for name, said in (run.said.get("sources") or {}).items():
            if said.get("added") or said.get("removed"):
                changes.setdefault(name, (int(said.get("added") or 0), int(said.get("removed") or 0)))
    steps = {row.name: next_step(row) for row in now.sources}
    hours = float(values["catalog_sync.interval_hours"])
    return Sheet(now, kept=kept_generations(env), packages=listed, steps=steps, changes=changes, hours=hours)


def agreement(env: Mapping[str, str] | None = None, wanted: Callable[[], bool] = lambda: True) -> Agreement:
    """Who agrees with whom in the generation in force: every name is read once, with pauses. For a worker thread."""
    index = Index.open(bundle.ensure(ready(env)))
    voices: dict[int, int] = {}
    shared: dict[str, list[int]] = {}
    try:
        last: tuple[str, str] | None = None
        groups: set[str] = set()
        for count, record in enumerate(index):
            if count % BREATH == 0:
                if not wanted():
                    break
                time.sleep(0.001)
            if (record.ecosystem, record.name) != last:
                _count(groups, voices, shared)
                last, groups = (record.ecosystem, record.name), set()
            groups.update(record.groups)
        _count(groups, voices, shared)
    finally:
        index.close()
    return Agreement(voices, {group: (whole, both) for group, (whole, both) in shared.items()})


def delta(older: int = 0, newer: int = 0, *, most: int = 400, env: Mapping[str, str] | None = None) -> Delta:
    """What differs between two generations, by default the one before and the one in force."""
    first, second, changes = difference(older, newer, env)
    counts = dict.fromkeys(("added", "removed", "changed"), 0)
    told: list[tuple[str, str, str]] = []
    for change in islice(changes, COUNTED):
        counts[change.kind] += 1
        if len(told) < most:
            told.append((change.kind, f"{change.ecosystem}:{change.name}", change_words(change)))
    return Delta(first, second, counts, told, more=next(iter(changes), None) is not None)


def entry(kind: str, env: Mapping[str, str] | None = None) -> int:
    """The number of the newest ledger entry of a kind, for those who tell what was recorded; 0 when there is none."""
    try:
        found = query(here(env), f"kind:{kind}", limit=1).entries
    except BkError:
        return 0
    return found[0].seq if found else 0


def _count(groups: set[str], voices: dict[int, int], shared: dict[str, list[int]]) -> None:
    if not groups:
        return
    voices[min(len(groups), MANY)] = voices.get(min(len(groups), MANY), 0) + 1
    for group in groups:
        whole = shared.setdefault(group, [0, 0])
        whole[0] += 1
        whole[1] += len(groups) > 1
