"""Rules for people: lists by pack, one rule as a page, what lint found, how the examples went."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bk.cli.paint import LEVELS, dim, paint, width, wrapped
from bk.text import cells, inert, inert_lines

if TYPE_CHECKING:
    from bk.engine.console.rules import Listing, Report
    from bk.engine.console.trial import Outcome

Row = Mapping[str, Any]
TIERS = {"block": ("block", "block"), "suspicious": ("ask", "ask"), "warn": ("warn", "warn")}
ORIGINS = {"built-in": "", "system": "this machine's", "user": "yours", "project": "this project's"}
FAILURES = 40


def listed(found: Listing, rows: Sequence[Row], *, whole: bool) -> list[str]:
    """Rules by pack, problems first, a sum at the end."""
    lines = _problems(found)
    packs: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        packs.setdefault((row["layer"], row["pack"]), []).append(row)
    room = min(34, max((cells(_name(row)) for row in rows), default=10))
    for (layer, pack), held in packs.items():
        origin = f"  {ORIGINS[layer]}, {short(held[0]['file'])}" if ORIGINS[layer] else ""
        lines.append(f"{paint(inert(pack, 40), '1')}{dim(inert(origin, 100))}")
        for row in held:
            lines.append(_line(row, room))
        lines.append("")
    if not rows:
        lines += ["no rule is switched off" if not whole or found.rows else "no rules", ""]
    off = sum(1 for row in found.rows if row["off"])
    own = sum(1 for row in found.rows if row["layer"] != "built-in")
    told = f"{len(found.rows) - off} rules in force"
    told += f", {own} of them not built in" if own else ", all built in"
    told += f", {off} switched off" if off else ""
    lines.append(dim(f"{told} · profile {found.profile} · `bk rules show ID` explains one"))
    return lines


def shown(row: Row, found: Listing) -> list[str]:
    """One rule as a page."""
    word, colour = TIERS[row["tier"]]
    state = paint("switched off", "33") if row["off"] else paint("in force", "32")
    badge = paint(word.upper(), f"7;{LEVELS[colour]}")
    lines = [*_problems(found), f"{badge}  {paint(inert(row['id'], 100), '1')}  {state}", ""]
    if row["why"]:
        lines += wrapped(inert(row["why"]), "  why      ", "           ")
    if row["nudge"]:
        lines += wrapped(inert(row["nudge"]), "  instead  ", "           ")
    place = f"{short(row['file'])}:{row['line']}"
    lines.append(f"  {dim('from')}     {inert(place, width() - 12)}  {dim(row['layer'])}")
    for name in ("severity", "ref"):
        if row[name]:
            lines.append(f"  {dim(name.ljust(8))} {inert(row[name], width() - 12)}")
    if row["tags"]:
        lines.append(f"  {dim('tags')}     {inert(', '.join(row['tags']), width() - 12)}")
    lines += ["", *(f"  {_clause(line)}" for line in inert_lines(row["text"]))]
    if row["off"]:
        lines += ["", dim("  a setting switches it off: rules.disabled, in config.toml or config.local.toml")]
    return lines


def reported(reports: Sequence[Report], *, named: bool) -> list[str]:
    """What lint found: every error with its line and a caret, files that are right in one line each."""
    lines: list[str] = []
    fine = [report for report in reports if report.ok and not report.hints]
    for report in reports:
        name = inert(short(report.path), width() - 30)
        if report.unfit:
            lines += [f"{paint('wrong', '1;31')}  {name}", f"       {inert(report.unfit, 300)}", ""]
        elif report.errors:
            lines.append(f"{paint('wrong', '1;31')}  {name}  {dim(_count(len(report.errors), 'mistake'))}")
            for error in report.errors:
                meant = f"  {paint(f'did you mean {inert(error.suggestion, 60)}?', '36')}" if error.suggestion else ""
                lines.append(f"  {error.line}:{error.column}  {inert(error.message, 300)}{meant}")
                lines += [dim(f"      {line}") for line in error.caret.split("\n") if error.caret]
            lines.append("")
        elif report.hints:
            lines.append(f"{paint('ok', '32')}     {name}  {dim(_count(report.rules, 'rule'))}")
            lines += [dim(f"       {inert(hint, 200)}") for hint in report.hints]
        elif named or report.layer != "built-in":
            lines.append(f"{paint('ok', '32')}     {name}  {dim(_count(report.rules, 'rule'))}")
    rules = sum(report.rules for report in reports)
    bad = sum(1 for report in reports if not report.ok)
    files = _count(len(reports), "file")
    end = f"{bad} of {files} cannot be used" if bad else f"{files}, all right"
    lines.append(paint(end, "1;31" if bad else "32") + dim(f" · {_count(rules, 'rule')}"))
    if any(not report.ok and report.layer != "file" for report in reports):
        lines.append(dim("while a file is wrong, the last good rules stay in force and every call is told"))
    return lines if lines or fine else [dim("no rule files")]


def tried(outcomes: Sequence[Outcome], *, whole: bool) -> list[str]:
    """How the examples went: each one for chosen rules, else those that went wrong."""
    lines: list[str] = []
    rule = ""
    left = 0
    for outcome in outcomes:
        if outcome.ok and not whole:
            continue
        if not outcome.ok and left > FAILURES:
            continue
        left += not outcome.ok
        if outcome.ident != rule:
            rule = outcome.ident
            lines += ["", paint(inert(rule, 100), "1")] if lines else [paint(inert(rule, 100), "1")]
        lines += _outcome(outcome)
    failed = sum(1 for outcome in outcomes if not outcome.ok)
    rules = len({outcome.ident for outcome in outcomes})
    told = f"{len(outcomes)} examples of {_count(rules, 'rule')}"
    end = paint(f"{failed} of {told} went wrong", "1;31") if failed else paint(f"{told}, all as they say", "32")
    if not outcomes:
        end = paint("no examples: a rule without one is a guess", "33")
    return [*lines, *([""] if lines else []), end]


def _outcome(outcome: Outcome) -> list[str]:
    word = "bad" if outcome.example.bad else "good"
    mark = paint("✓", "32") if outcome.ok else paint("✗", "1;31")
    level = outcome.level.word
    room = max(20, width() - 26)
    lines = [f"  {mark} {word:<5}{paint(level.ljust(6), LEVELS[level])} {inert(outcome.example.text, room)}"]
    also = ", ".join(outcome.others[:4])
    if not outcome.ok:
        told = "this rule does not find it" if outcome.example.bad else "this rule finds it, and should not"
        lines.append(f"          {paint(told, '31')}" + (dim(f"; found by {inert(also, 100)}") if also else ""))
    elif also:
        lines.append(dim(f"                 also {inert(also, 120)}"))
    return lines


def _line(row: Row, room: int) -> str:
    word, colour = TIERS[row["tier"]]
    mark = paint("off  ", "2") if row["off"] else paint(word.ljust(5), LEVELS[colour])
    name = inert(_name(row), room)
    text = f"  {mark} {name}{' ' * (room - cells(name))}  "
    why = inert(row["why"], max(10, width() - room - 10))
    return text + dim(why)


def _name(row: Row) -> str:
    return str(row["id"]).partition("/")[2]


def _clause(line: str) -> str:
    """A line of a rule with its first word set apart."""
    stripped = line.lstrip(" ")
    word, space, rest = stripped.partition(" ")
    lead = line[: len(line) - len(stripped)]
    if stripped.startswith("#"):
        return dim(line)
    return f"{lead}{paint(word, '36' if lead else '1')}{space}{rest}"


def _problems(found: Listing) -> list[str]:
    lines = [f"{paint('problem', '1;31')}  {inert(problem, 400)}" for problem in found.problems]
    lines += [f"{paint('note', '33')}     {inert(note, 300)}" for note in found.notes]
    return [*lines, ""] if lines else []


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def short(path: str) -> str:
    """A path as people know it: below their home, or a built-in pack."""
    home = os.environ.get("HOME", "")
    if "/bk/engine/rules/packs/" in path:
        return f"built-in/{path.rsplit('/', 1)[-1]}"
    return "~" + path[len(home) :] if home not in ("", "/") and path.startswith(home + "/") else path
