"""Putting a generation in force: build aside, verify, swap, look whether it finds what it must, or go back."""

from __future__ import annotations

import os
from typing import NamedTuple

from bk.engine.catalogs import accepted
from bk.engine.catalogs.assembly import Plan, plan
from bk.engine.catalogs.feeds import folder
from bk.engine.errors import BkError
from bk.engine.intel import bundle, generations
from bk.engine.intel.index import Index
from bk.engine.intel.match import matches
from bk.engine.intel.record import Record
from bk.engine.model import Install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.catalogs.job import Job
    from bk.engine.model import Json
    from bk.engine.state import State

LIVE = "live"
KEPT = "kept"
NOBODY = "bk-self-check.no-such-package"


class Outcome(NamedTuple):
    """The generation that is in force afterwards, and whether it is a new one."""

    generation: int
    activated: bool
    records: int


def activate(job: Job, fresh: Mapping[str, str], *, anew: bool = False) -> Outcome:
    """Make and check the generation that follows from `fresh` files (by source) and all accepted ones.

    Only a generation that passed makes the fresh files the accepted ones; a run that is killed before that is simply
    done again. Nothing is built when the generation in force is made of the same parts, unless it is to be made `anew`.
    """
    state = job.state
    wanted = plan(state, job.values, fresh)
    before = generations.in_force(state)
    if before is not None and not (anew or before.damage) and wanted.is_in(meta_of(before.path)):
        return Outcome(before.number, activated=False, records=0)
    job.tell("build", detail=f"{len(wanted.parts)} sources and bk's own facts")
    made = generations.activate(state, wanted.records(), wanted.meta(), LIVE)
    job.tell("check", detail="whether it finds what it must")
    wrong = self_check(state, wanted)
    if wrong:
        detail = f"generation {made.number} does not find what it must: {wrong}"
        if before is not None:
            generations.rollback(state, before.number)
        job.record("self-check failed", level="block", generation=made.number, detail=detail)
        raise BkError("the new threat index was taken back", detail, "bk catalogs rebuild; then report this")
    for name, path in fresh.items():
        accept(state, name, path)
    meta = meta_of(made.path)
    with job.store:
        job.store.built(
            made.number,
            job.now_ms(),
            LIVE,
            records=int(meta["records"]),
            packages=meta["packages"],
            sources=wanted.digests,
        )
    prune(state)
    job.record(
        "activated",
        generation=made.number,
        was=before.number if before else 0,
        records=meta["records"],
        packages=meta["packages"],
        sources=wanted.digests,
    )
    return Outcome(made.number, activated=True, records=int(meta["records"]))


def self_check(state: State, wanted: Plan) -> str:
    """What the generation in force fails to find, or finds although nobody said it; "" when it is as it should be."""
    index = Index.open(bundle.ensure(state))
    try:
        for source, records in wanted.samples.items():
            for record in records:
                if not _found(index, record):
                    return f"{record.ecosystem} {record.name} of {source}"
        return "a name that nobody listed" if index.lookup("npm", NOBODY) else ""
    finally:
        index.close()


def _found(index: Index, record: Record) -> bool:
    """Whether the index holds a claim that says as much, and an install of what it names would meet it."""
    version = record.versions[-1] if record.kind == "exact" else ""
    install = Install(record.ecosystem, record.name, version, manager=record.ecosystem)
    met = any(set(record.groups) <= set(match.groups) for match in matches(index, install))
    return met and any(
        (held.kind, held.severity, held.versions, held.provenance.word)
        == (record.kind, record.severity, record.versions, record.provenance.word)
        and set(record.groups) <= set(held.groups)
        for held in index.lookup(record.ecosystem, record.name)
    )


def accept(state: State, name: str, path: str) -> None:
    """Make a file the accepted one of its source, and keep it for as long as a generation is made of it."""
    target = f"{folder(name, state)}/{accepted.NAME}"
    accepted.replace(path, target)
    head = accepted.head(target)
    assert head is not None
    keep(state, name, head.digest)


def keep(state: State, name: str, digest: str) -> None:
    """Keep the accepted file's present content under its digest."""
    kept = f"{folder(name, state)}/{KEPT}"
    os.makedirs(kept, mode=0o700, exist_ok=True)
    path = f"{kept}/{digest}.facts"
    if not os.path.exists(path):
        os.link(f"{folder(name, state)}/{accepted.NAME}", path)


def prune(state: State) -> None:
    """Drop kept versions that no generation is made of any more."""
    used = {f"{digest}.facts" for each in generations.listed(state) for digest in _digests(each.path).values()}
    root = f"{state.intel}/feeds"
    for name in os.listdir(root) if os.path.isdir(root) else ():
        kept = f"{root}/{name}/{KEPT}"
        for file in os.listdir(kept) if os.path.isdir(kept) else ():
            if file not in used:
                os.unlink(f"{kept}/{file}")


def _digests(path: str) -> dict[str, str]:
    try:
        return dict(meta_of(path).get("accepted", {}))
    except BkError:
        return {}  # a damaged generation is made of nothing that one could go back to


def meta_of(path: str) -> dict[str, Json]:
    """What a generation says of itself."""
    index = Index.open(path)
    try:
        return index.meta
    finally:
        index.close()
