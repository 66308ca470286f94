"""Rules, as people look at them: what is in force and from where, and what is wrong with a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from bk.engine.config import snapshot
from bk.engine.config.files import take, unfit
from bk.engine.console.installation import here
from bk.engine.errors import USAGE, BkError
from bk.engine.rulebook import project, store
from bk.engine.rulebook.layers import MAX_BYTES, Gathered, Source, by_ident, gather
from bk.engine.rulebook.making import lists_of, off_in
from bk.engine.rulebook.places import LAYERS, PROJECT, SUFFIX, snapshot_of
from bk.engine.rulebook.sealed import catalogue_of
from bk.engine.rules.compile import compiled
from bk.engine.rules.errors import RuleError, RuleErrors, nearest
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.config.policy import Policy
    from bk.engine.model import Json
    from bk.engine.rulebook.book import InForce
    from bk.engine.state import State

GIVEN = "file"
PROTECTIVE = ("core", "secrets", "exfiltration")


class Listing:
    """The rules that hold here. `rows` are as the rulebook keeps them; `problems` are files that are wrong."""

    __slots__ = ("digest", "notes", "problems", "profile", "rows")

    def __init__(self, rows: Sequence[Mapping[str, Json]], held: InForce, policy: Policy) -> None:
        self.rows = rows
        self.problems = held.problems
        self.notes = held.notes
        self.digest = held.digest
        self.profile = str(policy.values["rules.profile"])

    def one(self, ident: str) -> Mapping[str, Json]:
        """The rule with this id, or with this name when only one has it; BkError suggests the nearest."""
        known = by_ident(self.rows)
        if ident in known:
            return known[ident]
        named = [row for row in self.rows if row["id"].partition("/")[2] == ident]
        if len(named) == 1:
            return named[0]
        if named:
            which = ", ".join(row["id"] for row in named)
            raise BkError("which rule?", f"{inert(ident, 60)} is the name of {which}", "give the whole id", code=USAGE)
        meant = nearest(ident, known) or nearest(ident, {row["id"].partition("/")[2] for row in self.rows})
        hint = f"did you mean {meant}?" if meant else "`bk rules list` shows them all"
        raise BkError(f"there is no rule {inert(ident, 60)!r}", "", hint, code=USAGE)


class Report:
    """What lint says of one file: its errors, and what could be better about rules that are right."""

    __slots__ = ("errors", "hints", "layer", "path", "rules", "unfit")

    def __init__(self, path: str, layer: str, rules: int = 0) -> None:
        self.path = path
        self.layer = layer
        self.rules = rules
        self.errors: list[RuleError] = []
        self.unfit = ""
        self.hints: list[str] = []

    @property
    def ok(self) -> bool:
        """Whether the file is used."""
        return not self.errors and not self.unfit

    def told(self) -> dict[str, Json]:
        """The report for a program."""
        errors = [
            {"line": error.line, "column": error.column, "message": error.message, "suggestion": error.suggestion}
            for error in self.errors
        ]
        fault = {"unfit": self.unfit} if self.unfit else {}
        return {"file": self.path, "layer": self.layer, "ok": self.ok, "rules": self.rules, "errors": errors,
                "hints": self.hints, **fault}  # fmt: skip


def listing(env: Mapping[str, str] | None = None, cwd: str = "") -> Listing:
    """Every rule that is known here, in force or switched off, the project's included."""
    return listing_in(here(env), cwd or os.getcwd())


def listing_in(state: State, cwd: str) -> Listing:
    """The same for an installation and a working directory."""
    policy = snapshot.read(state)
    book = store.read(state, policy)
    off = policy.values["rules.disabled"]
    rows = catalogue_of(snapshot_of(state), state.owner)
    if not rows:  # there is no place to keep compiled rules in, so they are read again
        found = gather(state)
        rows = found.catalogue(off_in(found.packs(), off))
    own = project.gathered(cwd, state.home)
    rows = [*rows, *own.catalogue(off_in(own.packs(), off))]
    held = project.with_project(book, state, policy, cwd, state.home)
    return Listing(rows, held, policy)


def lint(paths: Sequence[str] = (), env: Mapping[str, str] | None = None, cwd: str = "") -> list[Report]:
    """Everything wrong with these files, or with all rule files that count here."""
    state = here(env)
    policy = snapshot.read(state)
    found = given(paths) if paths else everything(state, cwd or os.getcwd())
    reports = {source.path: Report(source.path, source.layer, len(source.rules)) for source in found.sources}
    for layer, path, wrong in found.faults:
        _blame(reports.setdefault(path, Report(path, layer)), wrong)
    for source in found.sources:
        report = reports[source.path]
        report.hints += list(_hints(source))
        if report.ok:
            try:
                compiled({source.pack: source.rules}, lists_of(policy))
            except RuleErrors as wrong:
                _blame(report, wrong)
    order = {layer: at for at, layer in enumerate((*LAYERS, PROJECT, GIVEN))}
    return sorted(reports.values(), key=lambda report: (order[report.layer], report.path))


def off_protective(rows: Sequence[Mapping[str, Json]]) -> list[str]:
    """The ids of rules that are switched off although their packs protect what cannot be made good."""
    built_in = [row for row in rows if row["off"] and row["layer"] == LAYERS[0]]
    return [row["id"] for row in built_in if row["pack"].startswith(PROTECTIVE)]


def everything(state: State, cwd: str) -> Gathered:
    """Every layer, the project's included."""
    found = gather(state)
    own = project.gathered(cwd, state.home)
    found.sources += own.sources
    found.faults += own.faults
    return found


def given(paths: Sequence[str]) -> Gathered:
    """Files named by a person, wherever they lie; a folder stands for the rule files in it."""
    found = Gathered()
    for path in _files(paths):
        try:
            if not path.endswith(SUFFIX):  # errors quote lines: any other file could hold what nobody should read
                raise unfit(path, f"rule files end in {SUFFIX}", "rename it")
            text = take(path, MAX_BYTES, (os.geteuid(), 0), shared=True)
            if text is None:
                raise unfit(path, "there is no such file", "bk rules lint FILE")
            found.sources.append(Source(GIVEN, path, text))
        except (BkError, RuleErrors) as error:
            found.faults.append((GIVEN, path, error))
    return found


def _files(paths: Sequence[str]) -> list[str]:
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            files += sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(SUFFIX))
        else:
            files.append(path)
    return files


def _blame(report: Report, wrong: BkError | RuleErrors) -> None:
    if isinstance(wrong, RuleErrors):
        report.errors += wrong.errors
    else:
        report.unfit = wrong.detail.removeprefix(f"{report.path}: ") or wrong.title


def _hints(source: Source) -> Iterator[str]:
    """What makes a rule better to live with."""
    for rule in source.rules:
        wanting = [name for name in ("why", "nudge") if not getattr(rule, name)]
        wanting += [f"example {word}" for word, bad in (("bad", True), ("good", False))
                    if not any(each.bad is bad for each in rule.examples)]  # fmt: skip
        if wanting:
            yield f"line {rule.line}: {rule.name} has no {', no '.join(wanting)}"
