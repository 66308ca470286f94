"""Entries, proofs and verifications in words for a person. Everything from outside goes through inert()."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bk.cli.paint import LEVELS, STATES, dim, paint, width, wrapped
from bk.engine.console.describe import agent, subject
from bk.text import inert, inert_lines

if TYPE_CHECKING:
    from bk.engine.console.audit import Recovered, Report, Shown
    from bk.engine.model import Entry

Json = Any
DAY_MS = 86_400_000
MOST = 20


def header() -> str:
    """The table's head."""
    return dim(f"{'SEQ':>9}  {'TIME':<14} {'LEVEL':<10} {'KIND':<10} {'AGENT':<12} SUBJECT")


def row(entry: Entry, now_ms: int) -> str:
    """One entry on one line."""
    level = paint(f"{inert(entry.level, 10):<10}", LEVELS.get(entry.level, ""))
    kind = paint(f"{inert(entry.kind, 10):<10}", STATES["bad"] if entry.kind == "unreadable" else "")
    start = f"{entry.seq:>9,}  {clock(entry.at, now_ms):<14} {level} {kind} {inert(agent(entry), 12):<12} "
    return start + inert(subject(entry), max(20, width() - 61))


def clock(at: int, now_ms: int) -> str:
    """Local time: of day within a day, else with the date."""
    if at <= 0:
        return "?"
    try:
        moment = datetime.fromtimestamp(at / 1000).astimezone()
    except (ValueError, OverflowError, OSError):
        return "?"
    if abs(now_ms - at) < DAY_MS:
        return moment.strftime("%H:%M:%S")
    return moment.strftime("%y-%m-%d %H:%M")


def full_clock(at: int) -> str:
    """Local date and time with its offset."""
    try:
        return datetime.fromtimestamp(at / 1000).astimezone().isoformat(sep=" ", timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return "a time beyond the calendar"


def explained(shown: Shown) -> list[str]:
    """An entry explained."""
    entry, data = shown.entry, shown.entry.data
    level = paint(inert(entry.level.upper(), 12), LEVELS.get(entry.level, ""))
    head = (f"#{entry.seq:,}", level if entry.level else "", inert(entry.kind, 12), full_clock(entry.at))
    lines = ["  ".join(part for part in head if part), ""]
    lines += _facts(
        [("by", entry.actor), ("tool", data.get("tool")), ("session", data.get("session")), ("in", data.get("cwd")),
         ("call", entry.call), ("claims", data.get("agent"))]
    )  # fmt: skip
    if data.get("input"):
        lines += ["", "  it asked", *_block(data["input"])]
    actions = _objects(data, "actions")
    if actions:
        lines += ["", "  it would have" if entry.level in ("block", "quarantine") else "  it would"]
        for action in actions[:MOST]:
            doing = inert(str(action.get("mode") or action.get("do") or "?"), 8)
            doubt = "  (in part unknown)" if action.get("certain") is False else ""
            via = f"  via {' > '.join(map(str, action['via']))}" if isinstance(action.get("via"), list) else ""
            lines.append(
                f"    {doing:<8} {inert(str(action.get('target', '')), width() - 20)}{dim(inert(via, 40) + doubt)}"
            )
        lines += _more(actions)
    findings = _objects(data, "findings")
    lines += ["", "  why"] if findings or data.get("reason") else []
    for finding in findings[:MOST]:
        level = str(finding.get("level", ""))
        painted = paint(f"{inert(level, 10):<10}", LEVELS.get(level, ""))
        lines.append(f"    {painted} {dim(inert(str(finding.get('rule', '')), 60))}")
        lines += wrapped(inert(str(finding.get("reason", ""))), " " * 15, " " * 15)
        if finding.get("instead"):
            lines += wrapped(f"instead: {inert(str(finding['instead']))}", " " * 15, " " * 24)
        if finding.get("evidence"):
            lines.append(dim(" " * 15 + inert(json.dumps(finding["evidence"], ensure_ascii=False), width() - 16)))
    lines += _more(findings)
    if data.get("reason") and not findings:
        lines += wrapped(inert(str(data["reason"])), "    ", "    ")
    if data.get("failure"):
        lines.append(
            f"    failed: {inert(str(data['failure']), 60)} (fail_mode {inert(str(data.get('fail_mode', '?')), 12)})"
        )
    known = (
        "tool",
        "session",
        "cwd",
        "agent",
        "input",
        "actions",
        "findings",
        "reason",
        "failure",
        "fail_mode",
        "harness",
    )
    rest = {name: value for name, value in data.items() if name not in known}
    if rest:
        lines += ["", "  also recorded", *_block(rest)]
    return [*lines, "", *_proof(shown)]


def verification(report: Report) -> list[str]:
    """The outcome of a verification, the worst first."""
    span = f"{report.entries:,} entries (#{report.first:,} to #{report.last:,})" if report.entries else "no entries"
    if report.ok:
        lines = [f"{paint('the ledger verifies', STATES['ok'])}: {span}"]
        checked = (
            f"{report.checkpoints:,} checkpoints, {report.signatures:,} signatures, {report.links:,} links checked"
        )
        lines.append(f"  {report.segments:,} segment{'s' * (report.segments != 1)}, {checked}")
        if report.unsealed_tail > 0:
            lines.append(f"  the last {report.unsealed_tail:,} are chained and not yet under a checkpoint")
    else:
        first = report.problems[0]
        lines = [f"{paint(f'BROKEN at #{first.seq:,}', STATES['bad'])}: {inert(first.kind, 30)}", f"  {span}"]
        for problem in report.problems[:MOST]:
            where = f"#{problem.seq:,}" + (f" to #{problem.last:,}" if problem.last != problem.seq else "")
            lines += wrapped(f"{where}  {problem.kind}: {inert(problem.detail)}", "  ", "      ")
        left = len(report.problems) - MOST + report.more
        if left > 0:
            lines.append(f"  … and {left:,} more problems (--json shows them)")
    good = report.last_good_checkpoint
    if good is not None:
        lines.append(f"  last good checkpoint: #{good.seq:,}, {full_clock(good.at)}")
    elif not report.ok:
        lines.append("  no checkpoint holds")
    lines += [f"  note: {inert(note, 300)}" for note in report.notes]
    if not report.ok:
        lines.append(
            "  next: copy the state directory aside; trust nothing from there on that the checkpoint does not cover"
        )
    return lines


def recovery(done: Recovered) -> list[str]:
    """What a recovery did."""
    first, last = done.lost
    lines = [f"the ledger goes on at #{done.seq:,}: {inert(done.detail, 300)}"]
    lines.append(
        f"  lost from the record: #{first:,} to #{last:,}" if last >= first else "  nothing is lost from the record"
    )
    lines += [f"  kept aside: {inert(path, 300)}" for path in done.aside]
    return lines


def _proof(shown: Shown) -> list[str]:
    lines = []
    if not shown.intact:
        lines.append(
            f"  {paint('altered', STATES['bad'])}: its text is not the one that was hashed when it was recorded"
        )
    proof = shown.proof
    if proof is None:
        lines.append(f"  proof: {inert(shown.problem, 300)}")
    elif not proof.holds:
        lines.append(f"  proof: {paint('does not hold', STATES['bad'])}; {inert(proof.why, 300)}")
    elif proof.note is not None:
        under = f"leaf {proof.told['index']:,} of {proof.note.size:,} under the checkpoint at #{proof.note.seq:,}"
        lines.append(f"  proof: {paint('holds', STATES['ok'])}; {under}, signed {full_clock(proof.note.at)}")
    return lines


def _facts(pairs: list[tuple[str, Json]]) -> list[str]:
    room = width() - 14
    told_pairs = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in pairs if value]
    return [f"  {name:<9} {inert(value, room)}" for name, value in told_pairs]


def _block(value: Json) -> list[str]:
    """JSON, indented; a text that holds lines is shown as lines."""
    if isinstance(value, Mapping) and all(isinstance(item, (str, int)) for item in value.values()):
        lines: list[str] = []
        for name, item in value.items():
            first, *rest = inert_lines(str(item), 40)
            lines += [f"    {inert(str(name), 24)}: {first}", *(f"      {line}" for line in rest)]
        return lines
    return [f"    {line}" for line in inert_lines(json.dumps(value, indent=2, ensure_ascii=False), 60)]


def _objects(data: Mapping[str, Json], name: str) -> list[Mapping[str, Json]]:
    value = data.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _more(items: list[Mapping[str, Json]]) -> list[str]:
    return [dim(f"    … and {len(items) - MOST} more (--json shows all)")] if len(items) > MOST else []
