"""How the catalogs stand, and how two generations differ, as a person may ask."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bk.engine.catalogs import status as kept
from bk.engine.catalogs.status import SourceRow, Status
from bk.engine.config import snapshot
from bk.engine.console.catalogs.lookup import record_data
from bk.engine.console.installation import here, ready
from bk.engine.errors import USAGE, BkError
from bk.engine.intel import bundle, generations
from bk.engine.intel.generations import Change
from bk.engine.intel.record import Record

__all__ = [
    "SourceRow",
    "Status",
    "change_data",
    "change_words",
    "difference",
    "kept_generations",
    "next_step",
    "packages",
    "status",
]
Json = Any
# What a person can do about each kind of failure.
STEPS = {
    "offline": "check the network, or set catalog_sync.proxy; what is in force stays in force",
    "tls": "the connection cannot be trusted; behind an inspecting proxy set catalog_sync.ca_file",
    "proxy": "bk config get catalog_sync.proxy",
    "timeout": "it is asked again by itself; bk catalogs sync {name} --force asks now",
    "slow": "it is asked again by itself; bk catalogs sync {name} --force asks now",
    "status": "it is asked again by itself; for 401 or 403 look at the source's token",
    "disk": "free space for the state directory",
    "too-large": "the feed is larger than it may be: find out why before anything else",
    "redirect": "the feed sends its readers to another host: find out why before anything else",
    "signature": "the feed is not signed by the key that you stated: ask whoever publishes it",
    "rolled-back": "an older feed is being served: ask whoever publishes it",
    "expired": "the feed was not renewed in time: ask whoever publishes it",
}
OTHERWISE = "bk catalogs sync {name} --force asks again; it stays as it was until then"


def status(env: Mapping[str, str] | None = None) -> Status:
    """Generation, age, and every source."""
    state = here(env)
    return kept.read(state, snapshot.read(state).values, time.time_ns() // 1_000_000)


def next_step(row: SourceRow) -> str:
    """What a person can do about a source that is not well; "" when there is nothing to do."""
    if row.state == "off":
        return ""
    if row.held is not None:
        return f"look at it, then: bk catalogs accept {row.name} --admin"
    if row.needs:
        return needs_step(row)
    if row.problem:
        return STEPS.get(row.problem_kind, OTHERWISE).format(name=row.name)
    return ""


def needs_step(row: SourceRow) -> str:
    """How to give a source what it still needs."""
    steps = {
        "token": f"put the token into keys/{row.name}.token in the state directory, mode 600",
        "url": f"bk config set catalogs.{row.name}.url URL --admin",
        "key": f"bk config set catalogs.{row.name}.key KEY --admin",
    }
    return "; ".join(steps[need] for need in row.needs.split(" and ") if need in steps)


def kept_generations(env: Mapping[str, str] | None = None) -> list[int]:
    """The numbers of the generations that are kept, newest first."""
    return sorted((each.number for each in generations.listed(here(env))), reverse=True)


def difference(
    older: int = 0, newer: int = 0, env: Mapping[str, str] | None = None
) -> tuple[int, int, Iterator[Change]]:
    """What changed between two generations: by default from the one before to the one in force."""
    state = ready(env)
    bundle.ensure(state)
    there = {each.number: each for each in generations.listed(state)}
    now = generations.in_force(state)
    if now is None:
        raise BkError("there is no generation yet", state.intel, "bk catalogs sync")
    newer = newer or now.number
    older = older or max((number for number in there if number < newer), default=0)
    for number in (older, newer):
        if number not in there:
            kept_here = ", ".join(map(str, sorted(there)))
            what = f"{number} is not kept" if number else f"nothing is kept from before {newer}"
            raise BkError("there is nothing to compare with", what, f"generations here: {kept_here}", code=USAGE)
    return older, newer, generations.delta(there[older], there[newer])


def change_data(change: Change) -> dict[str, Json]:
    """A change for a program."""
    return {
        "kind": change.kind,
        "ecosystem": change.ecosystem,
        "name": change.name,
        "before": [record_data(record) for record in change.before],
        "after": [record_data(record) for record in change.after],
    }


def change_words(change: Change) -> str:
    """What of an entry changed, in a few words."""
    before, after = (_claims(records) for records in (change.before, change.after))
    if change.kind == "added":
        return "; ".join(after)
    if change.kind == "removed":
        return "; ".join(before)
    told = [f"+ {each}" for each in after if each not in before] + [f"- {each}" for each in before if each not in after]
    return "; ".join(told)


def _claims(records: Sequence[Record]) -> list[str]:
    return [f"{record.severity} {' '.join(record.versions[:4]) or record.kind} by {', '.join(record.groups)}"
            for record in records]  # fmt: skip


def packages(env: Mapping[str, str] | None = None) -> dict[str, int]:
    """How many packages are listed in the generation in force, by ecosystem; nothing when it cannot be read."""
    from bk.engine.intel.index import Index

    try:
        index = Index.open(bundle.ensure(ready(env)))
    except BkError:
        return {}
    try:
        return dict(index.meta.get("packages") or {})
    finally:
        index.close()
