"""One setting as a row, and explained: its value, what is staged for it, where it comes from, what it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bk.engine.console.config import APART, Row
from bk.engine.console.would import ASKS, MOVES, REPORTS, Would
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.prose import Prose
from bk.tui.widgets.lines import Cell, Column
from bk.tui.words import plural

Json = Any
GENERAL = "general"
AREA = "auto_quarantine"
LISTED = 12
ORIGINS = {
    "built-in": "bk's own default",
    "system": "the system file, which root keeps",
    "user": "your config.toml",
    "project": "a project's .bk.toml",
    "environment": "an environment variable",
}
ORDERS = {
    "lower": "lower is tighter",
    "higher": "higher is tighter",
    "later": "further right is tighter",
    "more": "more items are tighter",
    "fewer": "fewer items are tighter",
    "fixed": "neither way is tighter",
}


class Setting(NamedTuple):
    """A key as it is in force. `staged` tells whether a change waits, `new` what it would be then."""

    row: Row
    stated: bool = False
    staged: bool = False
    new: Json = None
    wrong: BkError | None = None

    @property
    def name(self) -> str:
        """The whole key."""
        return self.row.key.name

    @property
    def area(self) -> str:
        """The table it is in."""
        table, dot, _ = self.name.partition(".")
        return table if dot else GENERAL

    @property
    def short(self) -> str:
        """Its name inside that table."""
        return self.name.partition(".")[2] or self.name

    @property
    def value(self) -> str:
        """What is in force, or what would be instead."""
        was = worded(self.row, self.row.value)
        return f"{was} → {worded(self.row, self.new)} *" if self.staged else was

    def told(self) -> dict[str, Json]:
        """For a program, and for the filter."""
        said = self.row.told()
        if self.row.key.secret:
            said["value"] = worded(self.row, self.row.value)
        return {**said, "area": self.area, "staged": "yes" if self.staged else "no"}


class Moves(NamedTuple):
    """What would become of what is installed: now, with what is staged, and if nothing were asked any more."""

    now: Sequence[Would] = ()
    staged: Sequence[Would] | None = None
    live: Sequence[Would] = ()
    problem: str = ""


def worded(row: Row, value: Json) -> str:
    """A value in few words."""
    key = row.key
    if value is True or value is False:
        return "on" if value else "off"
    if key.secret:
        return f"{plural(len(value), 'pattern')}, not shown" if value else "none"
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:LISTED]))
        return f"{len(value)}: {shown}" if value else "none"
    if isinstance(value, dict):
        return f"{len(value)}: {', '.join(map(str, value))}" if value else "none"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value) if value != "" else "none"


def may_be(row: Row) -> str:
    """The values it may take, in the words of this screen."""
    return "on, off" if row.key.kind == "bool" else row.key.bounds or "text"


def grouped(rows: Iterable[Setting]) -> list[Setting]:
    """The settings area by area, in the order in which the areas first come up."""
    every = list(rows)
    order = list(dict.fromkeys(one.area for one in every))
    return sorted(every, key=lambda one: order.index(one.area))


def columns(first: Callable[[Setting], bool]) -> list[Column]:
    """The list's columns; `first` tells whether a row is the first of its area that is shown."""

    def area(one: Setting) -> Cell:
        return Cell(one.area if first(one) else "", "quiet")

    def key(one: Setting) -> Cell:
        return Cell(one.short, "block" if one.wrong else "open" if one.staged else "")

    def value(one: Setting) -> Cell:
        changed = one.row.origin != "built-in"
        style = "block" if one.wrong else "open" if one.staged else "" if changed else "quiet"
        return Cell(f"{one.value}{'  x refused' if one.wrong else ''}", style)

    def origin(one: Setting) -> Cell:
        locked = " locked" if one.row.locked else ""
        return Cell(f"{one.row.origin}{locked}", "quiet" if one.row.origin == "built-in" else "ask")

    return [
        Column("AREA", 15, area, needs=58, sort=lambda one: one.area),
        Column("KEY", 24, key, sort=lambda one: one.name),
        Column("VALUE", 0, value, sort=lambda one: one.value),
        Column(
            "DEFAULT",
            14,
            lambda one: Cell(worded(one.row, one.row.key.default), "quiet"),
            needs=92,
            sort=lambda one: worded(one.row, one.row.key.default),
        ),
        Column("MAY BE", 24, lambda one: Cell(may_be(one.row), "quiet"), needs=116, sort=lambda one: may_be(one.row)),
        Column("FROM", 8, origin, needs=50, sort=lambda one: one.row.origin),
    ]


def explain(one: Setting, moves: Moves, shorten: Callable[[str], str], width: int) -> Prose:
    """Everything about a setting, in the order a person asks."""
    key, row = one.row.key, one.row
    text = Prose(width)
    text.add((one.name, "bold"))
    if one.wrong is not None:
        text.add((f"x {inert(one.wrong.detail or one.wrong.title, 600)}", "bold $error"))
        text.labelled("next", (inert(one.wrong.next_step, 300), "$secondary"), indent=0)
    text.add(inert(key.help, 400))
    if one.staged:
        text.add(("* staged, not saved: ", "$primary"), (inert(one.value.removesuffix(" *"), 600), "bold $primary"))
        if one.name in APART:
            other = next(name for name in APART if name != one.name)
            text.add((f"{other} is a separate decision: it cannot be saved together with this one.", "$text-quiet"))
    if one.area == AREA:
        text.gap()
        list_moves(text, moves, shorten)
    text.gap()
    text.labelled("in force", inert(worded(row, row.value), 2000), indent=0)
    text.labelled("from", inert(f"{ORIGINS.get(row.origin, row.origin)}", 200), indent=0)
    text.labelled("default", inert(worded(row, key.default), 1000), indent=0)
    text.labelled("may be", inert(may_be(row), 300), indent=0)
    text.labelled("tighter", ORDERS.get(key.order, ""), indent=0)
    text.labelled("set by", _changers(row), indent=0)
    return text


def _changers(row: Row) -> str:
    key = row.key
    if row.locked:
        return "the system file locks it: others may only tighten it"
    if key.relax == "system":
        return "only the system file may loosen it"
    also = "; a project may tighten it" if key.project else ""
    env = f"; {key.env} may tighten it for one process" if key.env else ""
    return f"you, here or in config.toml{also}{env}"


def list_moves(text: Prose, moves: Moves, shorten: Callable[[str], str]) -> None:
    """What would be moved, artifact by artifact."""
    if moves.problem:
        text.add((f"x {inert(moves.problem, 300)}", "$error"))
        return
    if moves.staged is not None:
        text.add(("saved now: ", "$primary"), (summed(moves.staged), "bold"))
        _each(text, moves.staged, shorten)
    else:
        text.add(("as it is: ", "$text-quiet"), summed(moves.now))
        _each(text, moves.now, shorten)
    would_be = [each for each in moves.live if each.what == MOVES]
    if not any(each.what == MOVES for each in (moves.staged if moves.staged is not None else moves.now)):
        text.add(("enabled and not dry: ", "$text-quiet"), summed(moves.live))
        if would_be:
            _each(text, would_be, shorten)


def _each(text: Prose, found: Sequence[Would], shorten: Callable[[str], str]) -> None:
    marks = {MOVES: ("◆", "$accent"), ASKS: ("?", "$secondary"), REPORTS: ("◇", "$text-quiet")}
    for each in found[:LISTED]:
        glyph, tone = marks[each.what]
        path = shorten(each.incident.path) if each.incident.path else "where it lies is not known"
        text.labelled(f"{glyph} {each.what}", (inert(each.name, 120), "bold"), f"  {inert(path, 300)}",
                      (f"  {inert(each.why, 200)}", "$text-quiet"), style=tone, room=9)  # fmt: skip
    if len(found) > LISTED:
        text.add((f"… and {plural(len(found) - LISTED, 'more', 'more')}", "$text-quiet"), indent=2)


def summed(found: Sequence[Would]) -> str:
    """How many would be moved, asked about, reported."""
    if not found:
        return "nothing would move"
    count: Mapping[str, int] = {what: sum(each.what == what for each in found) for what in (MOVES, ASKS, REPORTS)}
    said = [f"{count[MOVES]} would move" if count[MOVES] else "nothing would move"]
    said += [f"{count[ASKS]} would wait for your word"] if count[ASKS] else []
    said += [f"{count[REPORTS]} would only be reported"] if count[REPORTS] else []
    return ", ".join(said)
