"""`bk config`: read and change settings. Values in force are shown; changes are compared, recorded, then saved."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint, width
from bk.engine.errors import DEGRADED, OK, BkError
from bk.text import inert, inert_lines

if TYPE_CHECKING:
    from bk.engine.console.config import Proposal, Shown
    from bk.engine.state import State

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Read and change settings.\n\n"
    "Anything but tightening needs a person: --admin, at a terminal, with no agent above. Every change is recorded.",
)

Admin = Annotated[bool, typer.Option("--admin", help="Needed for everything that does not tighten (person only).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", help="Save without asking.")]
KeyName = Annotated[str, typer.Argument(help="A key, such as fail_mode; `bk config show` lists them.")]
ORIGIN_COLOURS = {"system": "36", "user": "32", "project": "35", "environment": "35"}
INVALID_LINES = 20


@app.command()
def show(
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Also the layer each value comes from.")] = False,
    as_json: Json = False,
) -> None:
    """Every setting in force here: built-in, system, user, this project, this environment.

    Exit code 3 when a settings file is wrong and something else is used instead.
    """
    from bk.engine.console.config import in_force

    shown = in_force(_state(), os.getcwd(), os.environ)
    if as_json:
        rows = [row.told() for row in shown.rows]
        _write(json.dumps({"digest": shown.digest, "problems": list(shown.problems), "keys": rows}))
    else:
        _write("\n".join(table(shown, origin=origin)))
    raise typer.Exit(DEGRADED if shown.problems else OK)


@app.command()
def get(key: KeyName, *, as_json: Json = False) -> None:
    """One value in force, as TOML states it."""
    from bk.engine.console.config import default_text, get

    row = get(_state(), key, os.getcwd(), os.environ)
    _write(json.dumps(row.told()) if as_json else inert(default_text(row.value)))


@app.command("set")
def set_key(
    key: KeyName,
    value: Annotated[str, typer.Argument(help="A word, a number, true or false, or a whole list: '[\"~/a/**\"]'.")],
    *,
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """State a value in the user's settings. Needs --admin unless it only tightens.

    Example: bk config set hook.agent_depth 3
    """
    from bk.engine.console.config import propose_set

    _make(propose_set(_state(), key, value), admin, as_json)


@app.command()
def unset(key: KeyName, *, admin: Admin = False, as_json: Json = False) -> None:
    """Stop stating a value, so that the layer below shows. Needs --admin unless that only tightens."""
    from bk.engine.console.config import propose_unset

    _make(propose_unset(_state(), key), admin, as_json)


@app.command()
def add(
    key: KeyName,
    item: Annotated[str, typer.Argument(help="The item, as it is.")],
    *,
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Append an item to a list. Needs --admin unless it only tightens.

    Example: bk config add paths.block '~/clients/**'
    """
    from bk.engine.console.config import propose_add

    _make(propose_add(_state(), key, item), admin, as_json)


@app.command()
def remove(
    key: KeyName,
    item: Annotated[str, typer.Argument(help="The item, as `bk config get KEY` shows it.")],
    *,
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Take an item out of a list. Needs --admin unless it only tightens."""
    from bk.engine.console.config import propose_remove

    _make(propose_remove(_state(), key, item), admin, as_json)


@app.command()
def validate(
    file: Annotated[str, typer.Argument(help="A config.toml or .bk.toml; the settings in force when not given.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Name everything wrong with a settings file. Exit code 1 when something is."""
    from bk.engine.console.config import validate as faults_of

    faults = faults_of(_state(), file)
    if as_json:
        _write(json.dumps({"valid": not faults, "faults": faults}))
    elif faults:
        raise BkError("the settings are not valid", "\n".join(faults[:INVALID_LINES]), "correct them, validate again")
    else:
        _write("valid")
    raise typer.Exit(1 if faults else OK)


@app.command()
def edit(*, admin: Admin = False, yes: Yes = False) -> None:
    """Edit a copy in $VISUAL or $EDITOR; it is validated and compared, then saved. Needs --admin to loosen."""
    from bk.engine.console.config import Editing

    state = _state()
    state.ensure()
    editing = Editing(state)
    text = editing.text
    while True:
        text = _edited(text, state.root)
        try:
            proposal = editing.propose(text)
        except BkError as error:
            if not sys.stdin.isatty():
                raise
            _write("\n".join([error.title, *(f"    {line}" for line in inert_lines(error.detail, INVALID_LINES))]))
            typer.confirm("edit again?", default=True, abort=True)
        else:
            break
    _ask_and_make(proposal, admin, yes)


@app.command("import")
def import_file(
    file: Annotated[str, typer.Argument(help="A Beekeeper config.json.")],
    *,
    admin: Admin = False,
    yes: Yes = False,
) -> None:
    """Take over what a Beekeeper config.json has a counterpart for; says what is left, and why."""
    from bk.engine.console.config import propose_import

    _ask_and_make(propose_import(_state(), file), admin, yes)


def table(shown: Shown, *, origin: bool) -> list[str]:
    """The settings as aligned columns, what is wrong with them first."""
    from bk.engine.console.config import default_text

    values = {row.key.name: inert(default_text(row.value), 40) for row in shown.rows}
    name_width = max(map(len, values))
    value_width = max(map(len, values.values()))
    lines = [paint(f"problem: {inert(problem)}", "1;31") for problem in shown.problems]
    for row in shown.rows:
        value = values[row.key.name].ljust(value_width)
        cells = [row.key.name.ljust(name_width), value if row.origin == "built-in" else paint(value, "1")]
        told = f"{row.origin}{', locked' if row.locked else ''}"
        if origin:
            cells.append(paint(told, ORIGIN_COLOURS.get(row.origin, "2")))
        else:
            room = width() - name_width - value_width - 4
            cells.append(dim(inert(row.key.help, room)) if room > 20 else "")
        lines.append("  ".join(cells).rstrip())
    return lines


def _make(proposal: Proposal, admin: bool, as_json: bool) -> None:
    proposal.make(admin=admin, actor=_actor(admin))
    if as_json:
        _write(json.dumps({**proposal.told(), "saved": bool(proposal.diff)}))
    else:
        _write("\n".join([*_compared(proposal), "saved" if proposal.diff else "nothing to change"]))


def _ask_and_make(proposal: Proposal, admin: bool, yes: bool) -> None:
    _write("\n".join([*_compared(proposal), "" if proposal.diff else "nothing to change"]).rstrip())
    if not proposal.diff:
        return
    proposal.permit(admin)
    if not yes:
        typer.confirm("save this?", default=False, abort=True)
    proposal.make(admin=admin, actor=_actor(admin))
    _write("saved")


def _compared(proposal: Proposal) -> list[str]:
    colours = {"+": "32", "-": "31", "@": "2"}
    lines = [paint(line, colours.get(line[:1], "")) for line in inert_lines(proposal.diff)] if proposal.diff else []
    return [*lines, *(dim(inert(note)) for note in proposal.notes)]


def _edited(text: str, folder: str) -> str:
    """The text after a person's editor had it, on a copy that only they can read."""
    import shlex
    import shutil
    import subprocess
    import tempfile

    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    words = shlex.split(wanted) or [name for name in ("nano", "vi") if shutil.which(name)][:1]
    if not words or not shutil.which(words[0]):
        raise BkError("there is no editor", f"EDITOR is {wanted!r}", "set EDITOR, or use `bk config set`")
    fd, path = tempfile.mkstemp(suffix=".toml", prefix=".edit-", dir=folder)
    try:
        with open(fd, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        done = subprocess.run([*words, path], check=False)
        if done.returncode:
            raise BkError(
                "nothing is changed", f"{words[0]} ended with {done.returncode}", "run `bk config edit` again"
            )
        with open(path, encoding="utf-8", errors="strict", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise BkError("nothing is changed", f"the edited text is not UTF-8: {error.reason}", "") from error
    finally:
        os.unlink(path)


def _state() -> State:
    from bk.engine.state import locate

    return locate(os.environ, os.getcwd())


def _actor(admin: bool) -> str:
    return f"{'person' if admin else 'cli'}:{os.getuid()}"


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
