"""Rules to the form that is judged with: small, indexed by what a rule is about, and JSON so that it can be stored.

`terms` holds each alternative of each rule as its own JSON text and `heads` what the alternatives of a rule share, both
read when a call could match them for the first time; `texts` holds what findings say, read when there is one.
"""

from __future__ import annotations

import json

from bk.engine.canonical import canonical
from bk.engine.rules import globs
from bk.engine.rules.alternatives import Branch, branches
from bk.engine.rules.errors import PatternError, RuleError, RuleErrors, nearest
from bk.engine.rules.index import Index
from bk.engine.rules.terms import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.rules.rule import Rule

FORMAT = 1
LEVELS = {
    "standard": {"warn": 1, "suspicious": 2, "block": 3},
    "strict": {"warn": 2, "suspicious": 3, "block": 3},
    "relaxed": {"warn": 1, "suspicious": 1, "block": 3},
}


def compiled(
    packs: Mapping[str, Sequence[Rule]],
    lists: Mapping[str, Sequence[str]] | None = None,
    disabled: Iterable[str] = (),
    profile: str = "standard",
) -> Json:
    """The rulebook as JSON; raises RuleErrors for what only shows now: lists that are not there."""
    levels = LEVELS[profile]
    off, problems = _switched_off(packs, disabled)
    errors: list[RuleError] = []
    index = Index()
    terms: list[str] = []
    heads: list[str] = []
    texts: list[Json] = []
    for pack, rules in packs.items():
        for rule in rules:
            if f"{pack}/{rule.name}" in off:
                continue
            number = len(texts)
            try:
                for branch in branches(rule):
                    index.add(len(terms), branch, lists or {})
                    terms.append(_text(number, branch, lists or {}))
                heads.append(_head(rule, lists or {}))
            except PatternError as error:
                line = error.line or rule.line
                errors.append(RuleError(rule.file, line, error.column, error.message, error.suggestion))
                continue
            texts.append(_said(rule, pack, levels[rule.tier]))
    if errors:
        raise RuleErrors(errors)
    made: dict[str, Json] = {
        "format": FORMAT,
        "profile": profile,
        "rules": len(texts),
        "problems": problems,
        "heads": heads,
        "terms": terms,
        "texts": _plain(texts),
        **index.written(),
    }
    made["digest"] = _digest(made)
    return made


def _plain(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(number: int, branch: Branch, lists: Mapping[str, Sequence[str]]) -> str:
    """One alternative: its rule, its anchor, what else must hold, and what must not.

    The names of an anchor that is a command are left out: the index has them.
    """
    anchor = written(branch.anchor, lists)
    if anchor[0] == "command":
        anchor[1] = None
    others = [written(term, lists) for term in branch.others]
    return _plain([number, anchor, others, [written(tree, lists) for tree in branch.exempt]])


def _head(rule: Rule, lists: Mapping[str, Sequence[str]]) -> str:
    """What the alternatives of a rule share: whether doubt counts, what lets a call go, tools, agents."""
    unless = [written(tree, lists) for tree in rule.unless]
    tools, agents = ([word.lower() for word in words] for words in (rule.tools, rule.agents))
    return _plain([int(rule.tier == "suspicious"), unless, tools, agents])


def _said(rule: Rule, pack: str, level: int) -> list[Json]:
    origin = f"{rule.file}:{rule.line}"
    return [f"{pack}/{rule.name}", level, rule.why, rule.nudge, rule.severity, list(rule.tags), rule.ref, origin]


def _digest(made: Mapping[str, Json]) -> str:
    from blake3 import blake3

    return blake3(canonical(made)).hexdigest()[:32]


def _switched_off(packs: Mapping[str, Sequence[Rule]], disabled: Iterable[str]) -> tuple[set[str], list[str]]:
    """The ids that are off, and a problem for each entry that names no rule: a typo must not look like a decision."""
    known = {f"{pack}/{rule.name}": rule.name for pack, rules in packs.items() for rule in rules}
    off: set[str] = set()
    problems: list[str] = []
    for entry in disabled:
        found = {ident for ident, name in known.items() if entry in (ident, name) or globs.matches(entry, ident)}
        if not found:
            meant = nearest(entry, [*known, *known.values()])
            problems.append(f"disabled names no rule: {entry}" + (f" (did you mean {meant}?)" if meant else ""))
        off |= found
    return off, problems
