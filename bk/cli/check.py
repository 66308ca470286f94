"""`bk check`: one call by hand, answered so that a person understands it; or the hook itself, byte for byte."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.calls import TOOLS, typed_call
from bk.cli.paint import LEVELS, dim, paint, width, wrapped
from bk.engine.errors import DENIED, OK, USAGE, BkError
from bk.engine.model import Level
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.check import Checked

app = typer.Typer(add_completion=False)
SHOWN = 12


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
    from bk.engine.console.check import check as judge

    here = os.path.abspath(cwd) if cwd else os.getcwd()
    checked = judge(typed_call(tool, args, cwd=here, home=os.environ.get("HOME") or "/"))
    if as_json:
        sys.stdout.write(json.dumps(checked.told(), ensure_ascii=True) + "\n")
    else:
        sys.stdout.write("\n".join(answer(checked, args)) + "\n")
    raise typer.Exit(OK if checked.verdict.level <= Level.WARN else DENIED)


def answer(checked: Checked, args: str) -> list[str]:
    """The verdict for a person: the word, what the call would do, why, and what to do instead."""
    word = checked.verdict.level.word
    room = width()
    lines = [f"{paint(word.upper(), LEVELS[word])}  {checked.call.tool}  {inert(args, room - 20)}", ""]
    if checked.actions:
        lines.append("  it would")
        for action in checked.actions[:SHOWN]:
            mode = getattr(action, "mode", "") or action.word
            doubt = "" if action.certain else "  (in part unknown)"
            via = f"  via {' > '.join(action.via)}" if action.via else ""
            lines.append(f"    {mode:<8} {inert(action.target, room - 30)}{dim(inert(via, 40) + doubt)}")
        if len(checked.actions) > SHOWN:
            lines.append(dim(f"    … and {len(checked.actions) - SHOWN} more (--json shows all)"))
        lines.append("")
    told = [finding for finding in checked.verdict.findings if finding.level > Level.ALLOW]
    if told:
        lines.append("  why")
        for finding in told[:SHOWN]:
            level = finding.level.word
            lines.append(f"    {paint(f'{level:<6}', LEVELS[level])} {dim(inert(finding.rule, 60))}")
            lines += wrapped(inert(finding.reason), " " * 11, " " * 11)
            if finding.instead:
                lines += wrapped(f"instead: {inert(finding.instead)}", " " * 11, " " * 20)
        lines.append("")
    elif not checked.verdict.failure:
        lines += ["  no rule objects to it", ""]
    seq = f"recorded as #{checked.entry.seq:,} · " if checked.entry is not None else ""
    lines.append(dim(f"  {seq}policy {checked.policy[:12]} · index {inert(checked.index, 30) or 'none'}"))
    return lines


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
