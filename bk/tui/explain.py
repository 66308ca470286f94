"""An entry, or what waits for a person, explained: what it would have done, what was found, why, and the proof."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.content import Content

from bk.engine.console.describe import agent, claimed, listed, subject
from bk.engine.model import Entry
from bk.text import inert, inert_lines
from bk.tui.prose import LABEL, Prose
from bk.tui.widgets.agreement import agreement
from bk.tui.words import LEVELS, STATES, TONES, age, clock, moment, plural

if TYPE_CHECKING:
    from bk.engine.console.matters import Incident, Matter

MAX_LISTED = 40
SENTENCES = {
    "allow": "allowed: no rule objects to it",
    "warn": "allowed with a warning that the agent and the user saw",
    "ask": "a person was asked before it could run",
    "block": "blocked: the call did not run",
    "quarantine": "blocked: the call did not run, and what it would install belongs in quarantine",
}
SOURCES = ("groups", "dissent")
NOT_DETAILS = frozenset(("title", "detail", "next_step", "event", "verb", "incident"))


def explain(entry: Entry, now_ms: int, width: int = 80, most: int = 4000) -> Content:
    """Everything the ledger holds about an entry, in the order a person asks."""
    text = Prose(width)
    _entry(text, entry, now_ms, most)
    return text.content()


def explain_matter(matter: Matter, entry: Entry | None, now_ms: int, width: int = 80, most: int = 4000) -> Content:
    """Something that waits for a person: how it stands, then the entry or the find behind it."""
    text = Prose(width)
    mark, state, style = STATES.get(matter.state, STATES["open"])
    often = f"{plural(matter.count, 'time')} since {clock(matter.first_at)}" if matter.count > 1 else "once"
    text.add(
        (f"{mark} {state}", f"bold {TONES.get(style, '')}"), (f"  {inert(matter.ident, 20)}  {often}", "$text-quiet")
    )
    if matter.incident is not None:
        _found(text, matter.incident, now_ms)
    elif matter.case is not None and matter.case.incident.kind == "incident" and matter.case.incident.next_step:
        text.labelled("next", inert(matter.case.incident.next_step, 400), indent=0)
    if entry is not None:
        text.gap()
        _entry(text, entry, now_ms, most)
    return text.content()


def _found(text: Prose, found: Incident, now_ms: int) -> None:
    text.gap()
    text.add((inert(f"{found.ecosystem}:{found.name}@{found.version}", 300), "bold"))
    text.add(inert(found.why, 400))
    text.title("who says so")
    text.labelled("sources", agreement(found.groups), room=LABEL)
    for item in found.evidence[:MAX_LISTED]:
        told = ", ".join(f"{inert(str(name), 20)} {_one(value)}" for name, value in item.items())
        text.labelled("evidence", (told, "$text-quiet"))
    text.title("where")
    text.labelled("path", inert(found.path, 400) or "not known: bk does not guess")
    if found.observed and found.observed != found.path:
        text.labelled("seen in", inert(found.observed, 400))
    if found.hold:
        text.labelled("held as", (inert(found.hold, 40), "$accent"))
    text.title("about")
    text.labelled("severity", inert(found.severity, 20))
    text.labelled("found", f"{moment(found.opened_ms)}, {age(found.opened_ms, now_ms)} ago")
    text.labelled("changed", f"{moment(found.updated_ms)}{f', by {inert(found.by, 40)}' if found.by else ''}")


def _entry(text: Prose, entry: Entry, now_ms: int, most: int) -> None:
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


def _findings(text: Prose, entry: Entry) -> None:
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
            agreed, dissent = _names(evidence, "groups"), _names(evidence, "dissent")
            if agreed:
                text.labelled("sources", agreement(agreed, dissent), indent=4)
            for name, value in [pair for pair in evidence.items() if pair[0] not in SOURCES][:MAX_LISTED]:
                text.labelled(inert(str(name), LABEL - 1), (_one(value), "$text-quiet"), indent=4)


def _actions(text: Prose, entry: Entry) -> None:
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


def _facts(text: Prose, entry: Entry, now_ms: int) -> None:
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


def _proof(text: Prose, entry: Entry) -> None:
    text.title("proof")
    text.labelled("entry", f"#{entry.seq:,} in the chain")
    for name in ("policy", "index"):
        if entry.data.get(name):
            text.labelled(name, (inert(str(entry.data[name]), 64), "$text-quiet"))
    if isinstance(entry.data.get("took_us"), int):
        text.labelled("took", (f"{entry.data['took_us'] / 1000:.1f} ms to decide", "$text-quiet"))


def _names(evidence: Mapping[str, Any], name: str) -> list[str]:
    value = evidence.get(name)
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []


def _said(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "" if value is None else inert(value if isinstance(value, str) else _json(value), 600)


def _one(value: Any) -> str:
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return inert(", ".join(value), 300)
    return inert(value if isinstance(value, str) else _json(value), 300)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
