"""Trying rules out: each example goes through the whole decision, and must be found by its own rule or left alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from bk.engine.checks import CHECKS
from bk.engine.config import snapshot
from bk.engine.console.installation import here
from bk.engine.console.rules import everything, given
from bk.engine.errors import USAGE, BkError
from bk.engine.facts import Facts
from bk.engine.lower import lower
from bk.engine.model import Level, ToolCall
from bk.engine.rulebook.layers import Source
from bk.engine.rulebook.making import lists_of
from bk.engine.rules.book import Rulebook
from bk.engine.rules.compile import compiled
from bk.engine.rules.errors import RuleErrors, nearest
from bk.engine.rules.example import HOME
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.config.policy import Policy
    from bk.engine.model import Json
    from bk.engine.rules.rule import Example, Rule


class Outcome:
    """One example tried: whether its rule found it, what the verdict was, and which other rules spoke."""

    __slots__ = ("example", "found", "ident", "level", "others", "source")

    def __init__(self, source: Source, rule: Rule, example: Example, level: Level, rules: Sequence[str]) -> None:
        self.source = source
        self.ident = f"{source.pack}/{rule.name}"
        self.example = example
        self.found = self.ident in rules
        self.others = [each for each in dict.fromkeys(rules) if each != self.ident]
        self.level = level

    @property
    def ok(self) -> bool:
        """A bad call must be found by this very rule, a good one must not."""
        return self.found == self.example.bad

    def told(self) -> dict[str, Json]:
        """The outcome for a program."""
        return {
            "rule": self.ident, "example": "bad" if self.example.bad else "good", "call": self.example.text,
            "cwd": self.example.cwd, "file": self.source.path, "line": self.example.line, "found": self.found,
            "ok": self.ok, "verdict": self.level.word, "others": self.others,
        }  # fmt: skip


class Table:
    """Where examples are tried: all rules switched on, no disk looked at, a home that is nobody's."""

    def __init__(self, book: Rulebook, policy: Policy, kind_of: Callable[[str], str]) -> None:
        self._book = book
        self._policy = policy
        self._kind_of = kind_of

    def outcome(self, source: Source, rule: Rule, example: Example) -> Outcome:
        """What becomes of one example."""
        kind = self._kind_of(example.tool)
        call = ToolCall(example.tool, kind, example.input, harness="rules", cwd=example.cwd, home=HOME)
        actions = lower(call)
        facts = Facts(
            home=HOME,
            cwd=example.cwd,
            state_root=f"{HOME}/.bk",
            policy=self._policy.values,
            call=call,
            rules=self._book,
        )
        findings = [finding for check in CHECKS for finding in check(actions, facts)]
        level = max((finding.level for finding in findings), default=Level.ALLOW)
        return Outcome(source, rule, example, level, [finding.rule for finding in findings])


def trial(
    paths: Sequence[str] = (),
    *,
    rule: str = "",
    kind_of: Callable[[str], str],
    env: Mapping[str, str] | None = None,
    cwd: str = "",
) -> Iterator[Outcome]:
    """Try each example through the whole decision: understood, checked and judged, with every rule switched on."""
    state = here(env)
    policy = snapshot.read(state)
    around = everything(state, cwd or os.getcwd())
    chosen = given(paths) if paths else around
    if chosen.faults:
        raise BkError("a rule file is wrong", "\n".join(chosen.told()[:12]), "`bk rules lint` shows the places")
    packs = {**around.right().packs(), **chosen.packs()}
    try:
        book = Rulebook.load(compiled(packs, lists_of(policy), (), policy.values["rules.profile"]))
    except RuleErrors as wrong:
        raise BkError("a rule file is wrong", str(wrong), "`bk rules lint` shows the places") from wrong
    table = Table(book, policy, kind_of)
    every = [(source, each, f"{source.pack}/{each.name}") for source in chosen.sources for each in source.rules]
    tried = [(source, each) for source, each, ident in every if rule in ("", each.name, ident)]
    if not tried:
        meant = nearest(rule, [ident for _, _, ident in every])
        hint = f"did you mean {meant}?" if meant else "`bk rules list` shows them all"
        detail = f"no rule {inert(rule, 60)!r}" if rule else "no rules"
        raise BkError("there is nothing to try", detail, hint, code=USAGE)
    return (table.outcome(source, each, example) for source, each in tried for example in each.examples)
