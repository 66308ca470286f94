"""`bk envelope`: signed claims about what was confirmed here, for other installations; nothing is sent anywhere."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import dim, paint
from bk.engine.errors import FAILED, OK
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.envelope import Checked

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Signed claims about packages that were confirmed malicious here. bk sends them nowhere: it writes and checks "
    "them. All that an envelope can ask of who reads it is to watch and to block. docs/envelope.md has the format.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


@app.command()
def export(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="An event, by its id or the beginning of it.")] = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was confirmed malicious here.")] = False,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="A new file, one envelope a line.")
    ] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Needed: only a person may tell others.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign what was confirmed malicious here: package, version, how many sources, and digests of what it did.

    Example: bk envelope export --all -o confirmed.ndjson --admin
    """
    from bk.engine.console.envelope import export as sign

    made = sign(event, everything=everything, to=output, admin=admin)
    if as_json:
        _say(json.dumps(made.told()))
        return
    if not output:
        sys.stdout.write(b"".join(made.documents).decode())
    for name in made.packages if output else ():
        _say(f"{paint('signed', '32')}  {inert(name, 120)}")
    for ident, why in made.left:
        sys.stderr.write(dim(f"left out {inert(ident, 40)}: {inert(why, 200)}") + "\n")
    if not made.documents:
        sys.stderr.write(dim("nothing was confirmed malicious here that could be told") + "\n")


@app.command()
def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="One envelope, or one on each line.")],
    *,
    key: Annotated[list[str] | None, typer.Option(help="A key to believe (NAME+ID+BASE64), or its file.")] = None,
    replay: Annotated[
        bool, typer.Option("--replay-cache/--no-replay-cache", help="Accept each envelope only once, ever.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Check envelopes: form, key, signature, time, and that none was accepted before.

    Without --key only this installation's own are believed. Exit code 1 when one is refused.

    Example: bk envelope verify confirmed.ndjson --key bk-0a1b2c3d4e5f+deadbeef+AbCd…
    """
    from bk.engine.console.envelope import verify as check

    results = check(file, key or (), spend=replay)
    refused = sum(each.error is not None for each in results)
    code = FAILED if refused else OK
    if as_json:
        told = [each.told() for each in results]
        _say(json.dumps({"accepted": len(results) - refused, "refused": refused, "results": told, "exit_code": code}))
        raise typer.Exit(code)
    for each in results:
        _result(each)
    raise typer.Exit(code)


@app.command()
def key(*, as_json: AsJson = False) -> None:
    """The public key of this installation's envelopes, for others to pin.

    Example: bk envelope key
    """
    from bk.engine.console.envelope import key as public

    found = public()
    if as_json:
        _say(json.dumps(found))
        return
    _say(found["key"])
    _say(dim(f"key id {found['key_id']}, Ed25519 {found['ed25519']}"))


def _result(each: Checked) -> None:
    if each.accepted is None:
        assert each.error is not None
        _say(f"{paint('refused ', '1;31')}  line {each.line}: {inert(each.error.detail, 300)}")
        return
    found, claim = each.accepted, each.accepted.envelope
    until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(found.expires_ms / 1000))
    what = f"{claim.package} {claim.version}".strip()
    weight = f"{claim.truth.value}, {claim.tier.value}, {claim.sources} sources"
    _say(f"{paint('accepted', '32')}  {inert(what, 120)}: {weight}")
    _say(dim(f"          by {inert(found.issuer, 100)}, {claim.scope.value}, until {until} UTC: {claim.action.value}"))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
