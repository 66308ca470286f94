"""`bk self`: whether this release of bk may be trusted, by a signed list, and how maintainers make that list."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import STATES, dim, paint, wrapped
from bk.engine.errors import DEGRADED, FAILED, OK
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.own import Report

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="This very release of bk: is it on the signed list of compromised ones?\n\n"
    "The list is fetched in the background and verified; calls read what was verified. A release that is listed blocks "
    "every call and can still be asked about. docs/self.md explains the list and how it is published.",
)
keys = typer.Typer(add_completion=False, no_args_is_help=True, help="Keys that sign the list (maintainers).")
app.add_typer(keys, name="key")

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may overrule a listing.")]
WORDS = {
    "unkeyed": ("unknown", "not checked"),
    "never": ("warn", "no list yet"),
    "clear": ("ok", "not listed"),
    "overruled": ("warn", "listed, overruled"),
    "listed": ("bad", "LISTED"),
    "refused": ("bad", "NOT TRUSTED"),
}


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """How this release stands, by what was verified last.

    Exit code 0: not listed. 1: calls are blocked. 3: something works less well than it should.
    """
    from bk.engine.console import own

    _show(own.status(), as_json=as_json)


@app.command()
def verify(
    *,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask for news first.")] = False,
    source: Annotated[str, typer.Option("--from", help="Take the list from this folder, without a network.")] = "",
    as_json: AsJson = False,
) -> None:
    """Verify the list and this release's own files anew, and put right what was concluded from them.

    Example: bk self verify --refresh
    """
    from bk.engine.console import own

    _show(own.check(refresh=refresh, source=source), as_json=as_json)


@app.command()
def overrule(
    ident: Annotated[str, typer.Argument(help="The entry that names this release, as `bk self status` shows it.")],
    *,
    reason: Annotated[str, typer.Option(help="Why it is wrong; kept for ever.")] = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Let this machine go on although an entry names its release.

    It holds for this entry in the list that is in force now; the next list asks again.

    Example: bk self overrule BK-2026-1 --reason 'built here, from audited source' --admin
    """
    from bk.engine.console import own

    _show(own.overrule(ident, reason=reason, admin=admin), as_json=as_json)


@app.command()
def release(
    path: Annotated[str, typer.Argument(help="A wheel, an sdist or a folder; without one, what is running.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """The digest that names a release by its files: the same for its wheel, its sdist and what is installed of it.

    Example: bk self release dist/beekeeper_bk-0.1.0.whl
    """
    from bk.engine.console import own

    found = own.release(path)
    if as_json:
        _say(json.dumps({"version": found.version, "digest": found.digest, "files": found.files}))
    else:
        _say(f"{found.digest}  bk {inert(found.version, 60)}, {found.files} files")


@app.command()
def publish(
    folder: Annotated[str, typer.Argument(help="The folder that is served; made when there is none.")],
    *,
    key: Annotated[list[str], typer.Option(help="A file with a secret key; twice to sign with two.")],
    version: Annotated[str, typer.Option(help="List this version.")] = "",
    digest: Annotated[str, typer.Option(help="List the release with this digest (`bk self release`).")] = "",
    ident: Annotated[str, typer.Option("--id", help="The new entry's id.")] = "",
    reason: Annotated[str, typer.Option(help="What is wrong with that release.")] = "",
    severity: Annotated[str, typer.Option(help="critical, high, medium or low.")] = "critical",
    date: Annotated[str, typer.Option(help="When it became known; today if not said.")] = "",
    withdraw: Annotated[list[str] | None, typer.Option(help="Take this entry out of the list.")] = None,
    days: Annotated[int, typer.Option(help="How long the list is good for.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Sign the list in a folder anew, with the next serial: as it is, or with an entry more or less (maintainers).

    Example: bk self publish site/self --key release.key --version 0.1.0 --id BK-2026-1 --reason 'stolen token'
    """
    from bk.engine.console.own_list import publish as sign

    made = sign(
        folder,
        key,
        version=version,
        digest=digest,
        ident=ident,
        reason=reason,
        severity=severity,
        date=date,
        withdraw=withdraw or (),
        days=days,
    )
    if as_json:
        entries = [each.told() for each in made.entries]
        _say(json.dumps({"serial": made.serial, "expires_ms": made.expires_ms, "entries": entries}))
        return
    _say(f"serial {made.serial}, signed by {', '.join(made.signed_by)}, good until {_day(made.expires_ms)}")
    for each in made.entries:
        _say(f"  {inert(each.ident, 64):<16} {inert(each.version or each.digest, 80)}  {inert(each.reason, 120)}")
    if not made.entries:
        _say(dim("  no release is listed"))


@keys.command("new")
def new(
    file: Annotated[str, typer.Argument(help="Where the secret half goes; never overwritten.")],
    *,
    name: Annotated[str, typer.Option(help="What the key is called in signatures.")] = "bk-release",
) -> None:
    """Make a key; the public half is printed.

    Keep the file off every machine that builds, publishes or runs bk.
    """
    from bk.engine.console.own_list import mint

    _say(mint(name, file))


@keys.command("show")
def show(file: Annotated[str, typer.Argument(help="A file with a secret key.")]) -> None:
    """The public half of a key: for self_catalog.key, or for bk/engine/own/release.pub of a build."""
    from bk.engine.console.own_list import public_half

    _say(public_half(file))


def _show(report: Report, *, as_json: bool) -> None:
    """The report; the exit code says whether calls are blocked."""
    standing = report.standing
    code = FAILED if standing.failure is not None else DEGRADED if report.problems else OK
    if standing.word == "unkeyed":
        code = OK
    if as_json:
        _say(json.dumps({"exit_code": code, **report.told()}))
        raise typer.Exit(code)
    state, told = WORDS[standing.word]
    _row("release", f"bk {report.version}  {paint(told, STATES[state])}")
    if standing.detail:
        _row("", inert(standing.detail, 900))
    if standing.next_step and standing.failure is not None:
        _row("next", inert(standing.next_step, 300))
    if report.digest:
        _row("files", dim(report.digest))
    if standing.serial:
        until = "expired" if standing.expired(report.now_ms) else "good until"
        _row("list", f"serial {standing.serial}, of {_day(standing.issued_ms)}, {until} {_day(standing.expires_ms)}")
    if report.key:
        _row("key", f"{inert(report.key, 120)}{dim('  (came with this build)') if report.build.built_in else ''}")
    if report.build.url:
        _row("place", inert(report.build.url, 300))
    if standing.asked_ms:
        _row("asked", time.strftime("%Y-%m-%d %H:%M", time.localtime(standing.asked_ms / 1000)))
    for problem, step in report.problems:
        _row("note", paint(inert(problem, 500), STATES["warn"] if standing.word != "unkeyed" else ""))
        if step:
            _row("", dim(f"next: {inert(step, 200)}"))
    for entry in report.overruled:
        said = entry.data
        when = _day(entry.at)
        _row("overruled", inert(f"{said.get('entry')} (serial {said.get('serial')}) by {entry.actor} on {when}", 200))
        _row("", dim(inert(str(said.get("reason", "")), 400)))
    raise typer.Exit(code)


def _row(name: str, text: str) -> None:
    head, *more = wrapped(text, " " * 11, " " * 11)
    _say("\n".join([f"{name:<10} {head[11:]}", *more]))


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
