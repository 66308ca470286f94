"""`bk engine`: the resident engine, which answers hooks in a millisecond instead of a tenth of a second."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bk.cli.paint import STATES, dim, paint
from bk.engine.errors import DEGRADED, FAILED, OK
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.engine import Service

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Start, stop and install the resident engine.")
Admin = Annotated[bool, typer.Option("--admin", help="Say that you, a person at a terminal, want this.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")]


@app.command()
def start() -> None:
    """Start the engine, if none runs, and wait until it answers.

    The first hook call starts one by itself; this is for doing it ahead of time.
    """
    from bk.engine.console import engine

    there, before = engine.start()
    _say(f"the engine {'was already running' if before else 'runs'}: pid {there.pid}, version {inert(there.version)}")


@app.command()
def stop(*, admin: Admin = False) -> None:
    """Let the engine finish what it is deciding, then end it. The next hook call starts a new one.

    Example: bk engine stop --admin
    """
    from bk.engine.console import engine

    there = engine.stop(admin=admin)
    if there is None:
        _say("no engine was running")
    else:
        _say(f"stopped: pid {there.pid}; calls are decided cold until the next engine is up")


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say whether the engine runs, and how it is.

    Exit code 0: it runs and all is well. 1: none runs. 3: something is wrong.
    """
    from bk.engine.console import engine

    now = engine.status()
    code = DEGRADED if now.problems else OK if now.running else FAILED
    if as_json:
        sys.stdout.write(json.dumps(now.told()) + "\n")
        raise typer.Exit(code)
    said = now.told()
    if not now.running:
        _say(f"{paint('not running', STATES['warn'])}  {dim('the next hook call starts it, or: bk engine start')}")
    else:
        word = paint("degraded", STATES["bad"]) if now.problems else paint("running", STATES["ok"])
        _say(f"{word}  pid {now.pid}, version {inert(now.version)}, up {_duration(now.uptime_s)}")
        requests = said.get("requests") or {}
        counts = ", ".join(f"{count:,} {inert(name)}" for name, count in requests.items() if count)
        _say(f"  requests  {counts or 'none yet'}")
        ledger = said.get("ledger") or {}
        _say(f"  ledger    #{ledger.get('seq', 0):,} {dim(inert(str(ledger.get('chain', ''))[:16]))}")
        _say(f"  policy    {inert(str(said.get('policy', ''))[:12])}")
        _say(f"  index     {inert(str(said.get('generation', ''))) or 'none'}")
        _say(f"  watch     {inert(engine.watching(said))}")
    _say(f"  socket    {inert(now.socket)}{dim('  (held by systemd)') if said.get('activated') else ''}")
    for problem in now.problems:
        _say(f"  {paint('problem', STATES['bad'])}   {inert(problem)}")
    raise typer.Exit(code)


@app.command()
def run() -> None:
    """Be the engine, here, until Ctrl-C or SIGTERM. For service managers and for watching it."""
    from bk.engine.console import engine

    engine.foreground()


@app.command()
def install(
    *, now: Annotated[bool, typer.Option("--now", help="Also hand it to systemd and start listening.")] = False
) -> None:
    """Make the engine a systemd user service that the first client starts.

    Example: bk engine install --now
    """
    from bk.engine.console import engine

    _told(engine.install(now=now), "written")


@app.command()
def uninstall(*, admin: Admin = False) -> None:
    """Take the systemd user service away. Hooks go on working: they start an engine themselves."""
    from bk.engine.console import engine

    done = engine.uninstall(admin=admin)
    if not done.paths:
        _say("no user service is installed")
    _told(done, "removed")


def _told(done: Service, word: str) -> None:
    for path in done.paths:
        _say(f"{word}: {inert(path)}")
    for words in done.ran:
        _say(f"done: {inert(words)}")
    if done.problem:
        _say(f"systemd could not be told ({inert(done.problem, 200)})")
    if done.to_run:
        _say("now run:")
    for words in done.to_run:
        _say(f"  {inert(words)}")


def _duration(seconds: float) -> str:
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
