"""`bk quarantine`: what was taken out of use, and how to put it back, keep a copy of it, or have it deleted."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint
from bk.engine.errors import DEGRADED, OK, TAMPERED
from bk.text import inert

if TYPE_CHECKING:
    from bk.quarantine.record import Held

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="What was taken out of use. Nothing in here is ever deleted by bk itself: put it back with `restore`, or have "
    "it deleted with `purge`; both need a person. docs/responder.md explains how a hold works.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may do this.")]
Ident = Annotated[str, typer.Argument(metavar="ID", help="The item, by its id or the last six characters of it.")]
STATES = {"held": "1;35", "orphan": "1;31", "restored": "32"}
TYPED = 6


@app.command("list")
def show_all(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what was put back or deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is held, newest first. Exit code 3 when something about an item is wrong."""
    from bk.engine.console.quarantine import due, rows, told

    found = rows(ended=everything)
    late = due(found)
    bad = any(held.problem and held.state not in ("restored", "purged", "failed") for held in found)
    if as_json:
        _say(json.dumps({"items": [{**told(held), "due": held.ident in late} for held in found]}))
    else:
        for held in found:
            _row(held)
            if held.ident in late:
                _say(paint("    due for review: put it back or have it deleted", "33"))
        if not found:
            _say("nothing is held")
    raise typer.Exit(DEGRADED if bad else OK)


@app.command()
def show(ident: Ident, *, as_json: AsJson = False) -> None:
    """One item in full: where it was, why it was taken, and every step since."""
    from bk.engine.console.quarantine import show as look

    shown = look(ident)
    held = shown.held
    if as_json:
        _say(json.dumps(shown.told()))
        return
    _row(held)
    for name, told in (
        ("id", held.ident),
        ("incident", held.incident),
        ("digest", held.digest if held.parts or held.changes else ""),
        ("taken by", held.actor),
        ("because", ", ".join(held.rules)),
        ("kept", f"{held.size:,} bytes, {held.count:,} files and folders" if held.parts else ""),
    ):
        if told:
            _say(f"  {name:<10} {inert(told, 200)}")
    for each in held.evidence:
        groups = " ".join(map(str, each.get("groups", ())))
        idents = " ".join(map(str, each.get("ids", ())))
        _say(f"  {'evidence':<10} {inert(groups, 80)}: {inert(str(each.get('severity', '')), 20)} {inert(idents, 120)}")
    for part in held.parts[:20]:
        _say(f"  {'was at':<10} {_shown(part.path.decode(errors='replace'))}")
    if len(held.parts) > 20:
        _say(dim(f"  {'':<10} and {len(held.parts) - 20} more"))
    for change in held.changes:
        _say(f"  {'was in':<10} {_shown(change.path.decode(errors='replace'))} at {inert(change.pointer, 200)}")
    for at, step, detail in shown.steps:
        _say(dim(f"  {_when(at)}  {inert(step, 40)}  {inert(detail, 200)}".rstrip()))


@app.command()
def restore(
    ident: Ident,
    *,
    to: Annotated[str, typer.Option("--to", metavar="PATH", help="Put it there instead of its old place.")] = "",
    recreate_parent: Annotated[
        bool, typer.Option("--recreate-parent", help="Make the folder it was in again when it is gone.")
    ] = False,
    override: Annotated[
        bool, typer.Option("--override-malicious", help="Although it is still known to be bad; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")] = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Put an item back, byte for byte, and leave it alone from then on.

    Exit code 3 when that is refused; it is held as before then.

    Example: bk quarantine restore 7K2M9X --admin
    """
    from bk.engine.console import quarantine

    held = quarantine.restore(
        ident, to=to, recreate_parent=recreate_parent, override=override, reason=reason, admin=admin
    )
    if as_json:
        _say(json.dumps(quarantine.told(held)))
        return
    _say(f"{inert(held.name, 120)} {inert(held.version, 60)} is back at {_shown(to or held.path)}")
    if held.problem:
        _say(paint(f"    {inert(held.problem, 300)}", "33"))
    _say(dim("it is left alone from now on: `bk incidents show` says until when"))


@app.command()
def purge(
    idents: Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Items, by their ids.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every item, one question each.")] = False,
    admin: Admin = False,
) -> None:
    """Delete items for good. For each you type the last six characters of its id.

    Example: bk quarantine purge 7K2M9X --admin
    """
    from bk.engine.console import quarantine

    done = 0
    for held, what in quarantine.purge(idents or (), confirm=_typed, everything=everything, admin=admin):
        _say(f"{held.ident}  {inert(held.name, 120)} {inert(held.version, 60)}: {inert(what, 200)}")
        done += what == "deleted"
    if not done:
        _say("Aborted: nothing was deleted")


@app.command()
def verify(
    ident: Annotated[str, typer.Argument(metavar="ID", help="One item; without it, all of them.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Bring what was cut off to its end, then read everything that is kept against its digests.

    Exit code 4 when an item is not what was taken.
    """
    from bk.engine.console import quarantine

    found = quarantine.verify(ident)
    if as_json:
        _say(json.dumps({"items": [{**quarantine.told(held), "wrong": wrong} for held, wrong in found]}))
    else:
        for held, wrong in found:
            word = paint("wrong", "1;31") if wrong else paint("whole", "32")
            _say(
                f"{held.ident}  {word}  {inert(held.name, 120)} {inert(held.version, 60)}  {inert(wrong, 300)}".rstrip()
            )
        if not found:
            _say("nothing is held")
    raise typer.Exit(TAMPERED if any(wrong for _, wrong in found) else OK)


@app.command()
def export(
    ident: Ident,
    *,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The new archive (.tar.gz).")],
    as_json: AsJson = False,
) -> None:
    """Copy what is kept of an item into an archive, for an analyst. The item stays held.

    Example: bk quarantine export 7K2M9X --to evil.tar.gz
    """
    from bk.engine.console import quarantine

    size = quarantine.export(ident, to)
    _say(json.dumps({"file": to, "bytes": size}) if as_json else f"{_shown(to)}: {size:,} bytes")


def _typed(held: Held) -> str:
    """What the person types at the terminal, where nothing but a person can answer."""
    question = (
        f"{held.ident}\n  {inert(held.ecosystem, 40)} {inert(held.name, 120)} {inert(held.version, 60)}, "
        f"{held.size:,} bytes, was at {_shown(held.path)}\n"
        f"  this cannot be undone; type the last {TYPED} characters of the id to delete it: "
    )
    with open("/dev/tty", "r+b", buffering=0) as terminal:
        terminal.write(question.encode(errors="replace"))
        return terminal.readline(200).decode(errors="replace")


def _row(held: Held) -> None:
    state = paint(f"{held.state:<9}", STATES.get(held.state, ""))
    name = f"{inert(held.ecosystem, 30)} {inert(held.name, 120)} {inert(held.version, 60)}".strip()
    _say(f"{held.ident}  {state}  {_when(held.at_ms)}  {name}")
    if held.path:
        _say(dim(f"    {_shown(held.path)}"))
    if held.problem:
        _say(paint(f"    {inert(held.problem, 300)}", "33"))


def _when(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000)) if at_ms else "-"


def _shown(path: str) -> str:
    return inert(path.encode(errors="replace").decode(), 400)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
