"""`bk version`: what is installed, and what a client must be given."""

from __future__ import annotations

import json
import platform
import sys
from typing import Annotated

import typer

from bk import __version__

app = typer.Typer(add_completion=False)


@app.command()
def version(*, as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Versions, and the path of the hook to give to a client."""
    from bk.engine.console.installation import here, hook_path

    told = {
        "bk": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "state": here().root,
        "hook": hook_path() or "missing: reinstall bk",
    }
    if as_json:
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    sys.stdout.write("".join(f"{name:<8}{value}\n" for name, value in told.items()))
