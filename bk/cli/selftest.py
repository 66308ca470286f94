"""`bk selftest`: proof that the guard on this machine answers as it should."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bk.cli.paint import dim, paint, wrapped
from bk.engine.errors import FAILED, OK
from bk.text import inert

app = typer.Typer(add_completion=False)


@app.command()
def selftest(
    *,
    cold: Annotated[bool, typer.Option("--cold", help="Without an engine: each call decides by itself.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Send over a hundred calls through the real hook program, in a throw-away home, and compare the answers.

    Nothing that the calls ask for is run. Exit code 0: every answer is right. 1: at least one is not.
    """
    from bk.engine.console.selftest import MEANT, summary
    from bk.engine.console.selftest import selftest as run

    outcomes = run(cold=cold, tell=_progress)
    _progress(0, 0)
    failures = [outcome for outcome in outcomes if not outcome.passed]
    groups = summary(outcomes)
    if as_json:
        told = {
            "passed": len(outcomes) - len(failures),
            "total": len(outcomes),
            "groups": {name: {"passed": passed, "total": total} for name, (passed, total) in groups.items()},
            "failures": [failure._asdict() for failure in failures],
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        for name, (passed, total) in groups.items():
            word = paint("PASS", "32") if passed == total else paint("FAIL", "1;31")
            sys.stdout.write(f"{word}  {name:<20} {passed:>3} of {total}\n")
        for failure in failures:
            sys.stdout.write(f"\n{paint('FAIL', '1;31')}  {inert(failure.name, 120)}\n")
            wanted = MEANT.get(failure.expected, failure.expected)
            sys.stdout.write(f"      expected: {wanted}\n      got:      {inert(failure.got, 100)}\n")
            if failure.reason:
                sys.stdout.write("\n".join(wrapped(dim(inert(failure.reason, 400)), "      ", "      ")) + "\n")
        how = "cold, without an engine" if cold else "warm, through an engine"
        sys.stdout.write(f"\n{len(outcomes) - len(failures)} of {len(outcomes)} passed ({how})\n")
    raise typer.Exit(FAILED if failures else OK)


def _progress(done: int, total: int) -> None:
    """One line on a terminal's standard error that is wiped at the end."""
    if not sys.stderr.isatty():
        return
    sys.stderr.write(f"\r{done} of {total} calls" if total else "\r\x1b[K")
    sys.stderr.flush()
