"""What the catalogs in force say: one package in full, names by a part of them, and what an install would get now."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bk.engine.checks import CHECKS
from bk.engine.console.installation import ready
from bk.engine.errors import USAGE, BkError
from bk.engine.intel.names import ECOSYSTEMS, canonical_name, lowered, spellings
from bk.engine.intel.record import Record
from bk.engine.judge import judge
from bk.engine.model import Install, ToolCall, Verdict
from bk.engine.record import finding_data
from bk.engine.world import World
from bk.text import inert

Json = Any
MAX_FOUND = 10_000
MAX_WORD = 200


class Hit(NamedTuple):
    """One name that a search found."""

    ecosystem: str
    name: str
    severity: str
    kinds: tuple[str, ...]
    versions: int
    groups: tuple[str, ...]

    def told(self) -> dict[str, Json]:
        """The hit for a program."""
        return self._asdict()


class Shown:
    """Everything that is known of one package, and the verdict that an install of it would get now."""

    def __init__(self, install: Install, records: list[Record], verdict: Verdict, world: World) -> None:
        self.install = install
        self.records = records
        self.verdict = verdict
        self.generation = world.generation

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {
            "ecosystem": self.install.ecosystem,
            "name": self.install.name,
            "version": self.install.version,
            "generation": self.generation,
            "records": [record_data(record) for record in self.records],
            "verdict": self.verdict.level.word,
            "findings": [finding_data(finding, lambda value: value) for finding in self.verdict.findings],
        }


def record_data(record: Record) -> dict[str, Json]:
    """A record for a program."""
    return {
        "ecosystem": record.ecosystem,
        "name": record.name,
        "kind": record.kind,
        "versions": list(record.versions),
        "severity": record.severity,
        "sources": list(record.sources),
        "groups": list(record.groups),
        "provenance": record.provenance.word,
        "ids": record.ident.split(),
        "date": record.date,
    }


def parse_package(text: str) -> tuple[str, str, str]:
    """(ecosystem, name, version) of `ECOSYSTEM:NAME[@VERSION]`."""
    ecosystem, colon, rest = text.strip().partition(":")
    ecosystem = ecosystem.lower()
    if not colon or not rest or ecosystem not in ECOSYSTEMS:
        known = ", ".join(ECOSYSTEMS)
        raise BkError(
            "which package?",
            f"{inert(text, 80)!r} is not ECOSYSTEM:NAME or ECOSYSTEM:NAME@VERSION",
            f"for example npm:left-pad@1.3.0; ecosystems: {known}",
            code=USAGE,
        )
    at = rest.find("@", 1)
    return (ecosystem, rest, "") if at < 0 else (ecosystem, rest[:at], rest[at + 1 :])


def show(text: str, env: Mapping[str, str] | None = None) -> Shown:
    """All records of a package, and what an install of it would get now, here."""
    ecosystem, name, version = parse_package(text)
    world = World.open(ready(env))
    if world.failure is not None:
        raise world.failure
    install = Install(ecosystem, name, version, manager=ecosystem)
    return Shown(install, _records(world, ecosystem, name), _verdict(world, install), world)


def search(word: str, env: Mapping[str, str] | None = None) -> Iterator[Hit]:
    """Every listed name that has this in it, one after the other, as they are found."""
    ecosystem, colon, rest = word.strip().partition(":")
    part = rest if colon and ecosystem in ECOSYSTEMS else word.strip()
    only = ecosystem if part == rest and colon else ""
    if not part or len(part) > MAX_WORD:
        raise BkError("search for what?", "", "bk catalogs search WORD, or ECOSYSTEM:WORD", code=USAGE)
    world = World.open(ready(env))
    if world.failure is not None:
        raise world.failure
    return _found(world, only, lowered(part))


def _found(world: World, only: str, part: str) -> Iterator[Hit]:
    told: set[tuple[str, str]] = set()
    for ecosystem, name in world.index.names() if world.index is not None else ():
        if part in lowered(name) and only in ("", ecosystem) and (ecosystem, name) not in told:
            records = _records(world, ecosystem, name)
            if records:
                told.add((ecosystem, name))
                yield _hit(ecosystem, name, records)
            if len(told) >= MAX_FOUND:
                return


def _hit(ecosystem: str, name: str, records: list[Record]) -> Hit:
    worst = min(records, key=lambda record: ("critical", "high", "medium", "low").index(record.severity))
    return Hit(
        ecosystem,
        name,
        worst.severity,
        tuple(sorted({record.kind for record in records})),
        len({version for record in records for version in record.versions}),
        tuple(sorted({group for record in records for group in record.groups})),
    )


def _records(world: World, ecosystem: str, name: str) -> list[Record]:
    if world.index is None:
        return []
    for spelling in spellings(ecosystem, canonical_name(ecosystem, name)):
        found = world.index.lookup(ecosystem, spelling)
        if found:
            return found
    return []


def _verdict(world: World, install: Install) -> Verdict:
    """What every check says of the bare install, with this folder's settings."""
    cwd = os.getcwd()
    call = ToolCall("catalogs", "install", {}, harness="person", cwd=cwd, home=world.state.home)
    facts = world.gather(call, [install], world.policy_for(call))
    return judge([finding for check in CHECKS for finding in check([install], facts)])
