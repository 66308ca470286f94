"""`bk catalogs`: what is known of bad packages, who says so, how fresh it is, and how it is kept up to date."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bk.cli.paint import dim
from bk.engine.errors import DEGRADED, FAILED, OK
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.catalogs.work import Work

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Threat catalogs: known-bad packages, who lists them, and how fresh that is.\n\n"
    "Sources are asked in the background by the resident engine. Looking is open to all; what could weaken the "
    "catalogs needs a person: --admin, at a terminal. docs/catalogs.md explains sources, voices and provenance.",
)

Admin = Annotated[bool, typer.Option("--admin", help="Needed for what could weaken the catalogs (person only).")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
SourceName = Annotated[str, typer.Argument(help="A source, such as osv; `bk catalogs sources` lists them.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="Show at most so many; 0 for all.")]
LIMIT = 200


@app.command()
def sync(
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these sources; all that are switched on if none.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also sources that are not due yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask sources for news now, check it, and put it in force.

    Ctrl-C stops it; what is in force stays in force. Exit code 3 when a source failed or its news is held back.

    Example: bk catalogs sync osv --force
    """
    from bk.engine.console.catalogs.steer import sync as start

    _follow(start(names or (), force=force), "sync", as_json)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """What is in force, how old it is, and how each source is.

    Exit code 3 when the catalogs are stale, or a source fails or is held back.
    """
    from bk.cli.catalog_words import status_lines
    from bk.engine.console.catalogs.standing import kept_generations, next_step, packages
    from bk.engine.console.catalogs.standing import status as standing

    listed = packages()  # on first use this puts the release's own facts in force
    now, kept = standing(), kept_generations()
    steps = {row.name: next_step(row) for row in now.sources}
    bad = now.stale or not now.generation or any(row.state in ("degraded", "failing") for row in now.sources)
    if as_json:
        sources = [{**row.told(), "next_step": steps[row.name]} for row in now.sources]
        told: dict[str, Any] = {name: getattr(now, name) for name in ("generation", "origin", "built_ms", "synced_ms")}
        told |= {"stale": now.stale, "stale_days": now.stale_days, "kept": kept, "packages": listed, "sources": sources}
        _json(told)
    else:
        _lines(status_lines(now, steps, listed, kept))
    raise typer.Exit(DEGRADED if bad else OK)


@app.command()
def sources(*, as_json: AsJson = False) -> None:
    """Every source: whose it is, which voice it counts as, its licence, and what it needs."""
    from bk.cli.catalog_words import source_lines
    from bk.engine.console.catalogs.standing import next_step
    from bk.engine.console.catalogs.standing import status as standing

    rows = standing().sources
    steps = {row.name: next_step(row) for row in rows}
    if as_json:
        _json({"sources": [{**row.told(), "next_step": steps[row.name]} for row in rows]})
    else:
        _lines(source_lines(rows, steps))


@app.command()
def show(
    package: Annotated[str, typer.Argument(metavar="ECOSYSTEM:NAME[@VERSION]", help="Such as npm:left-pad@1.3.0.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One package: every record of it, and what an install of it would get now, and why.

    Example: bk catalogs show npm:axios@1.14.1
    """
    from bk.cli.catalog_words import shown_lines
    from bk.engine.console.catalogs.lookup import show as look_up

    found = look_up(package)
    if as_json:
        _json(found.told())
    else:
        _lines(shown_lines(found))


@app.command()
def search(
    word: Annotated[str, typer.Argument(help="A part of a name, or ECOSYSTEM:PART.")],
    *,
    limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:
    """Listed names that contain a text. Exit code 1 when there is none.

    Example: bk catalogs search npm:axios
    """
    from itertools import islice

    from bk.cli.catalog_words import hit_line
    from bk.engine.console.catalogs.lookup import search as find

    found = find(word)
    shown = 0
    hits = []
    for hit in islice(found, limit or None):
        shown += 1
        if as_json:
            hits.append(hit.told())
        else:
            _lines([hit_line(hit)])
    more = bool(limit) and next(found, None) is not None
    if as_json:
        _json({"word": word, "hits": hits, "more": more})
    elif more:
        _lines([dim("… and more; --limit 0 shows all")])
    elif not shown:
        _lines([f"nothing that is listed has {inert(word, 60)!r} in its name"])
    raise typer.Exit(OK if shown else FAILED)


@app.command()
def diff(
    older: Annotated[int, typer.Argument(help="A generation's number; the one before by default.")] = 0,
    newer: Annotated[int, typer.Argument(help="Another one's; the one in force by default.")] = 0,
    *,
    limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:
    """What changed between two generations, entry by entry.

    Example: bk catalogs diff 3 4
    """
    from itertools import islice

    from bk.cli.catalog_words import change_line
    from bk.engine.console.catalogs.standing import change_data, change_words, difference

    first, second, changes = difference(older, newer)
    counts = dict.fromkeys(("added", "removed", "changed"), 0)
    told = []
    for change in islice(changes, limit or None):
        counts[change.kind] += 1
        if as_json:
            told.append(change_data(change))
        else:
            _lines([change_line(change.kind, change.ecosystem, change.name, change_words(change))])
    more = bool(limit) and next(iter(changes), None) is not None
    if as_json:
        _json({"older": first, "newer": second, "changes": told, "more": more})
        return
    much = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count) or "nothing differs"
    _lines([dim(f"generation {first} → {second}: {much}{', and more; --limit 0 shows all' if more else ''}")])


@app.command()
def enable(name: SourceName, *, admin: Admin = False, as_json: AsJson = False) -> None:
    """Have a source asked from now on.

    Example: bk catalogs enable github --admin
    """
    _switch(name, on=True, admin=admin, as_json=as_json)


@app.command()
def disable(name: SourceName, *, admin: Admin = False, as_json: AsJson = False) -> None:
    """No longer ask a source; what it says no longer counts.

    Example: bk catalogs disable datadog --admin
    """
    _switch(name, on=False, admin=admin, as_json=as_json)


@app.command()
def accept(name: SourceName, *, admin: Admin = False, as_json: AsJson = False) -> None:
    """Take in a source's news that was held back, after you looked at it.

    Example: bk catalogs accept osv --admin
    """
    from bk.engine.console.catalogs.steer import accept as take

    _follow(take(name, admin=admin), "accept", as_json)


@app.command()
def rollback(
    number: Annotated[int, typer.Argument(min=0, help="A generation's number; the one before by default.")] = 0,
    *,
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier generation in force.

    Example: bk catalogs rollback --admin
    """
    from bk.engine.console.catalogs.steer import rollback as back

    _follow(back(number, admin=admin), "rollback", as_json)


@app.command()
def verify(*, as_json: AsJson = False) -> None:
    """Read every byte of what is in force against its digests. Exit code 1 when it is not whole."""
    from bk.engine.console.catalogs.steer import verify as check

    _follow(check(), "verify", as_json)


@app.command("import")
def take_in(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files or folders, in any format that bk reads.")],
    *,
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", help="The file's digest, from where you trust it.")
    ] = "",
    vouch: Annotated[
        str, typer.Option("--vouch", metavar="REASON", help="Your word that it is genuine (needs --admin).")
    ] = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Import catalogs from files, for machines without a network.

    Without --sha256, --vouch or a signature the entries can warn but never count as a voice.

    Formats are told from what is in the files. Exit code 3 when something was held back.

    Example: bk catalogs import npm-all.zip --sha256 9f86…
    """
    from bk.engine.console.catalogs.steer import take_in as start

    _follow(start(paths, digest=sha256, vouch=vouch, admin=admin), "import", as_json)


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="What was imported, such as import-osv-npm; status lists it.")],
    *,
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Take out what was imported under a name.

    Example: bk catalogs forget import-osv-npm --admin
    """
    from bk.engine.console.catalogs.steer import forget as take_out

    _follow(take_out(name, admin=admin), "forget", as_json)


@app.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The new file.")],
    *,
    key: Annotated[str, typer.Option("--key", metavar="FILE", help="A secret key: also write FILE.note, signed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write what is in force to a file that `bk catalogs import` reads elsewhere.

    Example: bk catalogs export catalogs.facts
    """
    from bk.engine.console.catalogs.steer import export as start

    _follow(start(file, key=key), "export", as_json)


@app.command()
def rebuild(*, as_json: AsJson = False) -> None:
    """Build what is in force anew from what was accepted, when the index is damaged.

    Example: bk catalogs rebuild
    """
    from bk.engine.console.catalogs.steer import rebuild as start

    _follow(start(), "rebuild", as_json)


def _switch(name: str, *, on: bool, admin: bool, as_json: bool) -> None:
    from bk.engine.console.catalogs.steer import switch

    changed = switch(name, on=on, admin=admin)
    if as_json:
        _json({"source": name, "enabled": on, "changed": changed})
        return
    word = "asked" if on else "no longer asked"
    _lines([f"{name} is {word} from now on" if changed else f"{name}: nothing changed, it already is so"])
    if changed:
        _lines([dim("next: bk catalogs sync" if on else "next: bk catalogs sync takes its entries out")])


def _follow(work: Work, verb: str, as_json: bool) -> None:
    """Show what the worker does and what came of it; raises when it could not do what was asked."""
    from bk.cli.catalog_progress import follow
    from bk.cli.catalog_words import outcome_lines

    result = follow(work, quiet=as_json)
    if as_json:
        _json(result)
    else:
        _lines(outcome_lines(verb, result))
    raise typer.Exit(OK if result.get("ok") else FAILED if verb == "verify" else DEGRADED)


def _json(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
