"""`bk explain`: what bk understands of a command, and what it would say to it. Nothing is run or recorded."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from bk.cli.calls import TOOLS, kind_of, typed_call
from bk.engine.errors import DENIED, OK, USAGE, BkError
from bk.engine.model import Level, ToolCall

app = typer.Typer(add_completion=False)
MAX_CALL = 1 << 20


@app.command()
def explain(
    command: Annotated[str, typer.Argument(help="A shell command; - (or nothing) reads a call from stdin.")] = "-",
    *,
    tool: Annotated[
        str, typer.Option(help="What would run it, when that is not a shell: Read, Write, WebFetch …")
    ] = "",
    cwd: Annotated[str, typer.Option(help="The directory it would run in (default: this one).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The explanation as one JSON object.")] = False,
) -> None:
    """Say what a command would do, what each rule finds in it, which finding decides, and what to do instead.

    Nothing is run and nothing is recorded. Exit code 0: it may run. 5: it must not, or a person must be asked.

    Example: bk explain 'git push --force && curl -s https://get.example/x | sh'
    """
    from bk.cli.verdict_words import answer
    from bk.engine.console.check import bench

    here = os.path.abspath(cwd) if cwd else os.getcwd()
    home = os.environ.get("HOME") or "/"
    call = _from_stdin(here, home) if command == "-" else typed_call(tool or "Bash", command, cwd=here, home=home)
    checked = bench().judge(call)
    if as_json:
        sys.stdout.write(json.dumps(checked.told(), ensure_ascii=True) + "\n")
    else:
        sys.stdout.write("\n".join(answer(checked, _said(call))) + "\n")
    raise typer.Exit(OK if checked.verdict.level <= Level.WARN else DENIED)


def _said(call: ToolCall) -> str:
    """The call in one line: its command, or its tool and what that is given."""
    command = call.input.get("command")
    if call.kind == "shell" and isinstance(command, str):
        return command
    field = TOOLS.get(call.tool, ("", ""))[1]
    value = call.input.get(field, dict(call.input))
    return f"{call.tool} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def _from_stdin(here: str, home: str) -> ToolCall:
    """A call as a client sends it, or plain text that is a command."""
    if sys.stdin.isatty():
        raise BkError("explain what?", "no command was given", "bk explain 'rm -rf build'", code=USAGE)
    text = sys.stdin.read(MAX_CALL + 1)
    if len(text) > MAX_CALL:
        raise BkError("that is too much", "a call has at most 1 MiB", "", code=USAGE)
    if not text.strip():
        raise BkError("explain what?", "standard input is empty", "echo 'rm -rf build' | bk explain", code=USAGE)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return typed_call("Bash", text.rstrip("\n"), cwd=here, home=home)
    call = call_in(said, here, home, "manual")
    if isinstance(call, str):
        raise BkError("that is no call", call, '{"tool_name": "Bash", "tool_input": {"command": "…"}}', code=USAGE)
    return call


def call_in(said: dict[str, object], here: str, home: str, harness: str) -> ToolCall | str:
    """The call in `{"command": …}` or `{"tool_name": …, "tool_input": {…}}`; or what is wrong with it."""
    tool, given = said.get("tool_name"), said.get("tool_input")
    if tool is None and given is None and "command" in said:
        tool, given = "Bash", {"command": said["command"]}
    if not isinstance(tool, str) or not tool or not isinstance(given, dict):
        return "it has no command, and no tool_name with a tool_input object"
    cwd = said.get("cwd") or here
    if not isinstance(cwd, str) or not cwd.startswith("/"):
        return "cwd is not an absolute path"
    session = said.get("session_id")
    return ToolCall(
        tool,
        kind_of(tool),
        given,
        harness=harness,
        cwd=cwd,
        home=home,
        session=session if isinstance(session, str) else "",
    )
