"""`bk shim`: package managers that ask the guard first, whoever calls them."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bk.cli.paint import dim, paint
from bk.engine.errors import DEGRADED, OK
from bk.text import inert

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Stand-ins for package managers, for what you or a script install outside any agent. A program that is called "
    "by its full path is not seen by them.",
)
Names = Annotated[list[str] | None, typer.Argument(metavar="[MANAGER]...", help="npm, pip, cargo, …")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may do this.")]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


@app.command()
def install(names: Names = None, *, as_json: AsJson = False) -> None:
    """Put stand-ins for these managers; without a name for all that are on your PATH.

    Example: bk shim install npm pip
    """
    from bk.engine.console import shims

    made = shims.install(names or [])
    place = shims.place()
    if as_json:
        _say(json.dumps({"installed": made, "folder": place}))
        return
    _say(f"installed: {', '.join(made)}" if made else "all of them are as they should be")
    if not all(each.first for each in shims.status()):
        _say(dim("to have them come first, put this at the end of your shell's settings:"))
        _say(f'  export PATH="{inert(place, 300)}:$PATH"')


@app.command()
def uninstall(names: Names = None, *, admin: Admin = False, as_json: AsJson = False) -> None:
    """Take stand-ins away; without a name all of them."""
    from bk.engine.console import shims

    gone = shims.uninstall(names or [], admin=admin)
    if as_json:
        _say(json.dumps({"removed": gone}))
        return
    _say(f"removed: {', '.join(gone)}" if gone else "there was none")


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Every stand-in, and whether it really comes first on this PATH. Exit code 3 when one does not."""
    from bk.engine.console import shims

    found = shims.status()
    if as_json:
        _say(json.dumps({"folder": shims.place(), "shims": [each.told() for each in found]}))
    elif not found:
        _say("there is none: bk shim install")
    for each in () if as_json else found:
        word = paint("comes first", "32") if each.first else paint("is not reached", "33")
        _say(f"{inert(each.name, 20):<10} {word}{dim('  before ' + inert(each.real, 200)) if each.real else ''}")
    raise typer.Exit(DEGRADED if any(not each.first for each in found) else OK)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
