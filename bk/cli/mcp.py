"""`bk mcp`: which MCP servers are known, whether one changed, and what the descriptions of its tools say."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import LEVELS, dim, paint, width, wrapped
from bk.engine.errors import DENIED, OK
from bk.engine.model import Level
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.mcp import Row

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="MCP servers: who each one is, who it was when it was first used, and what its tools say.\n\n"
    "A server whose command or address changes is asked about until a person accepts it.",
)

Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person accepts or forgets a server.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Name = Annotated[str, typer.Argument(help="The server's name, as the tools' names have it.")]
STATES = {"known": "32", "accepted": "32", "changed": "1;31", "new": "33", "gone": "2"}


@app.command("list")
def list_all(*, as_json: Json = False) -> None:
    """Every server that settings name here, and every one that was used before."""
    from bk.engine.console.mcp import rows

    _show(rows(), as_json=as_json)


@app.command()
def show(name: Name, *, as_json: Json = False) -> None:
    """Who one server is, and what is different from what was known. Exit code 5 when something is."""
    from bk.engine.console.mcp import rows

    found = rows(name=name)
    _show(found, as_json=as_json, whole=True)
    raise typer.Exit(DENIED if any(row.state == "changed" for row in found) else OK)


@app.command()
def accept(
    name: Name,
    *,
    tools: Annotated[str, typer.Option(help="A saved tools/list answer: accept these descriptions instead.")] = "",
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Take a server for who it is now; its changes are asked about from here on."""
    if tools:
        from bk.engine.console.mcp import accept_tools

        count = accept_tools(tools, name, admin=admin)
        _write(json.dumps({"tools": count}) if as_json else f"{count} tools of {inert(name, 80)} are known now")
        return
    from bk.engine.console.mcp import accept as take

    _show(take(name, admin=admin), as_json=as_json, whole=True)


@app.command()
def forget(name: Name, *, admin: Admin = False, as_json: Json = False) -> None:
    """Know nothing of a server any more: its next use is its first."""
    from bk.engine.console.mcp import forget as drop

    count = drop(name, admin=admin)
    _write(json.dumps({"forgotten": count}) if as_json else f"forgotten: {inert(name, 80)} ({count})")


@app.command()
def inspect(
    file: Annotated[str, typer.Argument(help="A saved answer to tools/list (JSON).")],
    *,
    server: Annotated[str, typer.Option(help="The server it is from; its accepted tools are compared.")] = "",
    as_json: Json = False,
) -> None:
    """Read what the tools of a server say to a model: hidden orders, unseen characters, places of secrets, changes.

    Exit code 5 when a person should read it before the server is used.
    """
    from bk.engine.console.mcp import inspect as look

    seen = look(file, server)
    if as_json:
        found = [{"rule": each.rule, "level": each.level.word, "reason": each.reason, **each.evidence}
                 for each in seen.findings]  # fmt: skip
        _write(json.dumps({"server": seen.server, "tools": seen.count, "findings": found}))
    else:
        _write(f"{inert(seen.server, 80)}: {seen.count} tools")
        for each in seen.findings:
            word = each.level.word
            _write(f"  {paint(f'{word:<6}', LEVELS[word])} {dim(each.rule)}")
            _write("\n".join(wrapped(inert(each.reason), " " * 9, " " * 9)))
        if not seen.findings:
            _write("  nothing in them speaks to the model behind your back")
    raise typer.Exit(DENIED if seen.level >= Level.ASK else OK)


def _show(found: list[Row], *, as_json: bool, whole: bool = False) -> None:
    if as_json:
        _write(json.dumps({"servers": [row.told() for row in found]}))
        return
    if not found:
        _write("no settings file here names an MCP server, and none was used")
    for row in found:
        where = row.where or (row.place if row.place not in ("", "-") else "")
        state = paint(f"{row.state:<9}", STATES[row.state])
        _write(f"{state}{inert(row.name, 40)}  {dim(inert(where, width() - 54))}")
        if whole:
            for key, value in row.identity.items():
                told = " ".join(map(str, value)) if isinstance(value, list) else str(value)
                _write("\n".join(wrapped(f"{key}: {inert(told, 400)}", " " * 9, " " * 11)))
        for change in row.changes:
            _write("\n".join(wrapped(f"changed: {inert(change, 400)}", " " * 9, " " * 11)))


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
