"""`bk diag`: every component, how it is, why, and what to do."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bk.cli.paint import STATES, dim, paint, wrapped
from bk.text import inert

app = typer.Typer(add_completion=False)


@app.command()
def diag(*, as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Say how each part of this installation is.

    Exit code 0: all is well. 3: something works less well than it should. 4: the ledger was tampered with.
    """
    from bk.engine.console.diag import diagnose, exit_code

    parts = diagnose()
    code = exit_code(parts)
    if as_json:
        told = [
            {"component": part.name, "state": part.state, "reason": part.reason, "next_step": part.next_step}
            for part in parts
        ]
        sys.stdout.write(json.dumps({"exit_code": code, "components": told}, indent=2) + "\n")
        raise typer.Exit(code)
    lines: list[str] = []
    for part in parts:
        word = paint(f"{part.state:<8}", STATES[part.state])
        head, *more = wrapped(inert(part.reason, 600), " " * 22, " " * 22)
        lines.append(f"{part.name:<13}{word} {head[22:]}")
        lines += more
        if part.next_step and part.state != "ok":
            lines += [dim(line) for line in wrapped(f"next: {inert(part.next_step, 300)}", " " * 22, " " * 28)]
    sys.stdout.write("\n".join(lines) + "\n")
    raise typer.Exit(code)
