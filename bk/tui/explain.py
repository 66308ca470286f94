"""An entry or an incident, explained: what it would have done, what was found, why, and the proof."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual.content import Content

from bk.engine.console.describe import agent, claimed, listed, subject
from bk.engine.model import Entry
from bk.text import inert, inert_lines
from bk.tui.words import LEVELS, STATES, age, clock, moment, plural

if TYPE_CHECKING:
    from bk.engine.console.incidents import Case

TONES = {"warn": "$warning", "ask": "$secondary", "block": "$error", "held": "$accent", "quiet": "$text-quiet"}
MAX_LISTED = 40
LABEL = 10
SENTENCES = {
    "allow": "allowed: no rule objects to it",
    "warn": "allowed with a warning that the agent and the user saw",
    "ask": "a person was asked before it could run",
    "block": "blocked: the call did not run",
    "quarantine": "blocked: the call did not run, and what it would install belongs in quarantine",
}
NOT_DETAILS = frozenset(("title", "detail", "next_step", "event", "verb", "incident"))

Span = str | tuple[str, str]
Explanation = Callable[[int], Content]


class Text:
    """Paragraphs for one width, each wrapped under its own indent so that lists stay lists."""

    def __init__(self, width: int) -> None:
        self._width = max(20, width)
        self._lines: list[Content] = []

    def add(self, *spans: Span, indent: int = 0) -> None:
        """A paragraph."""
        gap = " " * indent
        for line in Content.assemble(*spans).wrap(self._width - indent):
            self._lines.append(Content.assemble(gap, line) if gap else line)

    def labelled(
        self, label: str, *spans: Span, style: str = "$text-quiet", indent: int = 2, room: int = LABEL
    ) -> None:
        """A label and its text, which stays in its own column."""
        column = indent + room
        for at, line in enumerate(Content.assemble(*spans).wrap(self._width - column)):
            lead = " " * indent + label.ljust(room) if at == 0 else " " * column
            self._lines.append(Content.assemble((lead, style), line))

    def title(self, text: str) -> None:
        """A heading, with air above it."""
        self._lines += [Content(""), Content.assemble((text, "bold $primary"))]

    def gap(self) -> None:
        """An empty line."""
        self._lines.append(Content(""))

    def content(self) -> Content:
        """All of it."""
        return Content("\n").join(self._lines)


def still(*spans: Span) -> Explanation:
    """Text that is the same at every width."""
    content = Content.assemble(*spans)
    return lambda _width: content


def explain(entry: Entry, now_ms: int, width: int = 80, most: int = 4000) -> Content:
    """Everything the ledger holds about an entry, in the order a person asks."""
    text = Text(width)
    _entry(text, entry, now_ms, most)
    return text.content()


def explain_case(case: Case, entry: Entry | None, now_ms: int, width: int = 80, most: int = 4000) -> Content:
    """An incident: its state and what can be done, then the entry behind it."""
    incident = case.incident
    text = Text(width)
    mark, state, _ = STATES.get(incident.state, STATES["open"])
    seen = f"{plural(case.count, 'time')} since {clock(case.first_at)}" if case.count > 1 else "once"
    hint = [("  a", "bold $primary"), (" marks it as seen", "$text-quiet")] if incident.state == "open" else []
    text.add((f"{mark} {state}", "bold $primary"), (f"  {incident.ident}  {seen}", "$text-quiet"), *hint)
    if incident.next_step and incident.kind == "incident":
        text.labelled("next", inert(incident.next_step, 400), indent=0)
    if entry is not None:
        text.gap()
        _entry(text, entry, now_ms, most)
    return text.content()


def _entry(text: Text, entry: Entry, now_ms: int, most: int) -> None:
    glyph, word, style = LEVELS.get(entry.level, LEVELS[""])
    tone = TONES.get(style, "")
    head = f"{glyph} {word}" if word else entry.kind
    for at, line in enumerate(inert_lines(subject(entry), max(3, most // 80))):
        lead = f"{head}  " if at == 0 else ""
        text.labelled(lead, (inert(line, most), "bold"), style=f"bold {tone}", indent=0, room=len(head) + 2)
    if entry.data.get("failure"):
        cause = inert(str(entry.data["failure"]), 40)
        text.add((f"it could not be decided ({cause}), so fail_mode answered", "$error"))
    elif entry.kind == "decision":
        text.add((SENTENCES.get(entry.level, ""), tone))
    _findings(text, entry)
    _actions(text, entry)
    _facts(text, entry, now_ms)
    _proof(text, entry)


def _findings(text: Text, entry: Entry) -> None:
    found = listed(entry.data, "findings")
    shown = [item for item in found if item.get("level") != "allow"]
    if not shown:
        return
    text.title("why")
    for item in shown[:MAX_LISTED]:
        glyph, word, style = LEVELS.get(str(item.get("level")), LEVELS[""])
        text.add((f"{glyph} {word}  ", TONES.get(style, "")), (_said(item, "rule"), "$text-quiet"), indent=2)
        text.add(_said(item, "reason"), indent=4)
        if item.get("instead"):
            text.labelled("instead", (_said(item, "instead"), "$success"), indent=4)
        evidence = item.get("evidence")
        if isinstance(evidence, Mapping):
            for name, value in list(evidence.items())[:MAX_LISTED]:
                text.labelled(inert(str(name), LABEL - 1), (_one(value), "$text-quiet"), indent=4)


def _actions(text: Text, entry: Entry) -> None:
    actions = listed(entry.data, "actions")
    if not actions:
        return
    text.title("what it would do")
    for item in actions[:MAX_LISTED]:
        verb = _said(item, "mode") or _said(item, "do")
        via = item.get("via")
        path = f"  via {inert(' > '.join(map(str, via)), 120)}" if isinstance(via, (list, tuple)) and via else ""
        doubt = "  (in part unknown)" if item.get("certain") is False else ""
        text.labelled(verb[:8], _said(item, "target"), (path + doubt, "$text-quiet"), style="$secondary")
    more = entry.data.get("actions_left_out")
    left = (more if isinstance(more, int) else 0) + max(0, len(actions) - MAX_LISTED)
    if left:
        text.add((f"… and {plural(left, 'action')} more", "$text-quiet"), indent=2)


def _facts(text: Text, entry: Entry, now_ms: int) -> None:
    facts = [("when", f"{moment(entry.at)}, {age(entry.at, now_ms)} ago"), ("by", inert(agent(entry), 60))]
    facts += [
        (label, _said(entry.data, name))
        for name, label in (("tool", "tool"), ("cwd", "in"), ("session", "session"), ("detail", "detail"))
        if entry.data.get(name)
    ]
    if claimed(entry):
        facts.append(("claims", f"to be agent {inert(claimed(entry), 60)} (its environment says so; not trusted)"))
    if entry.data.get("next_step"):
        facts.append(("next", _said(entry.data, "next_step")))
    if entry.kind not in ("decision", "result"):
        rest = [(name, value) for name, value in entry.data.items() if name not in NOT_DETAILS]
        facts += [(inert(name, LABEL - 1), _one(value)) for name, value in rest[:MAX_LISTED]]
    text.title("about")
    for label, told in facts:
        text.labelled(label, told)


def _proof(text: Text, entry: Entry) -> None:
    text.title("proof")
    text.labelled("entry", f"#{entry.seq:,} in the chain")
    for name in ("policy", "index"):
        if entry.data.get(name):
            text.labelled(name, (inert(str(entry.data[name]), 64), "$text-quiet"))
    if isinstance(entry.data.get("took_us"), int):
        text.labelled("took", (f"{entry.data['took_us'] / 1000:.1f} ms to decide", "$text-quiet"))


def _said(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "" if value is None else inert(value if isinstance(value, str) else _json(value), 600)


def _one(value: Any) -> str:
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return inert(", ".join(value), 300)
    return inert(value if isinstance(value, str) else _json(value), 300)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
