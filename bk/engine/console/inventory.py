"""What the inventory holds, as a person may look at it; and lists of other scanners, read as a stranger's word."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from bk.engine.config import snapshot
from bk.engine.console.installation import ready
from bk.engine.console.scan import Finding, record
from bk.engine.errors import USAGE, BkError
from bk.engine.intel import overlay
from bk.engine.intel.names import ECOSYSTEMS
from bk.engine.inventory import store
from bk.engine.inventory.item import CONFIGURED, INSTALLED, LOCKED, Item
from bk.engine.inventory.run import COMPLETE, Diff, Run
from bk.engine.inventory.scan import diff as compare
from bk.engine.responder.crossref import hits
from bk.engine.responder.reported import origin, report
from bk.text import inert

__all__ = ["Diff", "Imported", "Item", "Run", "difference", "items", "read", "run", "runs", "take_in"]
Json = Any
LINE_MAX, RECORDS_MAX, FILE_MAX = 1 << 20, 200_000, 64 << 20
SCHEMAS = ("0.1.0", "0.2.0")
NAME_MAX, VERSION_MAX = 512, 256
CONFIDENCE = {"high": "exact", "medium": "probable", "low": "guessed"}
MAX_TOLD = 20


class Imported:
    """What a list of another scanner came to."""

    __slots__ = ("findings", "items", "news", "problems", "status")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.problems: list[str] = []
        self.findings: list[Finding] = []
        self.news: list[str] = []
        self.status = "unknown"

    def told(self) -> dict[str, Json]:
        """For a program."""
        findings = [each.told() for each in self.findings]
        told = {"items": len(self.items), "status": self.status, "problems": self.problems, "findings": findings}
        return {**told, "news": self.news}


def runs(env: Mapping[str, str] | None = None) -> list[Run]:
    """The runs that are kept, newest first."""
    return store.runs(ready(env))


def run(ident: int = 0, env: Mapping[str, str] | None = None) -> Run:
    """One run by its number, or the newest that came to an end."""
    state = ready(env)
    found = next((one for one in store.runs(state) if one.id == ident), None) if ident else store.latest(state)
    if found is None:
        what = f"run {ident}" if ident else "nothing has been scanned yet"
        raise BkError("there is no such run", what, "bk scan makes one; bk inventory list shows them", code=USAGE)
    return found


def items(ident: int = 0, word: str = "", env: Mapping[str, str] | None = None) -> Iterator[Item]:
    """What a run saw; with a word, what has it in its name, as ECOSYSTEM:PART or PART."""
    chosen = run(ident, env)
    ecosystem, colon, part = word.partition(":")
    only, part = (ecosystem, part) if colon and ecosystem in ECOSYSTEMS else ("", word)
    for item in store.items(ready(env), chosen):
        if part.lower() in item.name.lower() and only in ("", item.ecosystem):
            yield item


def difference(older: int = 0, newer: int = 0, env: Mapping[str, str] | None = None) -> tuple[Run, Run, Diff]:
    """What changed between two runs; by default between the newest and the one like it before that."""
    state = ready(env)
    after = run(newer, env)
    if older:
        before: Run | None = run(older, env)
    else:
        like = (after.profile, after.roots)
        ended = [one for one in store.runs(state) if one.id < after.id and one.status in ("complete", "partial")]
        before = next((one for one in ended if (one.profile, one.roots) == like), None)
    if before is None:
        raise BkError("there is nothing to compare with", f"run {after.id} is the first of its kind", "bk scan",
                      code=USAGE)  # fmt: skip
    return before, after, compare(state, before, after)


def take_in(path: str, env: Mapping[str, str] | None = None) -> Imported:
    """Hold what another scanner listed against the catalogs; what something speaks against is an incident that names
    the list and no place. Nothing of it is believed to lie anywhere."""
    state = ready(env)
    values = snapshot.read(state).values
    where = os.path.realpath(path)
    made = read(path)
    index = overlay.in_force(state)
    try:
        found = hits(index, made.items)
    finally:
        index.close()
    whole = made.status == COMPLETE and not made.problems
    made.findings = [Finding(hit, values, origin(where)) for hit in found]
    made.news = report(state, values, found, where, whole=whole)
    record(state, values, "inventory_import", file=inert(path, 300), items=len(made.items), status=made.status,
           findings=len(made.findings), news=len(made.news))  # fmt: skip
    return made


def read(path: str) -> Imported:
    """The packages in a file of NDJSON; what is no such record is counted and left out."""
    made = Imported()
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            _lines(file, made)
    except OSError as error:
        raise BkError("that file cannot be read", f"{inert(path, 300)}: {error.strerror}", code=USAGE) from error
    return made


def _lines(file: Any, made: Imported) -> None:
    total = number = 0
    while line := file.readline(LINE_MAX + 1):
        number += 1
        total += len(line)
        if total > FILE_MAX or len(made.items) >= RECORDS_MAX:
            made.status = "partial"
            _problem(
                made, f"line {number}: more than {FILE_MAX >> 20} MiB or {RECORDS_MAX:,} records; the rest is left"
            )
            return
        if len(line) > LINE_MAX:
            _problem(made, f"line {number}: longer than {LINE_MAX >> 20} MiB")
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_MAX)
                total += len(line)
            continue
        if not line.strip():
            continue
        try:
            _record(json.loads(line), made)
        except (ValueError, RecursionError) as error:
            _problem(made, f"line {number}: {error if isinstance(error, _UnfitError) else 'it is no JSON object'}")


class _UnfitError(ValueError):
    """A record that is not taken, and why."""


def _record(told: Json, made: Imported) -> None:
    if not isinstance(told, dict):
        raise _UnfitError("it is no JSON object")
    kind = told.get("record_type")
    if kind == "scan_summary":
        status = told.get("status")
        made.status = status if status in ("complete", "partial", "error") else "unknown"
        return
    if kind != "package":
        return
    schema = told.get("schema_version", SCHEMAS[0])
    if schema not in SCHEMAS:
        raise _UnfitError(f"schema {inert(str(schema), 20)} is not known")
    ecosystem, name, version = (_text(told, each) for each in ("ecosystem", "package_name", "version"))
    if ecosystem not in ECOSYSTEMS or not name:
        raise _UnfitError("it names no package of an ecosystem that is known")
    if len(name) > NAME_MAX or len(version) > VERSION_MAX:
        raise _UnfitError("its name or version is too long")
    source = _text(told, "source_type")
    sort = LOCKED if "lock" in source else CONFIGURED if ecosystem == "mcp" else INSTALLED
    made.items.append(
        Item(
            ecosystem,
            name,
            version,
            manager=_text(told, "package_manager")[:40],
            kind=sort,
            observed=_text(told, "source_file")[:4096],
            confidence=CONFIDENCE.get(_text(told, "confidence"), "guessed"),
            note="imported",
        )
    )


def _text(told: Mapping[str, Json], name: str) -> str:
    value = told.get(name, "")
    if not isinstance(value, str):
        raise _UnfitError(f"its {name} is no text")
    if any("\ud800" <= char <= "\udfff" or char == "\0" for char in value):
        raise _UnfitError(f"its {name} is no text")
    return value


def _problem(made: Imported, why: str) -> None:
    if len(made.problems) < MAX_TOLD:
        made.problems.append(why)
