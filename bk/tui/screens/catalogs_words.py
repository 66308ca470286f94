"""A source of threat catalogs, the whole of them, and what differs between two generations, told for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.content import Content

from bk.engine.console.catalogs.sheet import Agreement, Delta, Run, Sheet, SourceRow
from bk.text import inert
from bk.tui.prose import Prose
from bk.tui.words import DAY, HOUR, MINUTE, TONES, age, moment, plural

# the state of a source -> (glyph, word, style class)
LOOKS = {
    "good": ("+", "ok", "good"),
    "degraded": ("●", "held back", "open"),
    "failing": ("x", "failing", "block"),
    "off": ("·", "off", "quiet"),
    "waiting": ("?", "needs you", "warn"),
    "new": ("?", "never", "quiet"),
}
OLD = ("~", "old", "warn")
MEANS = {
    "good": "it answers, and what it says is in force",
    "degraded": "it has news that bk does not believe by itself; what it said before stays in force",
    "failing": "it could not be asked; what it said before stays in force",
    "off": "it is not asked, and what it says does not count",
    "waiting": "it cannot be asked before you give it what it needs",
    "new": "it was never asked so far",
}
VOUCHED = {"signature": "signature", "pinned_origin": "pinned origin", "none": "nobody"}
STEPS = {
    "fetch": "asking", "read": "reading", "compare": "comparing", "build": "building", "check": "checking",
    "self": "this release", "corpus": "what happened here", "scan": "looking at what is installed",
    "respond": "comparing what is installed",
}  # fmt: skip
MARKS = {"added": ("+", "$error"), "removed": ("-", "$success"), "changed": ("~", "$secondary")}
BLOCKS = "▏▎▍▌▋▊▉█"
SAID_BY = ((1, "one", "1:", "$warning"), (2, "two", "2:", "$accent"), (3, "more", "3+:", "$error"))
LATE = 2.0  # times the interval after which the last news of a source is old


def look(row: SourceRow, hours: float, now_ms: int) -> tuple[str, str, str]:
    """Glyph, word and style class; what answers and has not for long is old, never ok."""
    late = row.state == "good" and hours and now_ms - row.last_success_ms > max(DAY, hours * LATE * HOUR)
    return OLD if late else LOOKS.get(row.state, LOOKS["new"])


def until(then_ms: int, now_ms: int) -> str:
    """How long from now, in at most four characters; "due" when it is time."""
    ahead = then_ms - now_ms
    for length, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if ahead >= length:
            return f"{min(ahead // length, 999)}{unit}"
    return "due"


def change(sheet: Sheet, name: str) -> str:
    """What a source's last news added and removed."""
    added, removed = sheet.changes.get(name, (0, 0))
    return " ".join([*([f"+{added:,}"] if added else []), *([f"-{removed:,}"] if removed else [])])


def share(row: SourceRow, agreed: Agreement | None) -> tuple[int, int]:
    """Of the packages that a source's group lists: all of them, and those that another group lists too."""
    return agreed.shared.get(row.group, (0, 0)) if agreed is not None else (0, 0)


def bar(part: float, width: int) -> str:
    """A bar of eighths, at least a sliver for what is not nothing."""
    eighths = max(1, round(part * width * 8)) if part > 0 else 0
    whole, rest = divmod(min(eighths, width * 8), 8)
    return "█" * whole + (BLOCKS[rest - 1] if rest else "")


def summary(sheet: Sheet, agreed: Agreement | None, now_ms: int, width: int) -> Content:
    """What is in force and how fresh that is; then how far the sources agree."""
    now = sheet.status
    news = f"{age(now.synced_ms, now_ms)} ago" if now.synced_ms else "never"
    total = plural(sum(sheet.packages.values()), "package")
    coming = [row.next_ms for row in now.sources if row.enabled and row.next_ms]
    parts: list[tuple[str, str]] = [(f"generation {now.generation:,}", "bold $primary")]
    parts.append((f"  {total}" if width > 50 else "", "$text-quiet"))
    parts.append(
        (
            f"  news {news} " if not now.stale else f"  STALE, news {news} ",
            "$success" if not now.stale else "bold $error",
        )
    )
    if coming and width > 66:
        parts.append((f"  next {_when(min(coming), now_ms)}", "$text-quiet"))
    if not now.generation:
        parts = [("x no generation can be told: v says more", "bold $error")]
    return Content("\n").join([Content.assemble(" ", *parts), _agreement_line(agreed, width)])


def _when(then_ms: int, now_ms: int) -> str:
    ahead = until(then_ms, now_ms)
    return "is due" if ahead == "due" else f"in {ahead}"


def _agreement_line(agreed: Agreement | None, width: int) -> Content:
    if agreed is None:
        return Content.assemble((" who agrees: counting …", "$text-quiet"))
    whole = sum(agreed.voices.values())
    if not whole:
        return Content.assemble((" nothing is listed", "$text-quiet"))
    wide, noted = width >= 66, width >= 100
    room = min(60, width - 58 - 22 * noted) if wide else 0
    parts: list[tuple[str, str]] = [(" said by " if wide else " ", "$text-quiet")]
    for voices, name, short, tone in SAID_BY:
        count = agreed.voices.get(voices, 0)
        drawn = bar(count / whole, room)
        parts += [(f"{name if wide else short} ", "bold"), (drawn, tone), (f"{' ' if drawn else ''}{count:,}   ", "")]
    if noted:
        parts.append(("one warns, two block", "$text-quiet"))
    return Content.assemble(*parts)


def explain_source(row: SourceRow, sheet: Sheet, agreed: Agreement | None, now_ms: int, width: int) -> Content:
    """One source: how it stands, what that means, what to do, whose it is."""
    text = Prose(width)
    glyph, word, style = look(row, sheet.hours, now_ms)
    text.add((f"{glyph} {word}", f"bold {TONES.get(style, '')}"), (f"  {inert(row.name, 60)}", "bold"))
    text.add((inert(row.title, 200), "$text-quiet"))
    text.gap()
    if row.held is not None and row.enabled:
        held = row.held
        text.labelled("held back", (inert(held.reason, 600), "bold $primary"), indent=0)
        text.labelled(
            "",
            f"it would add {held.added:,} and remove {held.removed:,}; it came {age(held.at_ms, now_ms)} ago",
            indent=0,
        )
    if row.problem and row.enabled:
        text.labelled("problem", (inert(row.problem, 600), "$error"), indent=0)
    if row.needs and row.enabled:
        text.labelled("needs", (inert(row.needs, 200), "$warning"), indent=0)
    text.labelled("means", MEANS.get(row.state, ""), indent=0)
    step = sheet.steps.get(row.name, "")
    if row.held is not None and row.enabled:
        step = "a takes it in, after you looked at it"
    elif row.state == "new":
        step = "r asks every source, o only this one"
    if step:
        text.labelled("next", (inert(step, 400), "$secondary"), indent=0)
    text.title("freshness")
    for label, at in (("last news", row.last_success_ms), ("last try", row.last_attempt_ms)):
        text.labelled(label, f"{moment(at)}, {age(at, now_ms)} ago" if at else "never")
    if row.enabled and row.next_ms:
        text.labelled("next try", _when(row.next_ms, now_ms))
    text.title("what it says")
    packages = ", ".join(
        f"{inert(name, 30)} {count:,}" for name, count in sorted(row.packages.items(), key=lambda each: -each[1])
    )
    text.labelled("entries", f"{row.entries:,}{f': {packages}' if packages else ''}")
    if change(sheet, row.name):
        text.labelled("last news", change(sheet, row.name))
    whole, both = share(row, agreed)
    if whole:
        text.labelled(
            "agreed", f"{both:,} of {whole:,} packages are listed by another group too ({both * 100 // whole} %)"
        )
    text.title("whose it is")
    text.labelled("voice", f"counts as {inert(row.group, 60)}" if row.group else "none of its own")
    text.labelled("vouched", VOUCHED.get(row.provenance, inert(row.provenance, 40)) or "not asked yet")
    if row.licence:
        text.labelled("licence", inert(row.licence, 120))
    return text.content()


def tell_delta(found: Delta, width: int) -> Content:
    """What differs between two generations."""
    text = Prose(width)
    counts = "  ".join(f"{MARKS[kind][0]}{count:,} {kind}" for kind, count in found.counts.items() if count)
    more = ", and more" if found.more else ""
    text.add(
        (f"generation {found.newer} against {found.older}", "bold"),
        (f"   {counts or 'nothing differs'}{more}", "$text-quiet"),
    )
    text.gap()
    for kind, name, words in found.first:
        mark, tone = MARKS[kind]
        text.labelled(
            mark,
            (inert(name, 200), "bold"),
            (f"  {inert(words, 300)}", "$text-quiet"),
            style=f"bold {tone}",
            indent=0,
            room=2,
        )
    left = sum(found.counts.values()) - len(found.first)
    if left > 0 or found.more:
        text.add((f"the rest: bk catalogs diff {found.older} {found.newer} --limit 0", "$text-quiet"))
    return text.content()


def tell_runs(runs: list[Run], now_ms: int, width: int) -> Content:
    """The newest runs of the worker, and how each source fared in them."""
    text = Prose(width)
    if not runs:
        text.add(("The sources were never asked here.", "bold"))
    for run in runs:
        if not run.ended_ms:
            glyph, word, tone = "…", "not ended", "$text-quiet"
        else:
            glyph, word, tone = ("+", "ok", "$success") if run.ok else ("x", "not all", "$error")
        by = "bk" if run.by == "engine" else "a person" if run.by.startswith("person") else inert(run.by, 30)
        when = f"  {moment(run.started_ms)}, {age(run.started_ms, now_ms)} ago, by {by}"
        text.add((f"{glyph} {word}  ", f"bold {tone}"), (inert(run.verb, 20), "bold"), (when, "$text-quiet"))
        if run.said.get("problem"):
            text.labelled("problem", (inert(str(run.said["problem"]), 400), "$error"))
        for name, said in (run.said.get("sources") or {}).items():
            text.labelled(inert(str(name), 14), inert(fared(said), 400), room=15)
        text.gap()
    return text.content()


def fared(said: Mapping[str, Any]) -> str:
    """How a source fared in a run."""
    much = "".join(f" {sign}{said[name]:,}" for name, sign in (("added", "+"), ("removed", "-")) if said.get(name))
    return f"{said.get('outcome', '')}{much}  {said.get('detail') or ''}".rstrip()
