"""Making the compiled rules: every layer is read; where a file is wrong the last good rules stay, and it is told."""

from __future__ import annotations

import time

from bk.engine.config.compiled import store
from bk.engine.config.files import racy
from bk.engine.config.schema import KEYS
from bk.engine.errors import Refusal
from bk.engine.rulebook.layers import Gathered, gather, remembered
from bk.engine.rulebook.places import BUILT_IN, SYSTEM_FOLDER, code, snapshot_of
from bk.engine.rulebook.sealed import catalogue_of, written
from bk.engine.rules.compile import compiled
from bk.engine.rules.errors import RuleErrors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.config.policy import Policy
    from bk.engine.model import Json
    from bk.engine.rules.rule import Rule
    from bk.engine.state import State

REINSTALL = "reinstall bk: its own rules come with it"
KEPT = "the last good rules stay in force"
LEFT = "no earlier rules are known, so everything but this file is in force"


def remake(
    state: State, policy: Policy, seen: Sequence[Json], last: Mapping[str, Json] | None, system: str = SYSTEM_FOLDER
) -> Mapping[str, Json]:
    """Compile what the files say now, keep it for the next reader, and return the part that calls need."""
    found = gather(state, system)
    rules = found.packs()
    book = _compiled(found, policy)
    problems: list[str] = []
    catalogue: list[Json]
    if book is not None:
        catalogue = found.catalogue(off_in(rules, policy.values["rules.disabled"]))
    elif last is not None and _same_code(last):
        problems = [f"{told}; {KEPT}" for told in found.told()]
        catalogue = catalogue_of(snapshot_of(state), state.owner)
        book = last["book"]
        if last["policy"] != policy.digest:  # what the settings say of rules counts for the last good ones, too
            before = _remembered(catalogue)
            book = (_compiled(before, policy) if before is not None else None) or book
            off = off_in(before.packs(), policy.values["rules.disabled"]) if before is not None else ()
            catalogue = [{**row, "off": row["id"] in off} for row in catalogue]
    else:
        problems = [f"{told}; {LEFT}" for told in found.told()]
        book, found = _without_the_wrong(found, policy)
        catalogue = found.catalogue(off_in(found.packs(), policy.values["rules.disabled"]))
        problems += [f"{told}; {LEFT}" for told in found.told() if f"{told}; {LEFT}" not in problems]
    now = time.time_ns()
    notes = [*found.notes, *(book["problems"] if not problems else ())]
    head = {
        "sources": list(seen),
        "racy": any(racy(stamped, now) for _, stamped in seen),
        "policy": policy.digest,
        "problems": problems,
        "notes": notes,
        "book": book,
    }
    failed = store(snapshot_of(state), written(head, catalogue))
    return {**head, "notes": [*notes, failed]} if failed else head


def lists_of(policy: Policy) -> dict[str, Sequence[str]]:
    """The lists that rules may name: those of the settings, and the ones people made for their rules."""
    lists: dict[str, Sequence[str]] = {
        key.name: policy.values[key.name] for key in KEYS if key.kind == "list" and not key.secret
    }
    lists["allowed_executables"] = lists["executables.allowed"]
    for name, items in policy.values["lists"].items():
        lists[name] = lists[f"lists.{name}"] = items
    return lists


def off_in(packs: Mapping[str, Sequence[Rule]], disabled: Sequence[str]) -> frozenset[str]:
    """The ids that the settings switch off, by the same reading as the compiler's."""
    from bk.engine.rules.globs import matches

    known = {f"{pack}/{rule.name}": rule.name for pack, rules in packs.items() for rule in rules}
    return frozenset(
        ident
        for ident, name in known.items()
        if any(entry in (ident, name) or matches(entry, ident) for entry in disabled)
    )


def _compiled(found: Gathered, policy: Policy) -> Json | None:
    """Everything compiled; None when a file is wrong, and `found` then tells which."""
    if found.faults:
        return None
    values = policy.values
    try:
        return compiled(found.packs(), lists_of(policy), values["rules.disabled"], values["rules.profile"])
    except RuleErrors as wrong:
        found.blame(wrong)
        return None


def _remembered(catalogue: Sequence[Json]) -> Gathered | None:
    """The last good files; None when they cannot be had."""
    try:
        return remembered(catalogue) if catalogue else None
    except (RuleErrors, LookupError, TypeError, AttributeError):
        return None


def _without_the_wrong(found: Gathered, policy: Policy) -> tuple[Json, Gathered]:
    """The files that are right, compiled; Refusal when built-in ones are not among them."""
    while True:
        own = found.faults_of(BUILT_IN)
        if own or not any(source.layer == BUILT_IN for source in found.sources):
            raise Refusal("rules", f"bk's own rules cannot be used: {own[0] if own else 'they are missing'}", REINSTALL)
        rest = found.right()
        book = _compiled(rest, policy)
        if book is not None:
            return book, rest
        if not rest.faults or len(rest.right().sources) == len(rest.sources):
            raise Refusal("rules", f"the rules cannot be compiled: {rest.told()[:1]}", REINSTALL)
        found = rest


def _same_code(last: Mapping[str, Json]) -> bool:
    """Whether the last good rules were compiled by the programs that would judge with them now."""
    known = code()
    return bool(last["sources"][: len(known)] == known)
