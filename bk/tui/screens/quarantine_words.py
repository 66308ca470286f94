"""Something held, as a card, as an explanation, and as the questions before it is put back or deleted."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.content import Content

from bk.engine.console.shelf import UNDER_WAY, Held, Outlook
from bk.text import inert
from bk.tui.prose import Prose
from bk.tui.widgets.agreement import agreement
from bk.tui.widgets.cards import Button, Card
from bk.tui.words import TONES, age, clock, moment, plural, size

TYPED = 6
MOST = 60
# the state of an item -> (glyph, word, style class)
LOOKS = {
    "held": ("◆", "HELD", "held"),
    "orphan": ("x", "UNKNOWN", "block"),
    "restored": ("✓", "put back", "good"),
    "purged": ("✓", "deleted", "quiet"),
    "failed": ("·", "not taken", "quiet"),
}
CUT_OFF = ("~", "CUT OFF", "warn")
DAMAGED = ("x", "HELD", "block")
PLACES = {
    "free": "its old place is free",
    "taken": "something else is in its old place now",
    "missing": "the folder that it was in is gone: it is made again",
    "replaced": "the folder that it was in is another one now: it goes there all the same",
    "nowhere": "where it was is not known",
}
ENDED = ("restored", "purged", "failed")


class Checked:
    """When every byte of an item was last read here, and what was wrong with it then."""

    __slots__ = ("at_ms", "wrong")

    def __init__(self, at_ms: int, wrong: str) -> None:
        self.at_ms = at_ms
        self.wrong = wrong


def package(held: Held) -> str:
    """What it is, in the words that people use of packages."""
    version = f"@{held.version}" if held.version else ""
    return f"{held.ecosystem}:{held.name}{version}" if held.ecosystem else held.name


def look(held: Held) -> tuple[str, str, str]:
    """Glyph, word and style class."""
    if held.state in UNDER_WAY:
        return CUT_OFF
    return DAMAGED if held.state == "held" and held.problem else LOOKS.get(held.state, LOOKS["orphan"])


def who(held: Held) -> str:
    """Who had it taken."""
    if held.actor.startswith("person"):
        return "a person"
    return "bk" if held.actor in ("engine", "") else held.actor


def who_says(held: Held) -> list[str]:
    """The independent groups that its evidence names; what this machine concluded from them is no voice of its own."""
    outside = (each for each in held.evidence if not each.get("tier"))
    found = (str(group) for each in outside for group in _texts(each.get("groups") or each.get("group")))
    return sorted(dict.fromkeys(found))


def standing(held: Held, checked: Checked | None, *, due: bool) -> tuple[str, str]:
    """How it is now, in a sentence, and the style class of that."""
    if held.state in UNDER_WAY:
        own = held.problem if held.problem and "cut off while" not in held.problem else ""
        return own or f"{held.state}, or cut off while it was: V brings it to its end", "warn"
    if held.state == "orphan":
        return "it lies in the vault and the books do not know it: bk touches it no more", "block"
    if held.state in ENDED:
        return held.problem or {"restored": "it is back where it was", "purged": "the payload is gone for good"}.get(
            held.state, "it was never taken"
        ), "quiet"
    wrong = held.problem or (checked.wrong if checked else "")
    if wrong:
        return wrong, "block"
    late = "due for your review: put it back or have it deleted · " if due else ""
    if checked:
        return f"{late}every byte was read and is whole, {clock(checked.at_ms)}", "warn" if due else "good"
    return f"{late}the seal is whole; V reads every byte", "warn" if due else "quiet"


def card(  # noqa: PLR0917 - what a card is made of
    held: Held, was: str, width: int, now_ms: int, checked: Checked | None, buttons: Sequence[Button], *, due: bool
) -> Card:
    """The card of an item, for its width; `was` is its path as it is shown."""
    glyph, word, style = look(held)
    said, tone = standing(held, checked, due=due)
    groups = who_says(held)
    voices = [("not known" if held.state == "orphan" else "a person's word", "quiet")]
    if groups:
        said_so = f" {len(groups)} independent: " if len(groups) > 1 else " one source: "
        voices = [("■" * len(groups), "block"), (f"{said_so}{', '.join(groups)}", "")]
    count = f" · {plural(held.count, 'file or folder', 'files and folders')}" if width > 90 else ""
    much = f"{size(held.size)}{count}" if held.parts else ""
    ends = (held.ident[-TYPED:] if width > 44 else "", f"{age(held.at_ms, now_ms)} ago" if held.at_ms else "")
    by = "" if held.state == "orphan" else f"by {who(held)}"
    return Card(
        title=[(f"{glyph} {word}", style), ("  ", ""), (package(held), "" if held.state in ENDED else "title")],
        edge=" · ".join(part for part in ends if part),
        lines=[
            ("was", [(was or "not known", "")], much),
            ("why", voices, by),
            ("now", [(said, tone)], ""),
        ],
        buttons=buttons,
    )


def explain_held(
    held: Held, out: Outlook | None, checked: Checked | None, now_ms: int, width: int, *, due: bool
) -> Content:
    """The whole of it: what it is, who says so then and now, where it was, what is kept, every step."""
    text = Prose(width)
    glyph, word, style = look(held)
    text.add((f"{glyph} {word}", f"bold {TONES.get(style, '')}"), (f"  {inert(package(held), 300)}", "bold"))
    said, tone = standing(held, checked, due=due)
    text.add((inert(said, 600), TONES.get(tone, "")))
    _evidence(text, held, out)
    _place(text, held, out)
    text.title("what is kept")
    text.labelled("id", inert(held.ident, 60))
    if held.parts or held.changes:
        text.labelled("amount", f"{held.size:,} bytes, {plural(held.count, 'file or folder', 'files and folders')}")
        text.labelled("sha256", (held.digest, "$text-quiet"))
    if held.incident:
        text.labelled("incident", (inert(held.incident, 60), "$accent"))
    if held.at_ms:
        text.labelled("taken", f"{moment(held.at_ms)}, {age(held.at_ms, now_ms)} ago, by {inert(who(held), 60)}")
    if held.rules:
        text.labelled("rules", inert(", ".join(map(str, held.rules)), 300))
    if out is not None and out.steps:
        text.title("history")
        for at, step, detail in out.steps[-MOST:]:
            when = time.strftime("%d %b %H:%M:%S", time.localtime(at / 1000))
            more = f"  {inert(detail, 400)}" if detail else ""
            text.labelled(when, inert(step, 40), (more, "$text-quiet"), room=17)
    return text.content()


def _evidence(text: Prose, held: Held, out: Outlook | None) -> None:
    text.title("who says that it is bad")
    groups = who_says(held)
    text.labelled(
        "then",
        agreement(groups) if groups else "not known" if held.state == "orphan" else "nobody: a person had it moved",
    )
    if out is not None:
        text.labelled("now", *_now(out))
    for each in held.evidence[:MOST]:
        idents = ", ".join(_texts(each.get("ids") or each.get("id")))
        told = [str(each.get("severity", "")), idents, str(each.get("provenance", ""))]
        line = "  ".join(inert(part, 200) for part in told if part)
        if line:
            groups = _texts(each.get("groups") or each.get("group"))
            named = "confirmed here" if each.get("tier") else inert(", ".join(groups), 60)
            text.labelled("evidence", (f"{named}: ", ""), (line, "$text-quiet"))


def _now(out: Outlook) -> list[tuple[str, str] | Content]:
    if out.doubt:
        return [(f"it could not be looked up: {inert(out.doubt, 300)}", "$warning")]
    if out.voices:
        return [("still known to be bad: ", "$error"), agreement(out.voices)]
    return [(f"not enough now to hold it: that takes {plural(out.needed, 'source')}", "$success")]


def _place(text: Prose, held: Held, out: Outlook | None) -> None:
    text.title("where it was")
    for part in held.parts[:MOST]:
        text.labelled("path", inert(part.path.decode(errors="replace"), 600))
    for change in held.changes[:MOST]:
        text.labelled("entry", inert(f"{change.path.decode(errors='replace')} at {change.pointer}", 600))
    more = len(held.parts) + len(held.changes) - MOST
    if more > 0:
        text.labelled("", (f"and {more:,} more", "$text-quiet"))
    if out is not None and held.state == "held":
        text.labelled("there now", (PLACES.get(out.place, ""), "" if out.place == "free" else "$warning"))


def _texts(value: object) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [str(each) for each in value]
    return [str(value)] if value else []
