"""An entry or an incident, explained: what it would have done, what was found, why, and the proof."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.content import Content

from bk.engine.console.describe import agent, claimed, subject
from bk.engine.model import Entry
from bk.text import inert, inert_lines
from bk.tui.words import LEVELS, STATES, age, moment, plural

if TYPE_CHECKING:
    from bk.engine.console.incidents import Case

TONES = {"warn": "$warning", "ask": "$secondary", "block": "$error", "held": "$accent", "quiet": "$text-quiet"}
MAX_LISTED = 40
SENTENCES = {
    "allow": "allowed: no rule objects to it",
    "warn": "allowed with a warning that the agent and the user saw",
    "ask": "a person was asked before it could run",
    "block": "blocked: the call did not run",
    "quarantine": "blocked, and marked for quarantine",
}
NOT_DETAILS = frozenset(("title", "detail", "next_step", "event", "verb", "incident"))

Part = str | Content | tuple[str, str]


def explain(entry: Entry, now_ms: int) -> Content:
    """Everything the ledger holds about an entry, in the order a person asks."""
    glyph, word, style = LEVELS.get(entry.level, LEVELS[""])
    tone = TONES.get(style, "")
    lines: list[Part] = [Content.assemble((f"{glyph} {word or entry.kind}  ", f"bold {tone}"), _head(subject(entry)))]
    lines.append((f"{moment(entry.at)} ({age(entry.at, now_ms)} ago) by {inert(agent(entry), 40)}", "$text-quiet"))
    if entry.kind == "decision" and not entry.data.get("failure"):
        lines.append((SENTENCES.get(entry.level, ""), tone))
    elif entry.data.get("failure"):
        lines.append((f"could not be decided ({inert(str(entry.data['failure']), 40)}); fail_mode answered", "$error"))
    _findings(entry, lines)
    _actions(entry, lines)
    _facts(entry, lines)
    _proof(entry, lines)
    return Content("\n").join([part if isinstance(part, Content) else Content.assemble(part) for part in lines])


def explain_case(case: Case, entry: Entry | None, now_ms: int) -> Content:
    """An incident: its state and what can be done, then the entry behind it."""
    incident = case.incident
    _, state, _ = STATES.get(incident.state, STATES["open"])
    times = plural(case.count, "time")
    since = f" since {moment(case.first_at)}" if case.count > 1 else ""
    top: list[Part] = [
        Content.assemble((f"{incident.ident}  ", "$text-quiet"), (state, "bold $primary"), f"  {times}{since}"),
    ]
    if incident.state == "open":
        top.append(("a marks it as seen; it opens again if it happens again", "$text-quiet"))
    if incident.next_step:
        top.append(Content.assemble(("next  ", "$text-quiet"), inert(incident.next_step, 400)))
    head = Content("\n").join([part if isinstance(part, Content) else Content.assemble(part) for part in top])
    return Content("\n\n").join([head, explain(entry, now_ms)]) if entry is not None else head


def _head(text: str) -> Content:
    lines = inert_lines(text, 12)
    return Content("\n").join([Content.assemble((line[:600], "bold")) for line in lines])


def _title(text: str) -> Content:
    return Content.assemble(("\n" + text, "bold $primary"))


def _findings(entry: Entry, lines: list[Part]) -> None:
    found = [item for item in entry.data.get("findings") or () if isinstance(item, Mapping)]
    shown = [item for item in found if item.get("level") != "allow"]
    if not shown:
        return
    lines.append(_title("why"))
    for item in shown[:MAX_LISTED]:
        glyph, word, style = LEVELS.get(str(item.get("level")), LEVELS[""])
        lines.append(Content.assemble((f"{glyph} {word}  ", TONES.get(style, "")), (_said(item, "rule"), "$text-quiet")))
        lines.append("  " + _said(item, "reason"))
        if item.get("evidence"):
            lines += [(f"  {line}", "$text-quiet") for line in _pairs(item["evidence"])]
        if item.get("instead"):
            lines.append(Content.assemble(("  instead  ", "$text-quiet"), (_said(item, "instead"), "$success")))


def _actions(entry: Entry, lines: list[Part]) -> None:
    actions = [item for item in entry.data.get("actions") or () if isinstance(item, Mapping)]
    if not actions:
        return
    lines.append(_title("what it would do"))
    for item in actions[:MAX_LISTED]:
        verb = _said(item, "mode") or _said(item, "do")
        via = item.get("via")
        path = f"  via {inert(' > '.join(map(str, via)), 120)}" if isinstance(via, (list, tuple)) and via else ""
        doubt = "  (in part unknown)" if item.get("certain") is False else ""
        lines.append(Content.assemble((f"  {verb:<8} ", "$secondary"), _said(item, "target"), (path + doubt, "$text-quiet")))
    left = int(entry.data.get("actions_left_out") or 0) + max(0, len(actions) - MAX_LISTED)
    if left:
        lines.append((f"  … and {plural(left, 'action')} more", "$text-quiet"))


def _facts(entry: Entry, lines: list[Part]) -> None:
    facts = []
    for name, label in (("tool", "tool"), ("cwd", "in"), ("session", "session"), ("detail", "detail")):
        if entry.data.get(name):
            facts.append((label, _said(entry.data, name)))
    if claimed(entry):
        facts.append(("claims", f"to be agent {inert(claimed(entry), 60)} (from its environment, not trusted)"))
    if entry.data.get("next_step"):
        facts.append(("next", _said(entry.data, "next_step")))
    if entry.kind not in ("decision", "result"):
        rest = {name: value for name, value in entry.data.items() if name not in NOT_DETAILS}
        facts += [("", line) for line in _pairs(rest)]
    if not facts:
        return
    lines.append(_title("about"))
    lines += [Content.assemble((f"  {label:<8} ", "$text-quiet"), text) for label, text in facts]


def _proof(entry: Entry, lines: list[Part]) -> None:
    lines.append(_title("proof"))
    told = [f"entry #{entry.seq:,} in the chain"]
    for name in ("policy", "index"):
        if entry.data.get(name):
            told.append(f"{name} {inert(str(entry.data[name]), 24)}")
    if isinstance(entry.data.get("took_us"), int):
        told.append(f"decided in {entry.data['took_us'] / 1000:.1f} ms")
    lines.append(("  " + " · ".join(told), "$text-quiet"))


def _said(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return inert(text, 600)


def _pairs(value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return [inert(json.dumps(value, ensure_ascii=False, default=str), 300)]
    return [f"{inert(str(name), 40)}: {_one(item)}" for name, item in list(value.items())[:MAX_LISTED]]


def _one(item: Any) -> str:
    if isinstance(item, (list, tuple)) and all(isinstance(part, str) for part in item):
        return inert(", ".join(item), 300)
    return inert(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str), 300)
