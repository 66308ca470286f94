"""The corpus in words: what happened and what was said then, what is said now, and what each label weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.content import Content

from bk.engine.console.corpus import Shown
from bk.engine.console.incidents import RANKS
from bk.engine.console.overlay import OverlayEntry
from bk.engine.console.review import AUTOMATIC, PERSON, QUOTED, Event, Label, Matter, label_that_counts
from bk.text import inert
from bk.tui.prose import Prose
from bk.tui.widgets.agreement import agreement
from bk.tui.widgets.lines import Cell, Column
from bk.tui.words import LEVELS, TONES, age, moment, plural

# what it turned out to be -> (glyph, word, style)
OUTCOMES = {
    "unresolved": ("●", "to review", "open"),
    "malicious": ("■", "malicious", "block"),
    "benign": ("✓", "benign", "good"),
    "policy_correct": ("◇", "policy right", "ask"),
}
NOTHING_DUE = ("·", "unresolved", "quiet")
# who says so -> (word, style): a person's word is told apart at a glance
WHO = {PERSON: ("a person", "strong"), AUTOMATIC: ("automatic", "quiet"), QUOTED: ("imported", "quiet"), "": ("", "")}
HOW = {
    "forensic_review": "they looked into it",
    "breach_confirmation": "a breach showed it",
    "benign_explained": "it has an explanation",
    "user_override": "their word alone",
    "catalog_confirmation": "catalogs confirmed it",
    "downstream_clean": "nothing bad followed",
    "catalog_withdrawn": "catalogs took it back",
    "import": "another installation says so",
    "undo": "taken back",
}
TIERS = {"enforce": ("■ enforce", "block"), "watch": ("▲ watch", "warn")}
ENTRY_STATES = {"active": ("● in force", "open"), "expired": ("○ expired", "quiet"), "revoked": ("✓ revoked", "quiet")}
FEW = 12


def outcome_look(one: Matter) -> tuple[str, str, str]:
    """Glyph, word and style of what a matter turned out to be."""
    if one.outcome == "unresolved" and not one.waits:
        return NOTHING_DUE
    return OUTCOMES.get(one.outcome, NOTHING_DUE)


def matter_columns(now: Callable[[], int]) -> list[Column]:
    """The matters."""

    def outcome(one: Matter) -> Cell:
        glyph, word, style = outcome_look(one)
        return Cell(f"{glyph} {word}", style)

    def level(one: Matter) -> Cell:
        glyph, word, style = LEVELS.get(one.event.level, LEVELS[""])
        return Cell(f"{glyph} {word}", style)

    return [
        Column("OUTCOME", 14, outcome, sort=lambda one: (not one.waits, one.outcome)),
        Column("BY", 9, lambda one: Cell(*WHO[one.said_by]), needs=90, sort=lambda one: one.said_by),
        Column("ANSWER", 7, level, sort=lambda one: RANKS.get(one.event.level, 9)),
        Column("AGE", 4, lambda one: Cell(age(one.event.at_ms, now()), "quiet"), right=True,
               sort=lambda one: -one.event.at_ms),
        Column("WHAT", 0, lambda one: Cell(one.title, "" if one.waits else "quiet"), sort=lambda one: one.title),
        Column("TIMES", 5, lambda one: Cell(f"{one.count:,}" if one.count > 1 else "", "quiet"), right=True, needs=60,
               sort=lambda one: -one.count),
        Column("FROM", 7, lambda one: Cell(one.event.surface, "quiet"), needs=120, sort=lambda one: one.event.surface),
    ]  # fmt: skip


def entry_columns(now: Callable[[], int]) -> list[Column]:
    """This machine's own entries."""

    def state(row: OverlayEntry) -> Cell:
        return Cell(*ENTRY_STATES.get(row.state, (row.state, "quiet")))

    def until(row: OverlayEntry) -> Cell:
        if row.state != "active":
            return Cell(f"{age(row.ended_ms or row.expires_ms, now())} ago", "quiet")
        return Cell(f"in {age(now(), row.expires_ms)}", "warn" if row.expires_ms - now() < 7 * 86_400_000 else "")

    return [
        Column("STATE", 10, state, sort=lambda row: row.state),
        Column("TIER", 9, lambda row: Cell(*TIERS.get(row.tier, (row.tier, ""))), sort=lambda row: row.tier),
        Column("ENDS", 8, until, right=True, sort=lambda row: row.expires_ms),
        Column("PACKAGE", 0, lambda row: Cell(package_of(row)), sort=lambda row: row.purl),
        Column("SEVERITY", 8, lambda row: Cell(row.severity, "quiet"), needs=70, sort=lambda row: row.severity),
        Column("BY", 9, lambda row: Cell(*WHO[PERSON if by_person(row) else AUTOMATIC]), needs=80,
               sort=lambda row: row.created_by),
    ]  # fmt: skip


def explain_then(one: Matter, now: int, width: int) -> Content:
    """What was done, what was answered, and on whose word."""
    text, event = Prose(width), one.event
    said = event.behaviour
    text.add((inert(str(said.get("command") or one.title), 600), "bold"))
    if said.get("path") and not said.get("command"):
        text.add((_path(str(said["path"])), "$text-quiet"))
    who = ", ".join(inert(str(said[name]), 60) for name in ("harness", "tool") if said.get(name))
    often = f"; {plural(one.count, 'time')} since {age(one.first_ms, now)} ago" if one.count > 1 else ""
    text.add((f"{who or inert(event.surface, 20)}, {age(event.at_ms, now)} ago{often}", "$text-quiet"))
    for action in _listed(said, "actions")[:FEW]:
        verb = inert(str(action.get("mode") or action.get("do") or ""), 8)
        text.labelled(verb, inert(str(action.get("target") or ""), 300), style="$secondary")
    _answered(text, event)
    for told in _listed(event.decision, "packages")[:FEW]:
        text.gap()
        text.add((inert(str(told.get("purl", "")).removeprefix("pkg:"), 300), "bold"))
        text.labelled("then", agreement(_names(told, "agreed"), _names(told, "dissented")))
    return text.content()


def explain_now(one: Matter, shown: Shown | None, now: int, width: int) -> Content:
    """What is said of it now, what counts, and what followed."""
    text = Prose(width)
    glyph, word, style = outcome_look(one)
    who = WHO[one.said_by][0]
    text.add((f"{glyph} {word}", f"bold {TONES.get(style, '')}"), (f"  says {who}" if who else "", "$text-quiet"))
    if one.note:
        text.add((inert(one.note, 300), "$text-quiet"))
    if shown is None:
        text.gap()
        text.add(("asking the catalogs …", "$text-quiet"))
        return text.content()
    before = {str(each.get("purl")): set(_names(each, "agreed")) for each in _listed(one.event.decision, "packages")}
    for purl, found in list(shown.found.items())[:FEW]:
        text.gap()
        text.add((inert(purl.removeprefix("pkg:"), 300), "bold"))
        speaks = agreement(sorted(found.groups), sorted(found.silent)) if found.groups or found.silent else None
        text.labelled("now", speaks if speaks is not None else ("no source has anything against it", "$text-quiet"))
        _since(text, before.get(purl, set()), set(found.groups))
        if found.ids:
            text.labelled("reports", (inert(", ".join(found.ids), 200), "$text-quiet"))
    if not shown.found:
        text.gap()
        text.add(("It is about no package, so catalogs have nothing to say.", "$text-quiet"))
    _labels(text, shown, now)
    if shown.overlay or shown.incidents:
        text.title("what followed")
    for row in shown.overlay[:FEW]:
        look, tone = TIERS.get(row.tier, (row.tier, ""))
        ends = f"for {age(now, row.expires_ms)} more" if row.state == "active" else row.state
        text.labelled("own entry", (look, TONES.get(tone, "")), f", {ends}  ", (inert(row.id, 30), "$text-quiet"))
    for found_one in shown.incidents[:FEW]:
        text.labelled("installed", f"{inert(found_one.state, 20)}  ", (_path(found_one.path), "$text-quiet"))
    return text.content()


def explain_entry(row: OverlayEntry, now: int, width: int) -> Content:
    """One of this machine's own entries: what it does, why, whose it is, until when."""
    text = Prose(width)
    look, tone = TIERS.get(row.tier, (row.tier, ""))
    state, shade = ENTRY_STATES.get(row.state, (row.state, "quiet"))
    text.add((inert(package_of(row), 300), "bold"))
    text.add((state, TONES[shade]), "  ", (look, f"bold {TONES.get(tone, '')}"))
    does = "An install of it is stopped" if row.tier == "enforce" else "Who installs it is warned"
    text.add(f"{does}, whatever catalogs say." if row.state == "active" else "It does nothing any more.")
    text.title("why")
    text.add(inert(row.reason, 600), indent=2)
    text.labelled("severity", inert(row.severity, 20))
    text.title("about")
    text.labelled("by", "a person" if by_person(row) else "the corpus, from what catalogs confirmed")
    text.labelled("since", f"{moment(row.created_ms)}, {age(row.created_ms, now)} ago")
    text.labelled("until", moment(row.expires_ms) + (f", {age(now, row.expires_ms)} from now" if row.state == "active"
                  else ""))  # fmt: skip
    if row.ended_by:
        text.labelled("ended", f"{moment(row.ended_ms)}, by {inert(row.ended_by, 40)}")
    if row.label:
        text.labelled("label", (inert(row.label, 40), "$text-quiet"))
    text.labelled("entry", (inert(row.id, 40), "$text-quiet"))
    return text.content()


def summary(outcomes: Mapping[str, int], waiting: int, own: int, width: int) -> Content:
    """What all matters turned out to be, in figures and as one bar."""
    figures: list[tuple[str, str]] = []
    counts = {"unresolved": waiting, **{name: outcomes.get(name, 0) for name in OUTCOMES if name != "unresolved"}}
    for name, count in counts.items():
        glyph, word, style = OUTCOMES[name]
        figures.append((f"{glyph} {count:,} {word}   ", TONES[style] if count else "$text-faint"))
    figures += [("o", "bold $primary"), (f" own entries {own:,}", "$text-quiet")]
    said = Content.assemble(*figures)
    room = min(40, width - said.cell_length - 4)
    total = sum(counts.values())
    if room < 12 or not total:
        return said if said.cell_length <= width else Content.assemble(*figures[:-2])
    bar: list[tuple[str, str]] = []
    for name, count in counts.items():
        if count:
            bar.append(("█" * max(1, round(count / total * room)), TONES[OUTCOMES[name][2]]))
    return Content.assemble(said, "   ", *bar)


def by_person(row: OverlayEntry) -> bool:
    """Whether a person made an entry."""
    return row.created_by.startswith("person")


def package_of(row: OverlayEntry) -> str:
    """The package of an own entry, as people write it."""
    return f"{row.ecosystem}:{row.name}@{row.version or 'every version'}"


def _answered(text: Prose, event: Event) -> None:
    glyph, word, style = LEVELS.get(event.level, LEVELS[""])
    text.gap()
    text.add(("answer    ", "$text-quiet"), (f"{glyph} {word}", f"bold {TONES.get(style, '')}"))
    for finding in _listed(event.decision, "findings")[:FEW]:
        if finding.get("level") != "allow":
            text.labelled("rule", inert(str(finding.get("rule", "")), 80), indent=0)
    if event.decision.get("reason"):
        text.labelled("why", inert(str(event.decision["reason"]), 400), indent=0)


def _since(text: Prose, before: set[str], after: set[str]) -> None:
    came, went = sorted(after - before), sorted(before - after)
    if came:
        text.labelled("since", ("+ " + ", ".join(inert(name, 24) for name in came), "$error"), " says so too")
    if went:
        text.labelled("since", ("- " + ", ".join(inert(name, 24) for name in went), "$secondary"), " says so no more")
    if not came and not went:
        text.labelled("since", ("nobody changed their word", "$text-quiet"))


def _labels(text: Prose, shown: Shown, now: int) -> None:
    counts = label_that_counts(shown)
    text.title("labels, the newest first" if shown.labels else "labels")
    if not shown.labels:
        text.add(("none yet", "$text-quiet"), indent=2)
    for each in list(reversed(shown.labels))[:FEW]:
        _label(text, each, now, counts=counts is not None and counts.id == each.id, gone=each.id in shown.taken_back)


def _label(text: Prose, each: Label, now: int, *, counts: bool, gone: bool) -> None:
    glyph, word, style = OUTCOMES.get(each.true_label, NOTHING_DUE)
    if each.source == "undo":
        glyph, word, style = "↶", "took one back", "quiet"
    who, tone = WHO[QUOTED if each.source == "import" else PERSON if each.human else AUTOMATIC]
    mark = "counts  " if counts else "taken back  " if gone else ""
    shade = "$text-faint" if gone else TONES.get(style, "")
    text.add(
        (f"{glyph} {word}", shade), "  ", (who, TONES.get(tone, "")),
        f", {HOW.get(each.source, inert(each.source, 30))}",
        (f", {inert(each.confidence, 10)}" if each.source != "undo" else "", "$text-quiet"),
        (f"  {age(each.at_ms, now)} ago  ", "$text-quiet"), (mark, "bold $primary" if counts else "$text-faint"),
        indent=2,
    )  # fmt: skip
    note = inert(str(each.evidence.get("note", "")), 400)
    if note:
        text.add((f"“{note}”", "$text-quiet"), indent=4)


def _path(path: str) -> str:
    return inert(path.encode(errors="replace").decode(), 400)


def _listed(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = data.get(name)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []


def _names(data: Mapping[str, Any], name: str) -> list[str]:
    value = data.get(name)
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []
