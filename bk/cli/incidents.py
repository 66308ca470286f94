"""`bk incidents`: installed things that something speaks against, and what a person decides about them."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import LEVELS, dim, paint, wrapped
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.responder.incidents import Incident

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Installed packages, extensions and servers that something speaks against, and what you decide about them.\n\n"
    "They are found after each sync of the catalogs and by `bk scan`. docs/responder.md explains the states.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may decide.")]
Ident = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, or the beginning of it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept for ever.")]
COLOURS = {
    "quarantined": "1;35", "move_failed": "1;31", "pending_approval": "1;31", "pending_path": "1;31", "open": "33",
    "dry_run_reported": "33", "reported": "33", "stale_evidence": "33", "restored": "32", "resolved": "32",
}  # fmt: skip
SEVERITY = {"critical": LEVELS["block"], "high": LEVELS["block"], "medium": LEVELS["warn"]}


@app.command("list")
def show_all(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False,
    state: Annotated[str, typer.Option("--state", help="Only those in this state.")] = "",
    as_json: AsJson = False,
) -> None:
    """What something speaks against, the worst first."""
    from bk.engine.console.cases import rows, told

    found = rows(every=everything, state_is=state)
    waits = _waiting(as_json=as_json)
    if as_json:
        _say(json.dumps({"incidents": [told(one) for one in found], "open": waits}))
        return
    for one in found:
        _row(one)
    if not found:
        _say("nothing that is installed is spoken against" if not everything else "there are no incidents")
    if any(waits.values()):
        stopped = f", {waits['stopped']} of them stopped calls and notices: `bk dashboard` shows them"
        _say(f"{waits['installed'] + waits['stopped']} open{stopped if waits['stopped'] else ''}")


def _waiting(*, as_json: bool) -> dict[str, int]:
    """What is open, here and in the ledger; a ledger that cannot be read does not hide what is installed."""
    from bk.engine.console.matters import open_now
    from bk.engine.errors import BkError

    try:
        return open_now()._asdict()
    except BkError as error:
        if not as_json:
            _say(inert(f"what was stopped cannot be counted: {error}", 300))
        return {}


@app.command()
def show(ident: Ident, *, as_json: AsJson = False) -> None:
    """One incident in full: the evidence, what was done, and what is left to do."""
    from bk.engine.console.cases import show as look

    shown = look(ident)
    one = shown.incident
    if as_json:
        _say(json.dumps(shown.told()))
        return
    _row(one)
    for name, told in (
        ("id", one.id),
        ("seen in", _path(one.observed)),
        ("found", _when(one.opened_ms)),
        ("changed", _when(one.updated_ms)),
        ("held as", one.hold),
        ("decided by", one.by),
        ("left alone", shown.exempt),
        ("approved", "yes: it is moved as soon as it can be" if one.approved else ""),
    ):
        if told:
            _say(f"  {name:<11} {inert(told, 300)}")
    for each in one.evidence:
        groups = ", ".join(map(str, each.get("groups", ())))
        idents = " ".join(map(str, each.get("ids", ())))
        kind, vouched = inert(str(each.get("kind", "")), 12), inert(str(each.get("provenance", "")), 40)
        _say(f"  {'evidence':<11} {inert(groups, 80)}: {kind}, {inert(str(each.get('severity')), 12)}, {vouched}")
        if idents:
            _say(dim(f"  {'':<11} {inert(idents, 200)}"))
    for follow in shown.followups:
        _say(f"  {follow.kind:<11} {_path(follow.path)}  {inert(follow.detail, 160)}")
        _say(dim(f"  {'':<11} {follow.step}"))
    for line in wrapped(_next(one), "  next: ", "        "):
        _say(line)


@app.command()
def ack(ident: Ident, *, reason: Reason = "", admin: Admin = False, as_json: AsJson = False) -> None:
    """You have seen it: it comes back only for worse evidence."""
    from bk.engine.console.cases import ack as decide

    _decided(decide(ident, reason=reason, admin=admin), as_json)


@app.command()
def exempt(
    ident: Ident,
    *,
    reason: Reason = "",
    span: Annotated[str, typer.Option("--for", help="How long: 30m, 8h, 7d, 4w; for good if not said.")] = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Leave this artifact alone.

    Example: bk incidents exempt 3f2a --reason 'our fork, same name' --for 4w --admin
    """
    from bk.engine.console.cases import exempt as decide

    _decided(decide(ident, reason=reason, span=span, admin=admin), as_json)


@app.command()
def approve(ident: Ident, *, reason: Reason = "", admin: Admin = False, as_json: AsJson = False) -> None:
    """Have this artifact taken out of use now, whatever the settings say. It can be put back.

    Exit code 1 when it could not be moved; `why` says what is in the way.
    """
    from bk.engine.console.cases import approve as decide
    from bk.engine.errors import FAILED, OK

    one, outcome = decide(ident, reason=reason, admin=admin)
    _decided(one, as_json)
    raise typer.Exit(OK if outcome.moved else FAILED)


@app.command()
def reopen(ident: Ident, *, reason: Reason = "", admin: Admin = False, as_json: AsJson = False) -> None:
    """Take back an acknowledgement, an exemption or an approval."""
    from bk.engine.console.cases import reopen as decide

    _decided(decide(ident, reason=reason, admin=admin), as_json)


def _decided(one: Incident, as_json: bool) -> None:
    from bk.engine.console.cases import told

    if as_json:
        _say(json.dumps(told(one)))
    else:
        _row(one)


def _row(one: Incident) -> None:
    state = paint(f"{one.state:<16}", COLOURS.get(one.state, "2"))
    severity = paint(f"{inert(one.severity, 10):<8}", SEVERITY.get(one.severity, "2"))
    name = f"{inert(one.ecosystem, 30)} {inert(one.name, 120)} {inert(one.version, 60)}"
    _say(f"{one.id[:8]}  {state}  {severity}  {name}  {dim(', '.join(inert(each, 40) for each in one.groups))}")
    _say(dim(f"    {_path(one.path)}"))
    if one.why:
        _say(dim(f"    {inert(one.why, 300)}"))


def _next(one: Incident) -> str:
    short = one.id[:8]
    if one.state == "quarantined":
        return f"bk remediate plan {short}; bk quarantine restore {one.hold[-6:]} --admin puts it back"
    if one.state == "move_failed":
        return f"deal with what is in the way, then bk incidents approve {short} --admin"
    if one.state in ("open", "pending_approval", "stale_evidence", "dry_run_reported"):
        return f"bk incidents approve {short} --admin takes it out of use; exempt and ack leave it"
    if one.state == "reported":
        return f"`bk scan` on the machine that the list is of; bk incidents ack {short} --admin when it is dealt with"
    if one.state == "pending_path":
        return f"bk remediate plan {short} says how to take it out of the lock file"
    return f"bk incidents reopen {short} --admin has it ruled on again"


def _path(path: str) -> str:
    return inert(path.encode(errors="replace").decode(), 400)


def _when(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000)) if at_ms else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
