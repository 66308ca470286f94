"""`bk overlay`: what this machine holds of packages by itself, whatever catalogs say."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import LEVELS, dim, paint
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.corpus.shapes import OverlayEntry

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Package versions that were confirmed malicious on this machine, or that you add. They hold from the next "
    "call on, survive every sync, end by themselves, and can be revoked. docs/corpus.md explains what they weigh.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may decide.")]
STATES = {"active": "32", "expired": "2", "revoked": "2"}
TIERS = {"enforce": LEVELS["block"], "watch": LEVELS["warn"]}


@app.command("list")
def show_all(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what expired or was revoked.")] = False,
    state: Annotated[str, typer.Option("--state", help="Only those: active, expired or revoked.")] = "",
    package: Annotated[str, typer.Option("--package", help="ECOSYSTEM:NAME, with @VERSION or without.")] = "",
    as_json: AsJson = False,
) -> None:
    """What holds here now, the newest first."""
    from bk.engine.console.overlay import rows

    found = rows(every=everything, state_is=state, about=package)
    if as_json:
        _say(json.dumps({"entries": [row.told() for row in found]}))
        return
    for row in found:
        _row(row)
    if not found:
        _say("this machine holds nothing of its own")


@app.command()
def add(
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help="ECOSYSTEM:NAME@VERSION, or a package URL.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Warn about it only.")] = False,
    everything: Annotated[bool, typer.Option("--every-version", help="Whatever version it has.")] = False,
    severity: Annotated[str, typer.Option("--severity", help="critical, high, medium or low.")] = "critical",
    span: Annotated[str, typer.Option("--for", help="How long: 8h, 7d, 4w; a year if not said.")] = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Have a package version stopped on this machine from the next call on.

    Example: bk overlay add npm:left-pad@1.3.1 --reason 'it phones home' --admin
    """
    from bk.engine.console.overlay import add as decide

    row = decide(package, reason=reason, watch=watch, everything=everything, severity=severity, span=span, admin=admin)
    _decided(row, as_json)


@app.command()
def revoke(
    ident: Annotated[str, typer.Argument(metavar="ENTRY", help="Its id, the beginning of it, or its package.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")] = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """End an entry now. Nothing automatic brings it back.

    Example: bk overlay revoke ov-3f2a91 --reason 'it was our own fork' --admin
    """
    from bk.engine.console.overlay import revoke as decide

    _decided(decide(ident, reason=reason, admin=admin), as_json)


def _decided(row: OverlayEntry, as_json: bool) -> None:
    if as_json:
        _say(json.dumps(row.told()))
    else:
        _row(row)


def _row(row: OverlayEntry) -> None:
    state = paint(f"{row.state:<7}", STATES.get(row.state, ""))
    tier = paint(f"{row.tier:<7}", TIERS.get(row.tier, "") if row.state == "active" else "2")
    name = f"{inert(row.ecosystem, 30)} {inert(row.name, 120)} {inert(row.version, 60) or 'every version'}"
    _say(f"{row.id}  {state}  {tier}  {name}")
    whose = f"by {inert(row.created_by, 40)} on {_when(row.created_ms)}"
    end = (
        f"until {_when(row.expires_ms)}" if row.state == "active" else f"ended {_when(row.ended_ms or row.expires_ms)}"
    )
    if row.ended_by:
        end += f" by {inert(row.ended_by, 40)}"
    _say(dim(f"    {inert(row.reason, 300)}; {whose}, {end}"))


def _when(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000)) if at_ms else "-"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
