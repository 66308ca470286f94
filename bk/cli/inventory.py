"""`bk inventory`: what is installed, as the last scans saw it."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint
from bk.engine.errors import FOUND, OK, WARNED
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.inventory.item import Item

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="What is installed, as the last scans saw it: read from files alone, without running a package manager.",
)
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
LIMIT = 100


@app.command("list")
def show_all(*, as_json: AsJson = False) -> None:
    """The scans that are kept, newest first."""
    from bk.engine.console.inventory import runs

    found = runs()
    if as_json:
        _say(json.dumps({"runs": [{**run.plain(), "problems": len(run.problems)} for run in found]}))
        return
    for run in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started / 1000))
        word = paint(f"{run.status:<8}", "32" if run.complete else "33")
        _say(f"{run.id:>6}  {when}  {word}  {run.profile:<8}  {run.total:,} packages in {run.directories:,} folders")
    if not found:
        _say("nothing has been scanned yet: bk scan")


@app.command()
def show(
    word: Annotated[str, typer.Argument(help="A part of a name, or ECOSYSTEM:PART; everything without it.")] = "",
    *,
    run: Annotated[int, typer.Option("--run", help="A scan's number; the newest by default.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0 shows all.")] = LIMIT,
    as_json: AsJson = False,
) -> None:
    """What a scan saw, and the files that say so.

    Example: bk inventory show npm:lodash
    """
    from itertools import islice

    from bk.engine.console.inventory import items
    from bk.engine.console.scan import plain

    found = items(run, word)
    shown = list(islice(found, limit or None))
    more = next(found, None) is not None
    if as_json:
        _say(json.dumps({"items": [plain(item) for item in shown], "more": more}))
        return
    for item in shown:
        _row(item)
    if more:
        _say(dim("… and more; --limit 0 shows all"))
    elif not shown:
        _say("nothing of that name was seen")


@app.command()
def diff(
    older: Annotated[int, typer.Argument(min=0, help="A scan's number; the one like it before by default.")] = 0,
    newer: Annotated[int, typer.Argument(min=0, help="Another one's; the newest by default.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """What came, went and changed between two scans."""
    from bk.engine.console.inventory import difference
    from bk.engine.console.scan import plain

    before, after, found = difference(older, newer)
    if as_json:
        told = {"older": before.id, "newer": after.id, "proven": found.proven}
        changed = [[plain(was), plain(now)] for was, now in found.changed]
        _say(
            json.dumps(
                {
                    **told,
                    "added": [plain(item) for item in found.added],
                    "gone": [plain(item) for item in found.gone],
                    "changed": changed,
                }
            )
        )
        return
    for sign, several in (("+", found.added), ("-", found.gone), ("~", [now for _, now in found.changed])):
        for item in several:
            _row(item, f"{sign} ")
    sure = "" if found.proven else "; the newer one did not look everywhere, so what is missing may still be there"
    _say(
        dim(
            f"run {before.id} → {after.id}: {len(found.added)} came, {len(found.gone)} went, "
            f"{len(found.changed)} changed{sure}"
        )
    )


@app.command("import")
def take_in(
    file: Annotated[str, typer.Argument(metavar="FILE", help="NDJSON of Bumblebee, schema 0.1.0 or 0.2.0.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Hold what another scanner listed against the catalogs.

    Its word names no place on this machine: what something speaks against becomes an incident of the state `reported`,
    and nothing is ever moved for it. Exit code 10 or 20 as for `bk scan`.
    """
    from bk.engine.console.inventory import take_in as read

    made = read(file)
    if as_json:
        _say(json.dumps(made.told()))
    else:
        for finding in made.findings:
            _row(finding.item, f"{finding.level:<6} ")
            _say(dim(f"       {inert(finding.reason, 200)}"))
        for problem in made.problems:
            _say(paint(inert(problem, 200), "33"))
        _say(dim(f"{len(made.items):,} packages, {len(made.findings)} findings; that scan was {made.status}"))
        if made.findings:
            _say("next: bk incidents list --state reported")
    levels = {finding.level for finding in made.findings}
    raise typer.Exit(FOUND if "block" in levels else WARNED if levels else OK)


def _row(item: Item, sign: str = "") -> None:
    name = f"{inert(item.ecosystem, 30)} {inert(item.name, 120)} {inert(item.version, 60)}"
    where = inert(item.observed.encode(errors="replace").decode(), 300)
    _say(f"{sign}{name}  {dim(f'{inert(item.manager, 30)} {item.kind}')}")
    _say(dim(f"    {where}"))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
