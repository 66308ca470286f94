"""`bk corpus`: what happened, what it turned out to be, and what a person says about that."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bk.cli.paint import LEVELS, dim, paint
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.corpus import Shown
    from bk.engine.corpus.shapes import Event, Label

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Everything security-relevant that happened, and what it turned out to be.\n\nAn outcome is assigned when "
    "catalogs change, never because a catalog has no entry; a person's label outweighs every automatic one. "
    "docs/corpus.md explains how, and what follows from it.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Admin = Annotated[bool, typer.Option("--admin", help="Needed: only a person at a terminal may decide.")]
Ident = Annotated[str, typer.Argument(metavar="EVENT", help="Its id, or the beginning of it.")]
Note = Annotated[str, typer.Option("--note", help="Why; kept for ever.")]
OUTCOMES = {"malicious": "1;31", "benign": "32", "policy_correct": "32", "unresolved": "2"}
SHORT = 10


@app.command("list")
def show_all(
    *,
    label: Annotated[str, typer.Option("--label", help="malicious, benign, policy_correct or unresolved.")] = "",
    level: Annotated[str, typer.Option("--level", help="allow, warn, ask, block or quarantine.")] = "",
    package: Annotated[str, typer.Option("--package", help="ECOSYSTEM:NAME, with @VERSION or without.")] = "",
    since: Annotated[str, typer.Option("--since", help="Not older than this: 30m, 8h, 7d, 4w.")] = "",
    surface: Annotated[str, typer.Option("--surface", help="Where it came from: hook, scan, import …")] = "",
    session: Annotated[str, typer.Option("--session", help="Only this session's.")] = "",
    after: Annotated[str, typer.Option("--after", help="Go on below here: `next` of the page before.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What happened, the newest first.

    Example: bk corpus list --label malicious --since 7d
    """
    from bk.engine.console.corpus import page

    found = page(label=label, level=level, about=package, since=since, surface=surface, session=session, after=after,
                 limit=limit)  # fmt: skip
    if as_json:
        _say(json.dumps(found.told()))
        return
    for event in found.events:
        _row(event)
    if not found.events:
        _say("nothing of the kind has been kept")
    if found.next:
        _say(dim(f"more: --after {found.next}"))


@app.command()
def show(ident: Ident, *, as_json: AsJson = False) -> None:
    """One event in full: what was done, what was decided and on whose word, what is said now, and every label."""
    from bk.engine.console.corpus import show as look

    _told(look(ident), as_json)


@app.command()
def label(
    ident: Ident,
    *,
    true_label: Annotated[str, typer.Option("--as", help="malicious, benign or policy_correct.")],
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="How you know: forensic_review, breach_confirmation (strong), benign_explained, user_override (weak).",
        ),
    ] = "user_override",
    note: Note = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Say what an event was. Of a confirmed package the next install is stopped; nothing is deleted.

    Example: bk corpus label 3f2a91 --as malicious --source forensic_review --note 'it read ~/.ssh' --admin
    """
    from bk.engine.console.corpus import label as decide

    _told(decide(ident, true_label, source=source, note=note, admin=admin), as_json)


@app.command()
def undo(
    ident: Annotated[str, typer.Argument(metavar="LABEL", help="The label's id, or the beginning of it.")],
    *,
    note: Note = "",
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Take a label back. It stays on record, and what had followed from it is undone."""
    from bk.engine.console.corpus import undo as decide

    _told(decide(ident, note=note, admin=admin), as_json)


@app.command()
def adjudicate(*, admin: Admin = False, as_json: AsJson = False) -> None:
    """Assign outcomes now, with the catalogs in force. It is bounded, and says when there is more to do."""
    from bk.engine.console.corpus import adjudicate as judge

    report = judge(admin=admin)
    if as_json:
        _say(json.dumps(report.told()))
    elif not report.enabled:
        _say("corpus.enabled is false: nothing is kept and nothing is judged")
    else:
        made = ", ".join(f"{count} by {inert(source, 40)}" for source, count in sorted(report.labels.items()))
        _say(f"{report.events} new events, {report.clusters} matters looked at, labels: {made or 'none'}")
        if report.left:
            _say(dim("stopped at its bound: run it again for the rest"))


@app.command()
def export(
    *,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="A new file, one event a line.")],
    as_json: AsJson = False,
) -> None:
    """Copy every event with its outcome and labels into a file.

    Example: bk corpus export -o corpus.ndjson
    """
    from bk.engine.console.corpus import export as write

    count = write(output)
    _say(json.dumps({"file": output, "events": count}) if as_json else f"{inert(output, 300)}: {count:,} events")


@app.command("import")
def take_in(
    path: Annotated[str, typer.Argument(metavar="FILE", help="A beekeeper-corpus.ndjson.")],
    *,
    admin: Admin = False,
    as_json: AsJson = False,
) -> None:
    """Take over the corpus of a Beekeeper installation. What it concluded is quoted; nothing follows from it here.

    What is left out is told with its reason, and the first lines that it applies to.

    Example: bk corpus import ~/.beekeeper/corpus/beekeeper-corpus.ndjson --admin
    """
    from bk.engine.console.corpus import take_in as bring

    report = bring(path, admin=admin)
    told = report.told()
    if as_json:
        _say(json.dumps(told))
    else:
        _say(f"{report.lines:,} lines: {report.events:,} new events, {report.again:,} known, {report.labels:,} labels")
        for what, left in (("lines", told["dropped"]), ("labels", told["labels_dropped"])):
            for why, each in left.items():
                lines = ", ".join(map(str, each["lines"][:6])) + (" …" if each["count"] > 6 else "")
                meaning = inert(str(each.get("meaning") or why), 120)
                _say(f"  {each['count']:>6} {what} left out  {meaning}  {dim(f'line {lines}')}")
        if report.rest:
            _say(dim("the rest of the file was not read: it is too long"))


@app.command()
def stats(*, as_json: AsJson = False) -> None:
    """How much there is, and what it turned out to be."""
    from bk.engine.console.corpus import stats as count

    told = count()
    if as_json:
        _say(json.dumps(told))
        return
    for name, value in told.items():
        shown = (
            ", ".join(f"{inert(str(each), 40)} {n:,}" for each, n in value.items())
            if isinstance(value, dict)
            else value
        )
        _say(f"{name.replace('_', ' '):<12} {shown if isinstance(shown, str) else f'{shown:,}'}")


def _told(shown: Shown, as_json: bool) -> None:
    if as_json:
        _say(json.dumps(shown.told()))
        return
    event = shown.event
    _row(event)
    _say(f"  {'id':<10} {event.id}" + (f"  of {event.cluster}" if event.cluster != event.id else ""))
    _layer("behaviour", event.behaviour, ("harness", "tool", "session", "command", "event", "path", "state"))
    for action in event.behaviour.get("actions", ())[:12]:
        _say(dim(f"  {'':<10} {inert(str(action.get('do')), 12)} {inert(str(action.get('target')), 160)}"))
    _layer("decision", event.decision, ("reason",))
    for finding in event.decision.get("findings", ())[:12]:
        rule, level = inert(str(finding.get("rule")), 60), str(finding.get("level"))
        _say(f"  {'':<10} {paint(f'{level:<6}', LEVELS.get(level, ''))} {rule}")
    _voices(shown)
    if shown.note:
        _say(f"  {'note':<10} {inert(shown.note, 200)}")
    for each in shown.labels:
        _label(each, taken_back=each.id in shown.taken_back)
    for row in shown.overlay:
        said = f"{row.state}, {row.tier}, until {_when(row.expires_ms)}"
        _say(f"  {'overlay':<10} {row.id}  {said}  {inert(row.reason, 160)}")
    for one in shown.incidents:
        _say(f"  {'incident':<10} {one.id[:8]}  {one.state}  {inert(one.path.encode(errors='replace').decode(), 300)}")


def _voices(shown: Shown) -> None:
    """Who spoke for and against each package when it was decided, beside who does now."""
    then: dict[str, dict[str, Any]] = {each["purl"]: each for each in shown.event.decision.get("packages", ())}
    for purl, now in shown.found.items():
        was = then.get(purl, {})
        _say(f"  {'package':<10} {inert(purl, 200)}")
        for word, before, after in (
            ("listed by", was.get("agreed", ()), sorted(now.groups)),
            ("not by", was.get("dissented", ()), sorted(now.silent)),
        ):
            _say(f"  {'':<10} {word:<9}  {'then: ' + _names(before):<40}  now: {_names(after)}")


def _label(each: Label, *, taken_back: bool) -> None:
    word = paint(each.true_label, OUTCOMES.get(each.true_label, ""))
    who = "a person" if each.human else inert(each.actor, 40)
    said = f"{word} by {inert(each.source, 40)} ({each.confidence}, {who}, {_when(each.at_ms)})"
    note = inert(str(each.evidence.get("note", "")), 200)
    groups = ", ".join(inert(str(group), 40) for group in each.evidence.get("groups", ()))
    _say(f"  {'label':<10} {each.id[:SHORT]}  {said}" + ("  taken back" if taken_back else ""))
    if note or groups:
        _say(dim(f"  {'':<10} {'; '.join(filter(None, (groups, note)))}"))


def _layer(name: str, layer: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if layer.get(key):
            _say(f"  {name:<10} {key}: {inert(str(layer[key]), 300)}")
            name = ""


def _row(event: Event) -> None:
    outcome = str(event.outcome.get("true_label", "unresolved"))
    told = event.behaviour.get("command") or event.behaviour.get("path") or event.behaviour.get("tool") or ""
    what = ", ".join(event.purls[:3]) or str(told)
    if event.purls and len(event.purls) > 3:
        what += f" and {len(event.purls) - 3} more"
    level = paint(f"{event.level:<10}", LEVELS.get(event.level, ""))
    label = paint(f"{outcome:<14}", OUTCOMES.get(outcome, ""))
    _say(
        f"{event.id[:SHORT]}  {_when(event.at_ms)}  {level}  {label}  {inert(event.surface, 8):<7}  {inert(what, 160)}"
    )


def _names(groups: Any) -> str:
    return ", ".join(inert(str(group), 40) for group in groups) or "nobody"


def _when(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000)) if at_ms else "-"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
