"""A rule as alternatives: each with the one matcher that finds the action it is about, and what else must hold."""

from __future__ import annotations

from bk.engine.rules.errors import PatternError
from bk.engine.rules.rule import Either, Every, Not, Regex, Term
from bk.engine.rules.vocabulary import MATCHERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.rules.rule import Pattern, Rule

MAX_BRANCHES = 64


class Branch:
    """One alternative. `exempt` holds what its `not`s say; what the rule's `unless` say holds for all of them."""

    __slots__ = ("anchor", "exempt", "others")

    def __init__(self, anchor: Term | Regex, others: Sequence[Term], exempt: Sequence[Pattern]) -> None:
        self.anchor = anchor
        self.others = tuple(others)
        self.exempt = tuple(exempt)


def branches(rule: Rule) -> list[Branch]:
    """Every alternative of a rule; raises PatternError for a pattern that says only what must not be."""
    found: list[Branch] = []
    for pattern in rule.matches:
        if isinstance(pattern, Regex):
            found.append(Branch(pattern, (), ()))
            continue
        column = _column(pattern)
        found.extend(_branch(parts, column) for parts in _expanded(pattern))
    return found


def checked(pattern: Pattern) -> None:
    """Raise PatternError when a pattern cannot become alternatives: told when the file is read, not when it is used."""
    if not isinstance(pattern, Regex):
        for parts in _expanded(pattern):
            _branch(parts, _column(pattern))


def _branch(parts: Sequence[Pattern], column: int) -> Branch:
    positive = [part for part in parts if isinstance(part, Term)]
    exempt = [part.inner for part in parts if isinstance(part, Not)]
    if not positive:
        raise PatternError(column, "this says only what must not be: begin with a matcher that finds something")
    anchor = next((term for term in positive if term.name not in MATCHERS or MATCHERS[term.name].acts), positive[0])
    return Branch(anchor, [term for term in positive if term is not anchor], exempt)


def _expanded(pattern: Pattern) -> list[list[Pattern]]:
    """Alternatives of terms and of `not`s, `or` multiplied out."""
    if isinstance(pattern, Either):
        found = [parts for part in pattern.parts for parts in _expanded(part)]
    elif isinstance(pattern, Every):
        found = [[]]
        for part in pattern.parts:
            found = [left + right for left in found for right in _expanded(part)]
            if len(found) > MAX_BRANCHES:
                break
    elif isinstance(pattern, Not):
        inner = pattern.inner
        if isinstance(inner, Not):
            return _expanded(inner.inner)
        if isinstance(inner, Either):
            return _expanded(Every([Not(part) for part in inner.parts]))
        found = [[pattern]]
    else:
        found = [[pattern]]
    if len(found) > MAX_BRANCHES:
        raise PatternError(_column(pattern), f"this has more than {MAX_BRANCHES} alternatives: write several rules")
    return found


def _column(pattern: Pattern) -> int:
    while not isinstance(pattern, (Term, Regex)):
        pattern = pattern.inner if isinstance(pattern, Not) else pattern.parts[0]
    return pattern.column or 1
