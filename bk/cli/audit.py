"""`bk audit`: what happened, searched, explained, proved, exported; for people by default, as JSON with `--json`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bk.cli.audit_words import explained, header, recovery, row, verification
from bk.engine.console import audit
from bk.engine.console.installation import here
from bk.engine.errors import OK, TAMPERED, USAGE, BkError
from bk.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.model import Entry

Json = Any
HELP = """Read, search, verify and export the record of every decision.

Filters are words that must all hold: level:block level>=ask agent:claude tool:Bash kind:config rule:pkg session:ID
npm:left-pad path:~/.ssh host:example.com target:TEXT since:1h until:2025-01-31 seq:100..200. A minus in front means
"not", quotes keep words together, @name is a saved filter, and any other word is searched for in the text.
"""
WORDS = {"ignore_unknown_options": True}  # so that -level:allow is a filter and no option
app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False)
saved = typer.Typer(help="Filters by name: @NAME stands for one wherever a filter is written.", no_args_is_help=True)
app.add_typer(saved, name="filters")

Filter = Annotated[list[str] | None, typer.Argument(metavar="[FILTER]...", help="e.g. level:block since:1h -tool:Read")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Admin = Annotated[bool, typer.Option("--admin", help="Say that you, a person, want this.")]


@app.command(context_settings=WORDS)
def tail(
    words: Filter = None,
    *,
    last: Annotated[int, typer.Option("--last", min=0, help="How many entries to begin with.")] = 20,
    follow: Annotated[
        bool | None,
        typer.Option("--follow/--no-follow", help="Go on as entries are recorded (default: on a terminal)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries and, on a terminal or with --follow, each new one as it comes."""
    shown = audit.tail(here(), _filter(words), last=last, follow=sys.stdout.isatty() if follow is None else follow)
    _write(shown, as_json)


@app.command(context_settings=WORDS)
def query(
    words: Filter = None,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")] = 50,
    before: Annotated[int, typer.Option("--before", min=0, help="Only below this number: the next page.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Search the ledger, newest first.

    Example: bk audit query level:block agent:claude since:1d
    """
    page = audit.query(here(), _filter(words), limit=limit, before=before)
    _write(page.entries, as_json)
    if page.more and not as_json:
        sys.stderr.write(f"more below: --before {page.entries[-1].seq}\n")
    audit.keep_index_in_passing(here())


@app.command()
def show(seq: Annotated[str, typer.Argument(help="The entry's number.")], *, as_json: AsJson = False) -> None:
    """Explain one entry in full: what was asked, what was found, what was answered, and how it is proved."""
    shown = audit.show(here(), _number(seq))
    if as_json:
        said: dict[str, Json] = {
            **audit.record(shown.entry),
            "intact": shown.intact,
            "proof": None if shown.proof is None else shown.proof.as_json(),
            "problem": shown.problem,
        }
        _json(said)
    else:
        _lines(explained(shown))
    raise typer.Exit(OK if shown.intact and (shown.proof is None or shown.proof.holds) else TAMPERED)


@app.command()
def verify(
    *,
    file: Annotated[str, typer.Option("--file", help="Verify this file alone, offline.")] = "",
    public_key: Annotated[str, typer.Option("--public-key", help="The key or its file (keys/ledger.pub).")] = "",
    seal_key: Annotated[
        str, typer.Option("--seal-key", help="What `bk audit seal` printed: its file, or - for input.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check that no entry was changed, removed, added or put back. Exit code 4 when one was.

    Offline, on any machine: bk audit verify --file audit.db --public-key ledger.pub
    """
    report = audit.verify(here(), file=file, public_key=public_key, seal_key=seal_key)
    if as_json:
        _json(report.as_json())
    else:
        _lines(verification(report))
    raise typer.Exit(OK if report.ok else TAMPERED)


@app.command()
def prove(
    seq: Annotated[str, typer.Argument(help="The entry's number.", metavar="[SEQ]")] = "",
    *,
    old: Annotated[str, typer.Option("--old", help="File of an older checkpoint, to prove growth instead.")] = "",
    new: Annotated[str, typer.Option("--new", help="File of the newer checkpoint.")] = "",
) -> None:
    """Print a proof (JSON) that anyone can check without the ledger: of one entry, or that nothing but growth happened.

    Exit code 4 when it does not hold, 1 when no checkpoint covers the entry yet.
    """
    from bk.engine.console.proof import growth, inclusion

    if bool(seq) == bool(old or new) or bool(old) != bool(new):
        raise BkError("a proof of what?", "give an entry's number, or --old and --new", "bk audit prove 12", code=USAGE)
    proof = inclusion(here(), _number(seq)) if seq else growth(here(), _text_of(old), _text_of(new))
    _json(proof.as_json())
    raise typer.Exit(OK if proof.holds else TAMPERED)


@app.command()
def checkpoint(*, admin: Admin = False, as_json: AsJson = False) -> None:
    """Sign everything recorded so far now, and print the checkpoint: keep it elsewhere to hold the ledger to it."""
    made = audit.checkpoint(here(), admin=admin)
    note = made.note if made is not None else ""
    if as_json:
        _json({"signed": made is not None, "seq": made.seq if made is not None else 0, "note": note})
    else:
        sys.stdout.write(note or "nothing new to sign\n")


@app.command(context_settings=WORDS)
def export(
    words: Filter = None,
    *,
    form: Annotated[str, typer.Option("--format", help="ndjson, csv, sarif or ocsf.")] = "ndjson",
    output: Annotated[str, typer.Option("--output", help="The file to write (default: standard output).")] = "",
) -> None:
    """Write entries for other tools, oldest first: NDJSON, CSV, SARIF 2.1.0 or OCSF 1.4.

    Example: bk audit export level:block since:7d --format sarif --output blocked.sarif
    """
    state, text = here(), _filter(words)
    if not output:
        audit.export(state, text, form, sys.stdout.write)
        return
    try:
        with open(output, "w", encoding="utf-8", newline="") as file:
            count = audit.export(state, text, form, file.write)
    except OSError as error:
        raise BkError(
            "the export cannot be written", f"{output}: {error.strerror}", "choose another --output"
        ) from error
    sys.stderr.write(f"{count:,} entries written to {output}\n")


@saved.command("list")
def filters_list(*, as_json: AsJson = False) -> None:
    """Show every saved filter and whether it can still be used."""
    from bk.engine.console.filters import shelf

    held = shelf(here())
    if as_json:
        _json({"filters": [row._asdict() for row in held.rows], "problem": held.problem})
        return
    cells = max((len(each.name) for each in held.rows), default=0)
    for each in held.rows:
        wrong = f"  ({inert(each.problem, 120)})" if each.problem else ""
        sys.stdout.write(f"@{each.name:<{cells}}  {inert(each.text, 200)}{wrong}\n")
    if held.problem:
        sys.stderr.write(f"{inert(held.problem, 300)}\n")
    elif not held.rows:
        sys.stderr.write("no filter is saved: bk audit filters save NAME FILTER\n")


@saved.command("save", context_settings=WORDS)
def filters_save(name: Annotated[str, typer.Argument(help="Letters a-z, digits and -.")], words: Filter = None) -> None:
    """Give a filter a name.

    Example: bk audit filters save stopped level:block since:1d
    """
    from bk.engine.console.filters import save
    from bk.engine.console.installation import ready

    made = save(ready(), name.removeprefix("@"), " ".join(words or ()))
    sys.stdout.write(f"@{made.name} is {inert(made.text, 200)}\n")


@saved.command("remove")
def filters_remove(name: Annotated[str, typer.Argument(help="The filter's name.")]) -> None:
    """Forget a saved filter."""
    from bk.engine.console.filters import remove

    remove(here(), name.removeprefix("@"))
    sys.stdout.write("forgotten\n")


@app.command()
def seal(*, admin: Admin = False, as_json: AsJson = False) -> None:
    """Begin a fresh seal and print its verification key, once: keep it away from this machine.

    Whoever breaks in later cannot redo what was sealed before; with the key, `bk audit verify --seal-key` shows it.
    """
    key = audit.seal(here(), admin=admin)
    if as_json:
        _json({"seal_key": key})
        return
    sys.stdout.write(f"{key}\n")
    sys.stderr.write(
        "this is the only time the key is shown: keep it off this machine\n"
        "check with it: bk audit verify --seal-key -\n"
    )


@app.command()
def recover(*, admin: Admin = False, as_json: AsJson = False) -> None:
    """Set a damaged ledger aside, keep what can be read, and begin a new segment that says so."""
    done = audit.recover(here(), admin=admin)
    if as_json:
        told = (
            {} if done is None else {"seq": done.seq, "cause": done.cause, "lost": done.lost, "set_aside": done.aside}
        )
        _json({"recovered": done is not None, **told})
    elif done is None:
        sys.stdout.write("nothing to recover: the ledger can be used (`bk audit verify` says whether it is whole)\n")
    else:
        _lines(recovery(done))


def _filter(words: list[str] | None) -> str:
    from bk.engine.console.filters import expanded

    return expanded(here(), " ".join(words or ()))


def _number(text: str) -> int:
    digits = text.lstrip("#").replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**62):
        raise BkError(f"{text!r} is not an entry number", "numbers begin at 1", "bk audit tail shows them", code=USAGE)
    return int(digits)


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(65536)
    except (OSError, UnicodeDecodeError) as error:
        raise BkError(
            "the checkpoint cannot be read", f"{path}: {error}", "save what `bk audit checkpoint` prints"
        ) from error


def _write(entries: Iterable[Entry], as_json: bool) -> None:
    """One line an entry, flushed, so that a follower sees each at once."""
    first = True
    for entry in entries:
        if as_json:
            _json(audit.record(entry))
        else:
            if first and sys.stdout.isatty():
                sys.stdout.write(header() + "\n")
            sys.stdout.write(row(entry, audit.now()) + "\n")
        sys.stdout.flush()
        first = False
    if first and not as_json:
        sys.stderr.write("no entries" + (" match\n" if audit.begun(here()) else ": nothing has been recorded yet\n"))


def _lines(lines: Iterable[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def _json(value: Json) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
