"""`bk rules`: the rules in force, one rule in full, files checked and tried out, and files of one's own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint, width
from bk.cli.rule_words import listed, reported, short, shown, tried
from bk.engine.errors import DEGRADED, FAILED, OK, BkError
from bk.text import inert, inert_lines

if TYPE_CHECKING:
    from bk.engine.console.rulefiles import Formatted

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Rules: what is stopped, asked about or noted, and why.\n\n"
    "Your own rules are files in ~/.bk/rules; a project's are in its .bk/rules and can only add. docs/rules.md walks "
    "from nothing to a rule that you can trust. Looking is open to all; writing needs a person: --admin.",
)

Admin = Annotated[bool, typer.Option("--admin", help="Needed for everything that writes (person only).")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
Files = Annotated[list[str] | None, typer.Argument(help="Rule files or folders of them; all that count here if none.")]


@app.command("list")
def list_rules(
    *,
    pack: Annotated[str, typer.Option(help="Only the rules of this pack.")] = "",
    disabled: Annotated[bool, typer.Option("--disabled", help="Only the rules that are switched off.")] = False,
    as_json: Json = False,
) -> None:
    """Every rule, by pack: what it says, where it comes from, whether it is in force.

    Exit code 3 when a rule file is wrong, so that other rules than the written ones are in force.
    """
    from bk.engine.console.rules import listing

    found = listing()
    rows = [row for row in found.rows if pack in ("", row["pack"]) and (row["off"] or not disabled)]
    if pack and not any(row["pack"] == pack for row in found.rows):
        known = ", ".join(sorted({row["pack"] for row in found.rows}))
        raise BkError(f"there is no pack {inert(pack, 40)!r}", "", f"packs here: {known}")
    if as_json:
        brief = ("id", "tier", "pack", "layer", "file", "line", "why", "severity", "tags")
        told = [{**{name: row[name] for name in brief}, "in_force": not row["off"]} for row in rows]
        _write(json.dumps({"digest": found.digest, "profile": found.profile, "problems": list(found.problems),
                           "notes": list(found.notes), "rules": told}))  # fmt: skip
    else:
        _write("\n".join(listed(found, rows, whole=bool(pack or disabled))))
    raise typer.Exit(DEGRADED if found.problems else OK)


@app.command()
def show(
    rule: Annotated[str, typer.Argument(help="A rule's id, such as git/force-push, or its name if only one has it.")],
    *,
    as_json: Json = False,
) -> None:
    """One rule in full: why it is there, what it tells the agent, its text and its examples."""
    from bk.engine.console.rules import listing

    found = listing()
    row = found.one(rule)
    _write(json.dumps(dict(row)) if as_json else "\n".join(shown(row, found)))


@app.command()
def lint(files: Files = None, *, as_json: Json = False) -> None:
    """Name everything wrong with rule files, with the place. Exit code 1 when a file cannot be used."""
    from bk.engine.console.rules import lint as reports_of

    reports = reports_of(files or ())
    if as_json:
        _write(json.dumps({"ok": all(report.ok for report in reports), "files": [each.told() for each in reports]}))
    else:
        _write("\n".join(reported(reports, named=bool(files))))
    raise typer.Exit(OK if all(report.ok for report in reports) else FAILED)


@app.command("test")
def try_examples(
    files: Files = None,
    *,
    rule: Annotated[str, typer.Option(help="Only this rule's examples.")] = "",
    as_json: Json = False,
) -> None:
    """Try every example through the whole decision: its own rule must find a bad one and leave a good one alone.

    Nothing is run. Exit code 1 when an example shows something else than it says.
    """
    from bk.cli.calls import kind_of
    from bk.engine.console.trial import trial

    outcomes = list(trial(files or (), rule=rule, kind_of=kind_of))
    good = all(outcome.ok for outcome in outcomes)
    if as_json:
        _write(json.dumps({"ok": good, "tried": len(outcomes), "examples": [each.told() for each in outcomes]}))
    else:
        _write("\n".join(tried(outcomes, whole=bool(files or rule))))
    raise typer.Exit(OK if good else FAILED)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The file's name, which is the pack's: letters, digits, - and _.")],
    *,
    admin: Admin = False,
) -> None:
    """Write a commented file to start from into your rules. It is never written over another.

    Example: bk rules new our-house --admin
    """
    from bk.engine.console.rulefiles import new as write_new

    path = write_new(name, admin=admin)
    _write(f"{inert(path)}\n{dim('edit it, then: bk rules test ' + inert(path))}")


@app.command()
def fmt(
    files: Annotated[list[str] | None, typer.Argument(help="Rule files; your own when none are given.")] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only say which would change; exit code 1 if any.")] = False,
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Put rule files into their one form: what they say stays as it is."""
    from bk.engine.console.rulefiles import in_form, write_form

    found = in_form(files or ())
    wrong = [each for each in found if each.wrong]
    changed = [each for each in found if each.changed]
    if not check and not wrong:
        write_form(found, admin=admin)
    if as_json:
        _write(json.dumps({"written": not check and not wrong, "files": [each.told() for each in found]}))
    else:
        _write("\n".join(_formed(found, check=check)))
    raise typer.Exit(FAILED if wrong or (check and changed) else OK)


@app.command("import")
def import_policy(
    file: Annotated[str, typer.Argument(help="A Beekeeper policy file (JSON).")],
    *,
    admin: Admin = False,
    yes: Annotated[bool, typer.Option("--yes", help="Save without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Take over a Beekeeper policy: what becomes a rule or a setting, and what is left, with the reason.

    A file with a mistake is refused as a whole, every mistake named.
    """
    from bk.engine.console.rulefiles import Takeover

    takeover = Takeover(file)
    if as_json:
        if admin and yes and takeover.anything:
            takeover.make(admin=admin)
        _write(json.dumps({**takeover.told(), "saved": admin and yes and takeover.anything}))
        return
    lines = [paint(f"from {inert(takeover.found.name, 60)}", "1")]
    lines += [f"  {paint('→', '32')} {inert(what, 60)}: {inert(to)}" for what, to in takeover.found.done]
    lines += [f"  {paint('×', '33')} {inert(what, 60)} is left: {inert(why)}" for what, why in takeover.found.left]
    if takeover.found.text:
        lines += ["", dim(inert(takeover.path)), *(f"  {line}" for line in inert_lines(takeover.found.text))]
    if takeover.settings is not None and takeover.settings.diff:
        lines += ["", *inert_lines(takeover.settings.diff)]
    _write("\n".join(lines))
    if not takeover.anything:
        _write("nothing to save")
        return
    if not yes and admin:
        typer.confirm("save this?", default=False, abort=True)
    takeover.make(admin=admin)
    _write("saved")


def _formed(found: Sequence[Formatted], *, check: bool) -> list[str]:
    lines = []
    for each in found:
        name = inert(short(each.path), width() - 20)
        if each.wrong:
            lines.append(f"{paint('wrong   ', '1;31')} {name}: {inert(each.wrong, 200)}")
        elif each.changed:
            lines.append(f"{paint('would change' if check else 'formatted', '33')} {name}")
        else:
            lines.append(dim(f"as it is  {name}"))
    return lines or [dim("no rule files of your own: bk rules new NAME --admin")]


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
