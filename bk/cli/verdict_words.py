"""A verdict for a person: what the call would do, what was found, which finding decided, what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bk.cli.paint import LEVELS, dim, paint, width, wrapped
from bk.engine.model import Level, Run
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.check import Checked
    from bk.engine.model import Action, Finding

SHOWN = 24
FINDINGS = 12
ORIGINS = 3
DOING = {"run": "", "opaque": "unseen", "mcp": "calls", "install": "installs", "connect": "connects"}
MODES = {"read": "reads", "write": "writes", "delete": "deletes", "list": "lists"}


def answer(checked: Checked, said: str) -> list[str]:
    """The whole answer, line by line."""
    verdict = checked.verdict
    word = verdict.level.word
    lines = [f"{paint(word.upper(), _badge(word))}  {inert(said, width() - len(word) - 4)}", ""]
    if verdict.failure:
        lines += [*wrapped(f"it could not be decided: {inert(verdict.reason)}", "  ", "  "), ""]
    lines += _doing(checked)
    lines += _found(checked)
    return lines + _footer(checked)


def _badge(word: str) -> str:
    return f"7;{LEVELS[word]}"


def _doing(checked: Checked) -> list[str]:
    """The actions as a list of commands, each with its effects below it."""
    if not checked.actions:
        return []
    strongest = {id(finding.action): finding.level for finding in reversed(checked.verdict.findings)}
    lines = [dim("  it would")]
    for action in checked.actions[:SHOWN]:
        level = strongest.get(id(action), Level.ALLOW)
        mark = paint("●", LEVELS[level.word]) if level > Level.ALLOW else " "
        first, *rest = _action(action)
        lines += [f"  {mark} {first}", *(f"    {line}" for line in rest)]
    left = len(checked.actions) - SHOWN
    if left > 0:
        lines.append(dim(f"      … and {left} more (--json shows all)"))
    return [*lines, ""]


def _action(action: Action) -> list[str]:
    verb = MODES.get(getattr(action, "mode", ""), DOING.get(action.word, action.word))
    indent = "" if isinstance(action, Run) else "    "
    label = f"{verb:<9}" if verb else ""
    notes = [
        *([f"on {action.where}"] if action.where else []),
        *([f"through {' > '.join(action.via[-3:])}"] if action.via else []),
        *(["in part unknown"] if not action.certain and action.word != "opaque" else []),
    ]
    room = max(30, width() - len(indent) - len(label) - 8)
    target = inert(action.target, room)
    note = f"  ({inert(', '.join(notes), max(20, room - len(target)))})" if notes else ""
    lines = [f"{indent}{dim(label)}{target}{dim(note)}"]
    fed = [origin for origin in action.takes if not origin.startswith("run:")]
    if fed and not isinstance(action, Run):
        more = f" and {len(fed) - ORIGINS} more" if len(fed) > ORIGINS else ""
        lines.append(dim(f"{indent}         with what comes from {inert(', '.join(fed[:ORIGINS]), room)}{more}"))
    return lines


def _found(checked: Checked) -> list[str]:
    findings = checked.verdict.findings
    told = [finding for finding in findings if finding.level > Level.ALLOW]
    passed = [finding for finding in findings if "granted" in finding.evidence]
    if not told and not passed and not checked.verdict.failure:
        return ["  nothing objects to it", ""]
    lines = [dim("  because")] if told else []
    for at, finding in enumerate(told[:FINDINGS]):
        lines += _finding(finding, first=at == 0)
    if len(told) > FINDINGS:
        lines.append(dim(f"      … and {len(told) - FINDINGS} more (--json shows all)"))
    for finding in passed:
        was, ident = inert(str(finding.evidence["was"]), 12), inert(str(finding.evidence["granted"]), 20)
        lines.append(f"    {dim('granted   ')} {inert(finding.rule, 60)}  {dim(f'{was}, lifted by exception {ident}')}")
    return [*lines, ""]


def _finding(finding: Finding, *, first: bool) -> list[str]:
    level = finding.level.word
    mark = paint("▶", LEVELS[level]) if first else " "
    lines = [f"  {mark} {paint(f'{level:<10}', LEVELS[level])} {inert(finding.rule, 60)}"]
    lines += wrapped(inert(finding.reason), " " * 15, " " * 15)
    if finding.instead:
        lines += [dim(line) for line in wrapped(f"instead: {inert(finding.instead)}", " " * 15, " " * 24)]
    return lines


def _footer(checked: Checked) -> list[str]:
    verdict = checked.verdict
    decided = verdict.findings[0].rule if verdict.level > Level.ALLOW and verdict.findings else ""
    parts = [
        *([f"decided by {inert(decided, 60)}"] if decided else []),
        *([f"recorded as #{checked.entry.seq:,}"] if checked.entry is not None else ["not recorded"]),
        f"policy {checked.policy[:8]}",
        f"index {inert(checked.index, 30) or 'none'}",
        f"{checked.took_us / 1000:.1f} ms",
    ]
    return [dim("  " + " · ".join(parts))]
