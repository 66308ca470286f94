"""What is enforced, as rows: each rule with where it came from, and what a person let pass."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bk.engine.console.grants import Row as Exempt
from bk.engine.console.hits import DAYS, Hits
from bk.text import inert, inert_lines
from bk.tui.prose import Prose
from bk.tui.widgets.lines import Cell, Column
from bk.tui.words import LEVELS, TONES, age, moment, plural

Json = Any
TIERS = {"block": "block", "suspicious": "ask", "warn": "warn"}
BUILT_IN = "built-in"
IN_FORCE = "in force"
HITS = f"{DAYS} DAYS"
LINES_MAX = 200
SAYS = {
    "block": "the call is refused, and the agent reads why",
    "suspicious": "a person is asked before it may run",
    "warn": "it runs, and is noted",
}
KINDS = {"allow": "exception", "once": "one call", "trust": "trust"}


class Line(NamedTuple):
    """A rule as the rulebook keeps it, or an exception with what became of it; the other is None."""

    rule: Mapping[str, Json] | None = None
    exempt: Exempt | None = None

    @property
    def ident(self) -> str:
        """What it is known by."""
        return str(self.rule["id"]) if self.rule is not None else self.grant.ident

    @property
    def grant(self) -> Json:
        """The exception itself."""
        assert self.exempt is not None
        return self.exempt.grant

    @property
    def level(self) -> str:
        """The level that it leads to."""
        return TIERS.get(str(self.rule["tier"]), "") if self.rule is not None else "allow"

    @property
    def state(self) -> str:
        """Whether it counts now."""
        if self.rule is not None:
            return "off" if self.rule["off"] else IN_FORCE
        return self.exempt.state if self.exempt is not None else ""

    @property
    def origin(self) -> str:
        """Which layer it came from."""
        return str(self.rule["layer"]) if self.rule is not None else KINDS.get(self.grant.kind, self.grant.kind)

    @property
    def pack(self) -> str:
        """The pack of a rule."""
        return str(self.rule["pack"]) if self.rule is not None else ""

    @property
    def what(self) -> str:
        """In a few words: why a rule is there, what an exception lets pass."""
        return str(self.rule["why"]) if self.rule is not None else passes(self.grant)

    def told(self) -> dict[str, Json]:
        """For a program, and for the filter."""
        base = {"id": self.ident, "level": self.level, "state": self.state, "from": self.origin}
        if self.rule is None:
            return {**base, **(self.exempt.told() if self.exempt is not None else {})}
        return {**base, **{name: value for name, value in self.rule.items() if name != "off"}}


def passes(grant: Json) -> str:
    """What an exception lets pass, and where."""
    scope = [f"in {grant.project}"] if grant.project else []
    scope += [f"at {grant.path}"] if grant.path else []
    scope += [f"for {grant.agent}"] if grant.agent else []
    what = {"trust": "questions become warnings", "once": "one exact call"}.get(grant.kind, f"{grant.rule} passes")
    return " ".join([what, *scope])


def columns(counted: Callable[[], Hits | None]) -> list[Column]:
    """The list's columns; `counted` gives how often rules spoke up, None while that is not known."""

    def count(one: Line) -> int:
        found = counted()
        return found.by_rule[one.ident].calls if found is not None and one.ident in found.by_rule else 0

    def hits(one: Line) -> Cell:
        if one.rule is None:
            return Cell("")
        if counted() is None:
            return Cell("…", "quiet")
        return Cell(f"{count(one):,}", "strong") if count(one) else Cell("·", "quiet")

    def level(one: Line) -> Cell:
        if one.state != IN_FORCE:
            return Cell(f"~ {one.state}", "warn")
        glyph, word, style = LEVELS[one.level]
        return Cell(f"{glyph} {'passes' if one.rule is None else word}", style)

    def state(one: Line) -> Cell:
        return Cell(one.state, "quiet" if one.state == IN_FORCE else "warn")

    def origin(one: Line) -> Cell:
        return Cell(one.origin, "quiet" if one.origin == BUILT_IN else "ask")

    def ident(one: Line) -> Cell:
        return Cell(one.ident, "" if one.state == IN_FORCE else "quiet")

    return [
        Column("LEVEL", 8, level, sort=lambda one: list(LEVELS).index(one.level)),
        Column("RULE", 0, ident, sort=lambda one: one.ident, until=84),
        Column("RULE", 30, ident, sort=lambda one: one.ident, needs=84, until=110),
        Column("RULE", 42, ident, sort=lambda one: one.ident, needs=110),
        Column(HITS, 7, hits, right=True, sort=lambda one: -count(one), needs=52),
        Column("WHAT", 0, lambda one: Cell(one.what, "quiet"), needs=84, sort=lambda one: one.what),
        Column("FROM", 9, origin, sort=lambda one: one.origin, needs=46),
        Column("STATE", 8, state, sort=lambda one: one.state, needs=130),
    ]


def explain(  # noqa: PLR0917 - what an explanation is made of
    one: Line, exempts: Sequence[Exempt], width: int, now_ms: int, shorten: Json, hits: Hits | None = None
) -> Prose:
    """A rule with its text and examples, or an exception with its bounds."""
    text = Prose(width)
    if one.rule is None:
        _explain_grant(text, one, now_ms)
        return text
    rule = one.rule
    glyph, word, style = LEVELS[one.level]
    text.add((f"{glyph} {word}  ", f"bold {TONES.get(style, '')}"), (inert(one.ident, 120), "bold"))
    if one.state != IN_FORCE:
        text.add(("~ switched off by rules.disabled: it says nothing to any call", "bold $warning"))
    else:
        text.add((SAYS.get(str(rule["tier"]), ""), "$text-quiet"))
    if rule["why"]:
        text.labelled("why", inert(str(rule["why"]), 600), indent=0)
    if rule["nudge"]:
        text.labelled("instead", (inert(str(rule["nudge"]), 600), "$success"), indent=0)
    file = "built into bk" if one.origin == BUILT_IN else shorten(str(rule["file"]))
    text.labelled("from", inert(f"{file}, pack {one.pack}, line {rule['line']}", 300), indent=0)
    if hits is not None:
        text.labelled("hits", *_hits_told(one.ident, hits, now_ms), indent=0)
    for grant in [each.grant for each in exempts if each.state == IN_FORCE and _touches(each.grant, one.ident)]:
        text.labelled("passes", (inert(f"{passes(grant)} ({grant.ident})", 300), "$warning"), indent=0)
    examples = rule["examples"]
    if examples:
        text.title("examples")
    for bad, said, cwd in examples[:LINES_MAX]:
        mark, tone = (f"{glyph} {word}", TONES.get(style, "")) if bad else ("· allow", "$text-quiet")
        where = f"  in {cwd}" if cwd and cwd != "/" else ""
        text.labelled(mark, inert(str(said), 400), (inert(where, 80), "$text-faint"), style=tone)
    text.title("text")
    for line in inert_lines(str(rule["text"]), LINES_MAX):
        text.add((line, "$text-quiet"), indent=2)
    if rule["tags"] or rule["ref"]:
        text.gap()
        text.labelled("tags", inert(", ".join([*rule["tags"], *([rule["ref"]] if rule["ref"] else [])]), 300), indent=0)
    return text


def _hits_told(ident: str, hits: Hits, now_ms: int) -> list[tuple[str, str]]:
    found = hits.by_rule.get(ident)
    span = f"in {DAYS} days" if hits.whole else "in the newest entries"
    if found is None:
        return [(f"none {span}", "$text-quiet")]
    return [(f"{plural(found.calls, 'call')} {span}", "bold"), (f", the last {age(found.last_ms, now_ms)} ago; ", ""),
            ("h shows them", "$text-quiet")]  # fmt: skip


def _explain_grant(text: Prose, one: Line, now_ms: int) -> None:
    grant = one.grant
    text.add((f"{one.origin}: ", "bold $secondary"), (inert(passes(grant), 400), "bold"))
    text.add((one.state, "" if one.state == IN_FORCE else "$warning"))
    text.gap()
    text.labelled("id", inert(grant.ident, 60), indent=0)
    text.labelled("reason", inert(grant.reason, 400) or "none was given", indent=0)
    text.labelled("by", inert(grant.by, 60), indent=0)
    text.labelled("since", f"{moment(grant.at_ms)}, {age(grant.at_ms, now_ms)} ago", indent=0)
    text.labelled("until", moment(grant.until_ms) if grant.until_ms else "somebody ends it", indent=0)


def _touches(grant: Json, ident: str) -> bool:
    return grant.kind == "allow" and fnmatch.fnmatchcase(ident, grant.rule)
