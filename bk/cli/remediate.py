"""`bk remediate`: how to be rid of a package for good. It prints, and touches nothing."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bk.cli.paint import dim, paint
from bk.text import inert, inert_lines

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="How to be rid of a package for good: the manager's own commands and the changes to the files that name it.",
)
LINES = 2000


@app.callback()
def _verbs() -> None:
    """How to be rid of a package for good."""


@app.command()
def plan(
    ident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, or the beginning of it.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Print the commands to uninstall and pin, and the changes to manifests and lock files as a patch.

    Nothing is run and no file is touched.
    """
    from bk.engine.console.remediate import plan as made

    incident, found = made(ident)
    if as_json:
        steps, diffs = (
            [each.encode(errors="replace").decode() for each in several] for several in (found.steps, found.diffs)
        )
        _say(json.dumps({"incident": incident.id, "steps": steps, "diffs": diffs}))
        return
    for step in found.steps:
        _say(inert(step.encode(errors="replace").decode(), 1000))
    for patch in found.diffs:
        _say("")
        for line in inert_lines(patch.encode(errors="replace").decode(), LINES):
            _say(paint(line, {"+": "32", "-": "31"}.get(line[:1], "")))
    _say(dim("\nnothing was changed"))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
