"""`bk hooks`: have clients ask the guard before they act, see whether they really do, and take that back."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint
from bk.engine.errors import DEGRADED, OK, BkError
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.wiring.plans import Client
    from bk.engine.wiring.wire import Change

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Which clients ask bk before they act. Only our own entries are ever written or removed; everything else in a "
    "client's settings stays as it is, to the byte. docs/harnesses.md has what was seen to stop each client.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Target = Annotated[list[str] | None, typer.Option("--target", metavar="CLIENT", help="A client; may be given again.")]
Detected = Annotated[bool, typer.Option("--all-detected", help="Every client that is on this machine.")]
Scope = Annotated[str, typer.Option("--scope", help="user, project, or managed (root; no repository switches it off).")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may do this.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show every change as a diff.")]


@app.command()
def install(
    target: Target = None,
    *,
    all_detected: Detected = False,
    scope: Scope = "user",
    trust: Annotated[
        bool, typer.Option("--trust", help="Codex: also mark the hook as trusted, as its own dialogue would.")
    ] = False,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: AsJson = False,
) -> None:
    """Have clients ask bk before each call. Running it again changes nothing.

    Example: bk hooks install --all-detected
    """
    from bk.engine.console import hooks

    clients = hooks.chosen(target or [], detected=all_detected)
    rows = _each(clients, scope, removes=False, many=all_detected, diff=diff, dry_run=dry_run, admin=True)
    if trust and not dry_run and any(each.name == "codex" for each in clients):
        hooks.trust_codex()
    _told(rows, as_json=as_json, dry_run=dry_run)


@app.command()
def uninstall(
    target: Target = None,
    *,
    all_detected: Detected = False,
    scope: Scope = "user",
    dry_run: DryRun = False,
    diff: Diff = False,
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Take our entries out again: what was in the files before comes back, to the byte.

    Example: bk hooks uninstall --target codex --admin
    """
    from bk.engine.console import hooks

    clients = hooks.chosen(target or [], detected=all_detected)
    rows = _each(clients, scope, removes=True, many=all_detected, diff=diff, dry_run=dry_run, admin=admin)
    _told(rows, as_json=as_json, dry_run=dry_run)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """For each client: are we in it, would it really ask us here and now, and if not, why and what to do.

    Exit code 3 when a client that we are in would not ask us.
    """
    from bk.engine.console import hooks

    found, unhooked = hooks.status(), hooks.unhooked()
    hooks.noticed(found)
    if as_json:
        _say(json.dumps({"clients": [each.told() for each in found], "unhooked": unhooked}))
    elif not found and not unhooked:
        _say("no client that bk knows is on this machine")
    for each in () if as_json else found:
        word = paint("asks bk", "32") if each.asks else paint("does not ask bk", "1;31" if each.scopes else "33")
        where = f" ({', '.join(each.scopes)})" if each.scopes else ""
        _say(f"{inert(each.client.title, 40):<20} {word}{where}")
        for why in each.off:
            _say(f"  {inert(why, 300)}")
        if each.fix:
            _say(dim(f"  -> {inert(each.fix, 200)}"))
        if each.asks and each.client.caveat:
            _say(dim(f"  {inert(each.client.caveat, 200)}"))
    for title in () if as_json else unhooked:
        _say(f"{title:<20} {paint('calls no hook', '1;31')}: nothing that it does itself can be stopped")
    raise typer.Exit(DEGRADED if any(each.scopes and not each.asks for each in found) else OK)


@app.command()
def verify(target: Target = None, *, as_json: AsJson = False) -> None:
    """Start the commands that stand in the clients' files with a call that must be stopped, and look at the answers.

    Exit code 3 when one would not stop its client.
    """
    from bk.engine.console import hooks

    standing = {each.client.name: each for each in hooks.status()}
    clients = hooks.chosen(target, detected=False) if target else [e.client for e in standing.values() if e.scopes]
    rows = []
    for each in clients:
        off = list(standing[each.name].off) if each.name in standing else []
        told = hooks.verified(each)
        off += [why for why in told["off"] if not any("not trusted yet" in known for known in off)]
        rows.append({**told, "off": off, "effective": told["stops"] and not off})
    if as_json:
        _say(json.dumps({"clients": rows}))
    elif not rows:
        _say("no client asks bk yet: bk hooks install --all-detected")
    for row in () if as_json else rows:
        word = paint("stops", "32") if row["effective"] else paint("would not stop", "1;31")
        _say(f"{row['client']:<14} {word}")
        for tried in row["tried"]:
            _say(dim(f"  {tried['scope']}: exit {tried['exit']}, {inert(tried['said'], 160)}"))
        for why in row["off"] if row["tried"] else ["it does not ask bk"]:
            _say(f"  {inert(why, 300)}")
    raise typer.Exit(OK if all(row["effective"] for row in rows) else DEGRADED)


def _each(
    clients: list[Client], scope: str, *, removes: bool, many: bool, diff: bool, dry_run: bool, admin: bool
) -> list[tuple[Client, list[Change], str]]:
    """Do it client by client: one whose file cannot be read does not keep the others from it when all are meant."""
    from bk.engine.console import hooks

    rows: list[tuple[Client, list[Change], str]] = []
    for each in clients:
        try:
            changes = hooks.planned([each], scope, removes=removes)[0][1]
            if not dry_run and removes:
                hooks.uninstall(each, changes, scope, admin=admin)
            elif not dry_run and any(change.changes for change in changes):
                hooks.install(each, changes, scope)
        except BkError as error:
            if not many:
                raise
            rows.append((each, [], f"{error.title}: {error.detail}" if error.detail else error.title))
            continue
        rows.append((each, changes, ""))
        if diff or dry_run:
            sys.stderr.write(
                "".join(inert(line, 400) + "\n" for change in changes for line in change.diff().splitlines())
            )
    return rows


def _told(rows: list[tuple[Client, list[Change], str]], *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        told = [
            {
                "client": each.name,
                "files": [{"path": change.path, "changed": change.changes} for change in changes],
                "problem": problem,
            }
            for each, changes, problem in rows
        ]
        _say(json.dumps({"dry_run": dry_run, "clients": told}))
    for each, changes, problem in () if as_json else rows:
        if problem:
            _say(f"{each.title:<20} {paint('left alone', '33')}: {inert(problem, 300)}")
            continue
        if not changes:
            _say(f"{each.title:<20} nothing of ours is there")
        for change in changes:
            word = ("would be written" if dry_run else "written") if change.changes else "is as it should be"
            word = word.replace("written", "removed") if change.after is None else word
            _say(f"{each.title:<20} {word}: {inert(change.path, 200)}")
        if each.caveat and not dry_run and any(change.after is not None for change in changes):
            _say(dim(f"{'':<20} {inert(each.caveat, 200)}"))
    if not rows and not as_json:
        _say("no client that bk knows is on this machine")
    raise typer.Exit(DEGRADED if any(problem for _, _, problem in rows) else OK)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
