"""Runs, items and changes in words: the columns of the lists, and what stands beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.content import Content

from bk.engine.console.inventory import Diff, Item, Run
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.prose import Prose
from bk.tui.widgets.lines import Cell, Column
from bk.tui.words import TONES, age, moment, plural

# status -> (glyph, word, style)
STATUSES = {
    "complete": ("✓", "complete", "good"),
    "partial": ("~", "partial", "warn"),
    "error": ("✖", "stopped", "block"),
    "running": ("…", "running", "ask"),
}
# what became of an artifact -> (glyph, word, style)
CHANGES = (
    ("+", "came", "ask"),
    ("-", "went", "warn"),
    ("?", "not seen", "quiet"),
    ("~", "changed", "open"),
)
KINDS = {"installed": "", "cached": "quiet", "configured": "ask", "locked": "quiet"}
DOUBT = {"probable": "warn", "guessed": "warn"}
FEW, BAR = 60, 24


class Change:
    """What became of one artifact between two runs."""

    __slots__ = ("item", "look", "was")

    def __init__(self, look: tuple[str, str, str], item: Item, was: Item | None = None) -> None:
        self.look = look
        self.item = item
        self.was = was

    @property
    def key(self) -> str:
        """Its identity in the list."""
        return f"{self.look[1]} {self.item.key}"

    def told(self) -> dict[str, Any]:
        """For a program, and for the filter."""
        told = {"change": self.look[1], **self.item.plain()}
        return {**told, "before": self.was.plain()} if self.was is not None else told


def run_columns(now: Callable[[], int], marked: Callable[[], int]) -> list[Column]:
    """The runs."""

    def state(run: Run) -> Cell:
        glyph, word, style = STATUSES.get(run.status, STATUSES["error"])
        return Cell(f"{glyph} {word}", style)

    def took(run: Run) -> Cell:
        spent = (run.ended - run.started) / 1000 if run.ended else 0.0
        return Cell(f"{spent:.1f} s" if spent < 100 else f"{spent / 60:.0f} min", "quiet")

    return [
        Column("", 1, lambda run: Cell("◂" if run.id == marked() else "", "strong")),
        Column("RUN", 4, lambda run: Cell(str(run.id)), right=True, sort=lambda run: run.id),
        Column("AGE", 4, lambda run: Cell(age(run.started, now()), "quiet"), right=True, sort=lambda run: -run.started),
        Column("LOOKED", 8, lambda run: Cell(run.profile), sort=lambda run: run.profile),
        Column("RESULT", 10, state, sort=lambda run: run.status),
        Column("ITEMS", 8, lambda run: Cell(f"{run.total:,}"), right=True, sort=lambda run: run.total),
        Column("PROBLEMS", 8, lambda run: Cell(f"{len(run.problems):,}" if run.problems else "", "warn"), right=True,
               needs=58, sort=lambda run: -len(run.problems)),
        Column("DIRECTORIES", 11, lambda run: Cell(f"{run.directories:,}", "quiet"), right=True, needs=72,
               sort=lambda run: run.directories),
        Column("TOOK", 7, took, right=True, needs=80, sort=lambda run: run.ended - run.started),
        Column("WHERE", 0, lambda run: Cell(", ".join(run.roots), "quiet"), needs=92, sort=lambda run: run.roots),
    ]  # fmt: skip


def item_columns() -> list[Column]:
    """What a run saw."""
    return [
        Column("KIND", 10, lambda item: Cell(item.kind, KINDS.get(item.kind, "")), sort=lambda item: item.kind),
        Column("ECOSYSTEM", 12, lambda item: Cell(item.ecosystem, "quiet"), needs=60, sort=lambda item: item.ecosystem),
        Column("NAME", 0, lambda item: Cell(item.name), sort=lambda item: item.name),
        Column("VERSION", 14, lambda item: Cell(item.version), sort=lambda item: item.version),
        Column("SCRIPTS", 7, lambda item: Cell("runs" if item.scripts else "", "warn"), needs=76,
               sort=lambda item: not item.scripts),
    ]  # fmt: skip


def change_columns() -> list[Column]:
    """What came, went and changed."""
    return [
        Column("CHANGE", 10, lambda one: Cell(f"{one.look[0]} {one.look[1]}", one.look[2]),
               sort=lambda one: one.look[1]),
        Column("ECOSYSTEM", 12, lambda one: Cell(one.item.ecosystem, "quiet"), needs=60,
               sort=lambda one: one.item.ecosystem),
        Column("NAME", 0, lambda one: Cell(one.item.name), sort=lambda one: one.item.name),
        Column("VERSION", 14, lambda one: Cell(one.item.version), sort=lambda one: one.item.version),
    ]  # fmt: skip


def explain_run(run: Run, apart: tuple[Run, Diff] | BkError | None, now: int, width: int) -> Content:
    """One run: how it ended, what it counted, what is different, what it could not read."""
    text = Prose(width)
    glyph, word, style = STATUSES.get(run.status, STATUSES["error"])
    text.add((f"{glyph} {word}", f"bold {TONES[style]}"), (f"  run {run.id}, {run.profile}", "$text-quiet"))
    if run.why:
        text.add((inert(run.why, 300), TONES[style]))
    _apart(text, apart)
    if run.counts:
        text.title("what it saw")
        text.drawn(*bars(run, width))
    for title, told, tone in (
        ("what it could not read", run.problems, "$warning"),
        ("what it left alone, for it belongs to somebody else", run.notes, "$text-quiet"),
    ):
        if told:
            text.title(f"{title}: {len(told):,}")
            for path, why in told[:FEW]:
                text.add((inert(why, 200), tone), indent=2)
                text.add((inert(path.encode(errors="replace").decode(), 400), "$text-quiet"), indent=4)
            if len(told) > FEW:
                text.add((f"… and {len(told) - FEW:,} more: bk inventory problems", "$text-quiet"), indent=2)
    text.title("about")
    text.labelled("began", f"{moment(run.started)}, {age(run.started, now)} ago")
    if run.ended:
        text.labelled("took", f"{(run.ended - run.started) / 1000:.1f} s")
    reused = f", {run.reused:,} of them unchanged since the last one" if run.reused else ""
    text.labelled("looked at", f"{plural(run.directories, 'directory', 'directories')}{reused}")
    for root in run.roots[:FEW]:
        text.labelled("in", inert(root.encode(errors="replace").decode(), 400))
    return text.content()


def explain_item(item: Item, width: int, *, change: Change | None = None) -> Content:
    """One thing that is installed: what it is, where it lies, who says so."""
    text = Prose(width)
    if change is not None:
        glyph, word, style = change.look
        text.add((f"{glyph} {word}", f"bold {TONES[style]}"))
    version = f"@{item.version}" if item.version else ""
    text.add((inert(f"{item.ecosystem}:{item.name}{version}", 300), "bold"))
    if change is not None and change.was is not None:
        _before(text, change.was, item)
    at = item.locator
    text.title("where")
    text.labelled("artifact", _path(at.path or (at.files[0] if at.files else "")) or "nowhere of its own")
    if len(at.files) > 1:
        text.labelled("files", plural(len(at.files), "file"))
    if at.pointer:
        text.labelled("entry", inert(at.pointer, 300))
    text.labelled("seen in", _path(item.observed))
    if item.root:
        text.labelled("part of", _path(item.root))
    text.title("about")
    text.labelled("kind", (item.kind, TONES.get(KINDS.get(item.kind, ""), "")), f", by {inert(item.manager, 40)}")
    text.labelled("sure", (item.confidence, TONES.get(DOUBT.get(item.confidence, ""), "")))
    if item.direct is not None:
        text.labelled("wanted", "by the project itself" if item.direct else "by something else that is installed")
    if item.scripts:
        text.labelled("scripts", (inert(", ".join(item.scripts), 400), "$warning"))
    if item.origin:
        text.labelled("from", _path(item.origin))
    if item.note:
        text.labelled("note", inert(item.note, 400))
    text.labelled("purl", (inert(item.purl, 400), "$text-quiet"))
    return text.content()


def bars(run: Run, width: int) -> list[Content]:
    """How many of each ecosystem, as people would rather look at it."""
    most = max(run.counts.values())
    wide = max(8, min(BAR, width - 28))
    lines = []
    for name, count in sorted(run.counts.items(), key=lambda pair: -pair[1]):
        full = max(1, round(count / most * wide))
        lines.append(
            Content.assemble(
                f"  {inert(name, 16):<17}", ("█" * full, "$secondary"), " " * (wide - full), (f" {count:>7,}", "")
            )
        )
    return lines


def _apart(text: Prose, apart: tuple[Run, Diff] | BkError | None) -> None:
    if apart is None:
        return
    if isinstance(apart, BkError):
        text.add((f"{inert(apart.detail or apart.title, 200)}: nothing to compare with", "$text-quiet"))
        return
    before, diff = apart
    parts = [f"{len(diff.added):,} came", f"{len(diff.gone):,} {'went' if diff.proven else 'not seen'}"]
    text.title(f"against run {before.id}")
    text.add(
        (f"+ {parts[0]}", TONES["ask"] if diff.added else "$text-quiet"), "   ",
        (f"- {parts[1]}", TONES["warn"] if diff.gone else "$text-quiet"), "   ",
        (f"~ {len(diff.changed):,} changed", TONES["open"] if diff.changed else "$text-quiet"), indent=2,
    )  # fmt: skip
    if diff.gone and not diff.proven:
        text.add(("not everything was looked at, so what was not seen may still be there", "$text-quiet"), indent=2)


def _before(text: Prose, was: Item, now: Item) -> None:
    text.title("changed")
    old, new = was.plain(), now.plain()
    for name, value in new.items():
        if value != old[name]:
            text.labelled(name[:9], (inert(str(old[name]), 200), "$text-quiet"), " → ", inert(str(value), 200))


def _path(path: str) -> str:
    return inert(path.encode(errors="replace").decode(), 600)
