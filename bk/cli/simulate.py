"""`bk simulate`: verdicts for recorded calls. Nothing is executed and nothing is recorded."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from bk.cli.explain import call_in
from bk.engine.errors import USAGE, BkError
from bk.engine.model import ToolCall

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    *,
    source: Annotated[str, typer.Option("--input", help="A file of calls, one JSON object a line; - is stdin.")],
    installs: Annotated[bool, typer.Option("--installs", help="List the package installs understood.")] = False,
    home: Annotated[str, typer.Option(help="The home directory the calls are judged for (default: yours).")] = "",
) -> None:
    """Judge a file of calls: one JSON answer a line, in the same order. Nothing is run, nothing is recorded.

    A line is {"command": …, "cwd": …}, or {"tool_name": …, "tool_input": {…}, "cwd": …} as coding agents send it.
    """
    from bk.engine.console.check import bench

    at_home = home or os.environ.get("HOME") or "/"
    judge = bench().judge
    for call in _calls(source, at_home):
        if isinstance(call, str):
            said: dict[str, Any] = {"verdict": "block", "reason": call, "rule_ids": ["failure/syntax"], "actions": []}
            if installs:
                said["installs"] = []
        else:
            said = judge(call).told(installs=installs)
        sys.stdout.write(json.dumps(said) + "\n")


def _calls(source: str, home: str) -> Iterator[ToolCall | str]:
    """Each line's call, or what is wrong with the line."""
    if source == "-":
        yield from (_call(line, home) for line in sys.stdin if line.strip())
        return
    try:
        with open(source, encoding="utf-8", errors="surrogateescape") as file:
            yield from (_call(line, home) for line in file if line.strip())
    except OSError as error:
        raise BkError("the calls cannot be read", f"{source}: {error.strerror}", code=USAGE) from error


def _call(line: str, home: str) -> ToolCall | str:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is not one JSON value: {error}"
    if not isinstance(said, dict):
        return "the line is JSON but not an object"
    call = call_in(said, os.getcwd(), home, "simulate")
    return f"the line is no call: {call}" if isinstance(call, str) else call
