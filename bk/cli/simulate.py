"""`bk simulate`: verdicts for calls that nobody makes, and what a change of settings or rules would have meant."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bk.cli.explain import call_in
from bk.engine.errors import OK, USAGE, BkError
from bk.engine.model import Entry, ToolCall

if TYPE_CHECKING:
    from bk.engine.console.whatif import Flip, Result

Json = Any
Native = Callable[[str, Mapping[str, Json], str, str], ToolCall | str]
STOPPED = 130


def command(native: Native) -> typer.Typer:
    """The command, told how to read clients' own payloads."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def simulate(
        *,
        since: Annotated[str, typer.Option("--since", help="Replay what was recorded since: 30d, 2025-01-31 …")] = "",
        config: Annotated[str, typer.Option("--config", help="The settings to try: a config.toml.")] = "",
        rules: Annotated[
            list[str] | None, typer.Option("--rules", help="A .rules file to try, or a folder of them; repeatable.")
        ] = None,
        source: Annotated[
            str, typer.Option("--input", help="A file of calls, one JSON object a line; - is stdin.")
        ] = "",
        installs: Annotated[
            bool, typer.Option("--installs", help="With --input: list the installs understood.")
        ] = False,
        home: Annotated[str, typer.Option(help="With --input: the home the calls are judged for.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="With --since: the outcome as one JSON object.")] = False,
    ) -> None:
        """Judge calls without making them: recorded ones against a change, or a file of them. Nothing is recorded.

        With --since, every recorded call is decided twice, as things are and with --config or --rules, and what would
        flip is listed; with neither, what was answered then is held against what would be answered now.

        With --input, one JSON answer a line, in the same order. A line is {"command": …}, or {"tool_name": …,
        "tool_input": {…}}, or {"harness": …, "payload": {…}} as that client sends it, or a line of `bk audit export`.

        Example: bk simulate --since 30d --config proposed.toml
        """
        if bool(since) == bool(source):
            raise BkError(
                "simulate what?", "give --since or --input", "bk simulate --since 30d --config FILE", code=USAGE
            )
        if source and (config or rules):
            raise BkError("a file of calls is judged as things are", "--config and --rules go with --since", code=USAGE)
        if source:
            _judged(source, home or os.environ.get("HOME") or "/", native, installs=installs)
        else:
            raise typer.Exit(_replayed(since, config, rules or [], as_json=as_json))

    return app


def _judged(source: str, home: str, native: Native, *, installs: bool) -> None:
    from bk.engine.console.check import bench

    judge = bench().judge
    for call in _calls(source, home, native):
        if isinstance(call, str):
            said: dict[str, Json] = {"verdict": "block", "reason": call, "rule_ids": ["failure/syntax"], "actions": []}
            if installs:
                said["installs"] = []
        else:
            said = judge(call).told(installs=installs)
        sys.stdout.write(json.dumps(said) + "\n")


def _calls(source: str, home: str, native: Native) -> Iterator[ToolCall | str]:
    """Each line's call, or what is wrong with the line."""
    if source == "-":
        yield from (_call(line, home, native) for line in sys.stdin if line.strip())
        return
    try:
        with open(source, encoding="utf-8", errors="surrogateescape") as file:
            yield from (_call(line, home, native) for line in file if line.strip())
    except OSError as error:
        raise BkError("the calls cannot be read", f"{source}: {error.strerror}", code=USAGE) from error


def _call(line: str, home: str, native: Native) -> ToolCall | str:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is not one JSON value: {error}"
    if not isinstance(said, dict):
        return "the line is JSON but not an object"
    call = _read(said, os.getcwd(), home, native)
    return f"the line is no call: {call}" if isinstance(call, str) else call


def _read(said: dict[str, Json], cwd: str, home: str, native: Native) -> ToolCall | str:
    """A call in whichever of its forms; how a line is spelled says which one it is."""
    harness, payload = said.get("harness"), said.get("payload")
    data = said.get("data")
    if isinstance(harness, str) and isinstance(payload, dict):
        return native(harness, payload, cwd, home)
    if isinstance(data, dict) and isinstance(said.get("kind"), str):
        return _recorded(data, home)
    if isinstance(said.get("input"), dict) and all(isinstance(said.get(name), str) for name in ("tool", "kind")):
        return _recorded(said, home, cwd)
    if isinstance(harness, str):
        return native(harness, {name: value for name, value in said.items() if name != "harness"}, cwd, home)
    return call_in(said, cwd, home, "simulate")


def _recorded(data: dict[str, Json], home: str, cwd: str = "") -> ToolCall | str:
    from bk.engine.console.whatif import WHY_NOT, call_of

    call = call_of(Entry("decision", "", {"cwd": cwd, **data}), home)
    return WHY_NOT[call] if isinstance(call, str) else call


def _replayed(since: str, config: str, rules: list[str], *, as_json: bool) -> int:
    from signal import SIGINT, signal

    from bk.engine.console import whatif
    from bk.engine.console.installation import ready

    state = ready()
    proposed = whatif.proposal(state, config=whatif.readable(config) if config else None, named=config, rules=rules)
    stopped: list[int] = []
    show = sys.stderr.isatty() and not as_json

    def tell(result: Result, _flip: Flip | None) -> None:
        if show:
            share = 100 * result.looked // max(1, result.total)
            sys.stderr.write(f"\r{share:3}%  {result.calls:,} calls, {result.flipped:,} would flip ")
            sys.stderr.flush()

    before = signal(SIGINT, lambda number, _frame: stopped.append(number))
    try:
        result = whatif.run(state, proposed, since, tell, lambda: bool(stopped))
    finally:
        signal(SIGINT, before)
        if show:
            sys.stderr.write("\r\x1b[K")
    if as_json:
        sys.stdout.write(json.dumps(result.told(), ensure_ascii=True) + "\n")
    else:
        from bk.cli.simulate_words import outcome

        sys.stdout.write("\n".join(outcome(result, against_then=not proposed)) + "\n")
    return STOPPED if result.cancelled else OK
