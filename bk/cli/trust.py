"""`bk trust`: projects in which a person need not be asked."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bk.cli.allow import Admin, Json, show
from bk.text import inert

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Projects you trust: what would be asked there is let through with a warning. What is blocked stays blocked.",
)


@app.command()
def add(
    project: Annotated[str, typer.Argument(help="The project's folder.")] = ".",
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    span: Annotated[str, typer.Option("--for", help="How long: 8h, 7d, 4w; without it, until revoked.")] = "",
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Trust a project.

    Example: bk trust add ~/src/site --for 4w --admin
    """
    from bk.engine.console.grants import Row, trust

    show([Row(trust(project, reason=reason, span=span, admin=admin), "in force")], as_json=as_json, none="")


@app.command("list")
def list_all(*, as_json: Json = False) -> None:
    """The projects that are or were trusted."""
    from bk.engine.console.grants import rows

    show(rows(kinds=("trust",)), as_json=as_json, none="no project is trusted: a person is asked everywhere")


@app.command()
def remove(
    ident: Annotated[str, typer.Argument(help="The id, as `bk trust list` shows it.")], *, admin: Admin = False
) -> None:
    """Stop trusting."""
    from bk.engine.console.grants import revoke

    revoke(ident, admin=admin)
    sys.stdout.write(f"{inert(ident, 40)} no longer holds\n")
