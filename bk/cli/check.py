"""`bk check`: one call by hand, answered so that a person understands it; or the hook itself, byte for byte."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from bk.cli.calls import TOOLS, typed_call
from bk.engine.errors import DENIED, OK, USAGE, BkError
from bk.engine.model import Level

app = typer.Typer(add_completion=False)


@app.command()
def check(
    *,
    tool: Annotated[str, typer.Option(help=f"The tool's name: {', '.join(list(TOOLS)[:8])}, mcp__server__tool …")] = "",
    args: Annotated[str, typer.Option(help="A command, a path, a URL, or the tool's input as a JSON object.")] = "",
    cwd: Annotated[str, typer.Option(help="The directory the call would run in (default: this one).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")] = False,
    hook: Annotated[str, typer.Option(help="Be the hook of this client: reads its request from standard input.")] = "",
    event: Annotated[str, typer.Option(help="With --hook: the event, for clients that do not send one.")] = "",
) -> None:
    """Ask what bk would say to a tool call, and why. Nothing is run; the answer is recorded.

    Exit code 0: the call may run (allow or warn). 5: it must not, or a person must be asked.

    Example: bk check --tool Bash --args 'npm install left-pad'
    """
    if hook:
        _become_the_hook(hook, event)
    if not tool:
        raise BkError(
            "which tool?",
            "--tool says what kind of call it is, --args what it would do",
            "bk check --tool Bash --args 'cat ~/.ssh/id_ed25519'",
            code=USAGE,
        )
    from bk.cli.verdict_words import answer
    from bk.engine.console.check import check as judge

    here = os.path.abspath(cwd) if cwd else os.getcwd()
    checked = judge(typed_call(tool, args, cwd=here, home=os.environ.get("HOME") or "/"))
    if as_json:
        sys.stdout.write(json.dumps(checked.told(), ensure_ascii=True) + "\n")
    else:
        sys.stdout.write("\n".join(answer(checked, f"{tool}  {args}")) + "\n")
    raise typer.Exit(OK if checked.verdict.level <= Level.WARN else DENIED)


def _become_the_hook(name: str, event: str) -> None:
    from bk.engine.console.installation import hook_path

    path = hook_path()
    if not path:
        raise BkError(
            "the call is denied",
            f"bk-hook is not beside {sys.executable}",
            "reinstall bk; `bk diag` says what is missing",
            code=USAGE,
        )
    words = [path, "--harness", name, *(["--event", event] if event else [])]
    sys.stdout.flush()
    os.execv(path, words)  # noqa: S606 - the hook's own bytes and exit code are the point
