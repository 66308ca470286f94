"""`bk scan`: what is installed, held against what is known."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import LEVELS, coloured, dim, paint, wrapped
from bk.engine.errors import USAGE, BkError
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.scan import Scanned

app = typer.Typer(add_completion=False)
PROFILES = ("baseline", "project", "deep")
FAIL_ON = ("warn", "block", "never")
TABLE = "table"
SHOWN = 200
EVERY_S = 0.1


@app.command()
def scan(
    *,
    profile: Annotated[
        str, typer.Option("--profile", help="baseline: the usual places; project: folders; deep: the whole home too.")
    ] = "",
    root: Annotated[list[str] | None, typer.Option("--root", metavar="P", help="A folder to look into.")] = None,
    fail_on: Annotated[str, typer.Option("--fail-on", help="warn, block or never: what the exit code tells.")] = "warn",
    form: Annotated[str, typer.Option("--format", help="table, ndjson, json, sarif or cyclonedx.")] = TABLE,
    respond: Annotated[
        bool, typer.Option("--respond", help="Also move what the settings allow; needs --admin.")
    ] = False,
    admin: Annotated[bool, typer.Option("--admin", help="For --respond: only a person at a terminal may.")] = False,
) -> None:
    """Look at what is installed and hold every version against all catalogs. Reads files alone; runs nothing.

    What it finds becomes an incident, and nothing is moved, unless you ask for that with --respond.
    With --root the profile is project. Exit code 0: nothing. 10: something warns. 20: something is known to be bad.
    30: not everything could be looked at.

    Example: bk scan --root . --format sarif --fail-on block
    """
    from bk.cli.scan_formats import FORMATS

    profile = profile or ("project" if root else "baseline")
    _one_of("profile", profile, PROFILES)
    _one_of("fail-on", fail_on, FAIL_ON)
    _one_of("format", form, (TABLE, *FORMATS))
    from bk.engine.console.scan import scan as look

    with _Shown() as shown:
        scanned = look(profile, root or (), tell=shown.tell, respond=respond, admin=admin)
    if form == TABLE:
        _table(scanned)
    else:
        for piece in FORMATS[form](scanned):
            sys.stdout.write(piece)
            if form == "ndjson":
                sys.stdout.write("\n")
        sys.stdout.write("" if form == "ndjson" else "\n")
    raise typer.Exit(scanned.code(fail_on))


class _Shown:
    """One line on a terminal that says how far the scan is; nothing anywhere else."""

    def __init__(self) -> None:
        self.tell: Callable[[int, int, str], None] | None = self._tell if sys.stderr.isatty() and coloured() else None
        self._last = 0.0

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        if self.tell is not None and self._last:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _tell(self, directories: int, items: int, path: str) -> None:
        from bk.cli.paint import width

        now = time.monotonic()
        if now - self._last < EVERY_S:
            return
        self._last = now
        where = path.encode(errors="replace").decode()
        line = inert(f"{directories:,} folders, {items:,} packages  {where}", width() - 2)
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


def _table(scanned: Scanned) -> None:
    run = scanned.run
    for finding in scanned.findings:
        told = finding.told()
        word = paint(f"{finding.level:<6}", LEVELS[finding.level])
        name = f"{inert(told['ecosystem'], 30)} {inert(told['name'], 120)} {inert(told['version'], 60)}"
        _say(f"{word} {name}  {dim(finding.incident[:8])}")
        for line in wrapped(
            f"{finding.reason}  {' '.join(inert(each, 40) for each in told['ids'][:6])}", *["       "] * 2
        ):
            _say(line)
        for path in told["observed"][:3]:
            _say(dim(f"       {inert(path, SHOWN)}"))
    kinds: dict[str, int] = {}
    for name, count in run.counts.items():
        kinds[name.partition("/")[0]] = kinds.get(name.partition("/")[0], 0) + count
    seen = ", ".join(f"{count:,} {inert(name, 30)}" for name, count in sorted(kinds.items())) or "nothing"
    seconds = (run.ended - run.started) / 1000
    _say(dim(f"{seen} in {run.directories:,} folders, {seconds:.1f} s"))
    if not run.complete:
        _say(paint(f"not everything could be looked at{': ' + inert(run.why, SHOWN) if run.why else ''}", "33"))
        for path, why in run.problems[:5]:
            _say(dim(f"    {inert(path.encode(errors='replace').decode(), SHOWN)}: {inert(why, 120)}"))
        if len(run.problems) > 5:
            _say(dim(f"    and {len(run.problems) - 5:,} more: bk scan --format json"))
    if run.notes:
        _say(dim(f"{len(run.notes):,} files of others could not be read: bk scan --format json"))
    if scanned.outcome.moved:
        _say(f"{scanned.outcome.moved} taken out of use: bk quarantine list")
    _say("next: bk incidents list" if scanned.findings else "nothing that is installed is listed")


def _one_of(option: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise BkError(f"--{option} {inert(given, 40)}?", next_step=f"one of {', '.join(known)}", code=USAGE)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
