"""A scan as a person asks for it: look at the machine, hold it against the catalogs, say what was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bk.engine.config import snapshot
from bk.engine.console.deed import Deed, clean, person
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.errors import FOUND, OK, PARTIAL, WARNED, BkError
from bk.engine.intel import overlay
from bk.engine.inventory import store
from bk.engine.inventory.item import Item
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.run import Run
from bk.engine.inventory.scan import PROJECT
from bk.engine.inventory.scan import scan as look
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder.crossref import Hit, artifact_path, hits
from bk.engine.responder.incidents import key
from bk.engine.responder.looking import folders
from bk.engine.responder.respond import Outcome
from bk.engine.responder.round import noted
from bk.engine.responder.round import respond as answered
from bk.engine.state import State

Json = Any
WARN, BLOCK, ENFORCE = "warn", "block", "enforce"
FAIL_ON = (WARN, BLOCK, "never")


class StoppedError(BkError):
    """A person stopped the scan: what `tell` raises for that. The run is kept as one that did not come to its end."""


class Finding:
    """One artifact that records speak of, and how sure they are."""

    __slots__ = ("groups", "hit", "incident", "level")

    def __init__(self, hit: Hit, values: Mapping[str, Json], place: str = "") -> None:
        self.hit = hit
        self.groups = hit.groups
        self.level = level(hit, values)
        item = hit.item
        self.incident = key(item.ecosystem, item.name, item.version, place or artifact_path(item))

    @property
    def item(self) -> Item:
        """The artifact, as it is best known."""
        return self.hit.item

    @property
    def idents(self) -> list[str]:
        """What the reports are called."""
        return sorted({ident for each in self.hit.told() for ident in each["ids"]})

    @property
    def reason(self) -> str:
        """One sentence for people."""
        if any(match.tier for match in self.hit.matches):
            return (
                f"confirmed on this machine{f'; known to be bad: {words}' if (words := ', '.join(self.groups)) else ''}"
            )
        if not self.groups:
            return "reported, but nobody vouches for the report"
        return f"known to be bad: {', '.join(self.groups)}"

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {
            "level": self.level,
            "severity": self.hit.severity,
            "reason": self.reason,
            "groups": self.groups,
            "ids": self.idents,
            "incident": self.incident,
            "evidence": self.hit.told(),
            "observed": [clean(item.observed) for item in self.hit.items],
            **plain(self.item),
        }


class Scanned:
    """What a scan came to."""

    def __init__(self, state: State, run: Run, findings: Sequence[Finding], outcome: Outcome) -> None:
        self._state = state
        self.run = run
        self.findings = findings
        self.outcome = outcome

    def items(self) -> Iterator[Item]:
        """Everything that was seen, one by one."""
        return store.items(self._state, self.run)

    def code(self, fail_on: str) -> int:
        """The exit code."""
        if fail_on == "never":
            return OK
        levels = {finding.level for finding in self.findings}
        if BLOCK in levels:
            return FOUND
        if not self.run.complete:
            return PARTIAL
        return WARNED if levels and fail_on == WARN else OK

    def told(self) -> dict[str, Json]:
        """For a program, without the items."""
        run = self.run.plain()
        run["roots"] = [clean(root) for root in run["roots"]]
        for name in ("problems", "notes"):
            run[name] = [{"path": clean(each["path"]), "why": each["why"]} for each in run[name]]
        return {"run": run, "findings": [each.told() for each in self.findings], "responder": self.outcome.told()}


def scan(
    profile: str,
    roots: Sequence[str] = (),
    *,
    tell: Callable[[int, int, str], None] | None = None,
    respond: bool = False,
    admin: bool = False,
    env: Mapping[str, str] | None = None,
) -> Scanned:
    """Look, compare, and open incidents; nothing is moved, whoever asks and whatever the settings say.

    With `respond`, which is for a person, the responder does what the settings allow it.
    """
    if respond:
        require_admin(admin, env)
    state = ready(env)
    values = snapshot.read(state).values
    given = list(roots)
    if profile == PROJECT and not given:
        given = folders(values["scan.roots"], state.home) or [os.getcwd()]
    limits = Limits(seconds=float(values["scan.max_seconds"]))
    try:
        run = look(state, profile=profile, roots=given, tell=tell, limits=limits, env=env)
    except StoppedError:
        record(state, values, "scan", profile=profile, status="stopped")
        raise
    index = overlay.in_force(state)
    try:
        found = [Finding(hit, values) for hit in hits(index, store.items(state, run))]
    finally:
        index.close()
    found.sort(key=lambda each: (each.level != BLOCK, each.hit.severity, each.item.ecosystem, each.item.name))
    outcome = _responded(state, values, run, profile) if respond else noted(state, values, run)
    record(state, values, "scan", profile=profile, status=run.status, items=run.total, findings=len(found))
    return Scanned(state, run, found, outcome)


def _responded(state: State, values: Mapping[str, Json], run: Run, profile: str) -> Outcome:
    """A whole pass, at a person's word: in the ledger before it, and again with what it came to."""
    with Deed(state, "scan_respond", profile=profile, run=run.id) as deed:
        outcome = answered(state, values, run)
        deed.add(**outcome.told())
    return outcome


def level(hit: Hit, values: Mapping[str, Json]) -> str:
    """What an install of it would get, as far as sources alone decide: a warning, or a block."""
    evidence = hit.evidence
    if any(match.tier == ENFORCE for match in hit.matches):
        return BLOCK
    if evidence.voices >= int(values["corroboration.block_at"]):
        return BLOCK
    sure = [each for each in hit.matches if each.provenance.real and each.kind == "exact"]
    critical = any(each.severity == "critical" for each in sure)
    return BLOCK if critical and len(evidence.sure) >= int(values["corroboration.critical_block_at"]) else WARN


def record(state: State, values: Mapping[str, Json], event: str, **said: Json) -> None:
    """What a person had looked at."""
    ledger = Ledger.open(state, redact=redactor(values["audit.redact_patterns"]))
    try:
        ledger.append([Entry("responder", person(), {"event": event, **said})], sync=True)
    finally:
        ledger.close()


def plain(item: Item) -> dict[str, Json]:
    """An item for a program, its paths as JSON can say them."""
    told: dict[str, Json] = item.plain()
    artifact = told["artifact"]
    for name in ("observed", "root", "origin", "note"):
        told[name] = clean(str(told[name]))
    artifact["path"] = clean(artifact["path"])
    for name in ("files", "also"):
        artifact[name] = [clean(path) for path in artifact[name]]
    return told
