"""Incidents as rows, and what is left to do about one, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from bk.engine.console.describe import agent, strongest
from bk.engine.console.matters import Matter, sources_of
from bk.text import inert, inert_lines
from bk.tui.prose import Explanation, Prose
from bk.tui.widgets.lines import Cell, Column
from bk.tui.words import LEVELS, STATES, age, plural

if TYPE_CHECKING:
    from bk.engine.console.cases import FollowUp
    from bk.engine.console.remediate import Plan
    from bk.engine.console.session import Session
    from bk.engine.model import Entry

RANK = {"quarantine": 0, "block": 1, "ask": 2, "warn": 3}
LINES = 400


def columns(session: Session) -> list[Column]:
    """The list's columns."""
    now = session.now

    def behind(one: Matter) -> Entry | None:
        return session.feed.entry(one.seq) if one.seq else None

    def sources(one: Matter) -> Sequence[str]:
        if one.sources or not one.seq:
            return one.sources
        entry = behind(one)
        return sources_of(entry) if entry is not None else ()

    def rule(one: Matter) -> str:
        entry = behind(one)
        return str(strongest(entry).get("rule", "")) if entry is not None else ""

    def who(one: Matter) -> str:
        entry = behind(one)
        return agent(entry) if entry is not None else ""

    def level(one: Matter) -> Cell:
        glyph, word, style = LEVELS.get(one.level, LEVELS[""])
        return Cell(f"{glyph} {word}", style if one.open else "quiet")

    def state(one: Matter) -> Cell:
        glyph, word, style = STATES.get(one.state, STATES["open"])
        return Cell(f"{glyph} {word}", style)

    return [
        Column("LEVEL", 7, level, sort=lambda one: RANK.get(one.level, 9)),
        Column("AGE", 4, lambda one: Cell(age(one.at, now()), "quiet"), right=True, sort=lambda one: -one.at),
        Column("WHAT", 0, lambda one: Cell(one.title, "" if one.open else "quiet"), sort=lambda one: one.title),
        Column("TIMES", 5, lambda one: Cell(f"{one.count:,}" if one.count > 1 else "", "quiet"), right=True,
               needs=64, sort=lambda one: -one.count),
        Column("SAID BY", 7, lambda one: Cell(str(len(sources(one)) or ""), "quiet"), right=True, needs=76,
               sort=lambda one: -len(sources(one))),
        Column("RULE", 26, lambda one: Cell(rule(one), "quiet"), needs=130, sort=rule),
        Column("WHO", 11, lambda one: Cell(who(one), "quiet"), needs=96, sort=who),
        Column("STATE", 12, state, needs=50, sort=lambda one: (not one.open, one.state)),
    ]  # fmt: skip


def clean_up(left: Sequence[FollowUp], plan: Plan) -> Explanation:
    """What still runs or names it, the commands that end that, and what they would change in files."""

    def made(width: int) -> Content:
        text = Prose(min(width, 110))
        text.add(("Nothing here was done, and nothing was touched: these are yours to do.", "$text-quiet"))
        text.title("what is left")
        if not left:
            text.add("nothing that bk knows of runs it, names it or would bring it back", indent=2)
        for each in left:
            told = each.told()
            text.labelled(inert(str(told["kind"]), 9), inert(str(told["path"]), 400))
            more = f"{inert(str(told['detail']), 200)}: " if told["detail"] else ""
            text.add((f"{more}{inert(str(told['step']), 300)}", "$text-quiet"), indent=12)
        if plan.steps:
            text.title("how to be rid of it")
        for step in plan.steps:
            text.add((inert(step.encode(errors="replace").decode(), 600), "$secondary"), indent=2)
        if plan.diffs:
            text.title(f"what that would change in {plural(len(plan.diffs), 'file')}")
        for patch in plan.diffs:
            for line in inert_lines(patch.encode(errors="replace").decode(), LINES):
                tone = {"+": "$success", "-": "$error"}.get(line[:1], "$text-quiet")
                text.add((line, tone), indent=2)
            text.gap()
        return text.content()

    return made
