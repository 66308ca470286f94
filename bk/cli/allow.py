"""`bk allow`: exceptions that a person makes, each with a scope, an end and a reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.grants import Row

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Exceptions: let a rule's findings pass within a scope, or one stopped call pass once.\n\n"
    "Never for keys and credentials, malware that sources agree on, or bk itself. A person's verb: --admin.",
)

Admin = Annotated[bool, typer.Option("--admin", help="Needed: exceptions are made by a person, at a terminal.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
STATES = {"in force": "32", "spent": "2", "expired": "2", "revoked": "2"}


@app.command()
def add(
    rule: Annotated[str, typer.Argument(help="A rule's name, such as git/reset-hard; * stands for a part of one.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; shown wherever the exception counts.")] = "",
    project: Annotated[str, typer.Option(help="Only for calls made in this folder or below.")] = "",
    path: Annotated[str, typer.Option(help="Only for findings about paths like this one (* and **).")] = "",
    agent: Annotated[str, typer.Option(help="Only for this client, such as claude-code.")] = "",
    span: Annotated[str, typer.Option("--for", help="How long: 30m, 8h, 7d, 4w.")] = "",
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Let a rule's findings pass, within bounds.

    Example: bk allow add git/reset-hard --project . --for 7d --reason 'throw-away clone' --admin
    """
    from bk.engine.console.grants import Row, allow

    grant = allow(rule, project=project, path=path, agent=agent, span=span, reason=reason, admin=admin)
    show([Row(grant, "in force")], as_json=as_json, none="")


@app.command()
def once(
    seq: Annotated[int, typer.Argument(help="The number of the entry that recorded the stopped call.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Let one stopped call pass, exactly as it was, one time, within ten minutes.

    Example: bk allow once 1042 --admin
    """
    from bk.engine.console.grants import Row
    from bk.engine.console.grants import once as grant_once

    show([Row(grant_once(seq, reason=reason, admin=admin), "in force")], as_json=as_json, none="")


@app.command("list")
def list_all(*, as_json: Json = False) -> None:
    """Every exception, in force or over."""
    from bk.engine.console.grants import rows

    show(rows(), as_json=as_json, none="no exceptions: every rule holds everywhere")


@app.command()
def revoke(
    ident: Annotated[str, typer.Argument(help="The exception's id, such as g-1a2b3c4d.")], *, admin: Admin = False
) -> None:
    """End an exception now."""
    from bk.engine.console.grants import revoke as end

    end(ident, admin=admin)
    sys.stdout.write(f"{inert(ident, 40)} no longer holds\n")


def show(found: Sequence[Row], *, as_json: bool, none: str) -> None:
    """Exceptions for a person or for a program."""
    import time

    from bk.cli.audit_words import clock

    if as_json:
        sys.stdout.write(json.dumps({"grants": [row.told() for row in found]}) + "\n")
        return
    for row in found:
        grant = row.grant
        scope = [
            *([f"in {grant.project}"] if grant.project else []),
            *([f"on {grant.path}"] if grant.path else []),
            *([f"for {grant.agent}"] if grant.agent else []),
            *(["one call, once"] if grant.kind == "once" else []),
            f"until {clock(grant.until_ms, time.time_ns() // 1_000_000)}" if grant.until_ms else "until revoked",
        ]
        what = "questions" if grant.kind == "trust" else "this call" if grant.kind == "once" else grant.rule
        sys.stdout.write(f"{paint(row.state.ljust(8), STATES[row.state])}  {grant.ident}  {inert(what, 60)}\n")
        sys.stdout.write(dim(f"          {inert(', '.join(scope), 140)}") + "\n")
        if grant.reason:
            sys.stdout.write(dim(f"          {inert(grant.reason, 140)}") + "\n")
    if not found:
        sys.stdout.write(dim(none) + "\n")
