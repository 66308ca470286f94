"""Threat catalogs in words for a person, at 80 columns. Everything from outside goes through inert()."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bk.cli.paint import LEVELS, STATES, dim, paint, wrapped
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.catalogs.lookup import Hit, Shown
    from bk.engine.console.catalogs.standing import SourceRow, Status

Json = Any
DAY_MS = 86_400_000
WORDS = {
    "good": ("ok", "ok"),
    "degraded": ("held", "warn"),
    "failing": ("failing", "bad"),
    "off": ("off", "unknown"),
    "waiting": ("needs", "warn"),
    "new": ("never", "unknown"),
}
OUTCOMES = {
    "updated": ("updated", "ok"),
    "unchanged": ("no news", "ok"),
    "held": ("held", "warn"),
    "failed": ("failed", "bad"),
}
PROVENANCE = {"signature": "signature", "pinned_origin": "pinned origin", "none": "nobody"}
SEVERITY = {"critical": "1;31", "high": "31", "medium": "33", "low": "2"}
KINDS = {"exact": "versions", "range": "range", "every": "every version"}
MARKS = {"added": ("+", "31"), "removed": ("-", "32"), "changed": ("~", "33")}
MAX_PROBLEM = 400
VERSIONS = 12


def status_lines(
    now: Status, steps: Mapping[str, str], totals: Mapping[str, int], kept: Sequence[int]
) -> Iterator[str]:
    """The whole picture: what is in force, how fresh it is, and every source with what is wrong with it."""
    if now.generation:
        much = f"{sum(totals.values()):,} packages: " + ", ".join(f"{name} {n:,}" for name, n in _most(totals))
        yield f"generation  {now.generation}, built {ago(now.now_ms - now.built_ms)}"
        if totals:
            yield from wrapped(much, " " * 12, " " * 12)
        others = ", ".join(str(number) for number in kept if number != now.generation)
        if others:
            yield dim(f"{'':<12}also kept: {others}; bk catalogs rollback N --admin goes back")
    else:
        yield f"generation  {paint('none can be told', STATES['bad'])}: bk catalogs verify"
    news = ago(now.now_ms - now.synced_ms) if now.synced_ms else "never"
    if now.stale:
        yield f"news        {paint('STALE', STATES['bad'])}: the last was {news}; bk catalogs sync asks now"
    else:
        yield f"news        {paint('fresh', STATES['ok'])}: the last was {news}"
    yield ""
    yield dim(f"{'SOURCE':<15}{'STATE':<9}{'ENTRIES':>9}  {'LAST NEWS':<12}{'NEXT':<12}VOUCHED FOR BY")
    for row in now.sources:
        yield _source(row, now.now_ms)
        yield from _troubles(row, steps.get(row.name, ""))


def _source(row: SourceRow, now_ms: int) -> str:
    word, colour = WORDS[row.state]
    last = ago(now_ms - row.last_success_ms) if row.last_success_ms else "never"
    coming = "" if not row.enabled or not row.next_ms else until(row.next_ms - now_ms)
    vouched = PROVENANCE.get(row.provenance, "")
    entries = f"{row.entries:,}" if row.entries or row.last_success_ms else ""
    line = f"{entries:>9}  {last:<12}{coming:<12}{vouched}"
    return f"{inert(row.name, 14):<15}{paint(f'{word:<9}', STATES[colour])}{line}".rstrip()


def _troubles(row: SourceRow, step: str) -> Iterator[str]:
    """What is wrong with a source, why, and what to do, below its line."""
    if row.state == "off":
        return
    if row.held is not None:
        much = f"+{row.held.added:,} −{row.held.removed:,}"
        yield from _indented(f"held: {inert(row.held.reason, MAX_PROBLEM)} ({much}); what it had stays in force")
    elif row.needs:
        yield from _indented(f"needs: {inert(row.needs, 80)}")
    if row.problem:
        yield from _indented(f"problem: {inert(row.problem, MAX_PROBLEM)}")
    if step:
        yield from map(dim, _indented(f"next: {inert(step, 300)}"))


def _indented(text: str) -> list[str]:
    return wrapped(text, " " * 15, " " * 17)


def source_lines(rows: Sequence[SourceRow], steps: Mapping[str, str]) -> Iterator[str]:
    """Who the sources are: title, group, licence, what each needs."""
    for row in rows:
        word, colour = WORDS[row.state]
        yield f"{inert(row.name, 14):<15}{paint(f'{word:<9}', STATES[colour])}{inert(row.title, 80)}"
        told = [f"group {inert(row.group, 40)}"] if row.group else []
        told += [f"licence {inert(row.licence, 60)}"] if row.licence else []
        told += [f"needs {inert(row.needs, 60)}"] if row.needs else []
        yield from map(dim, wrapped("; ".join(told), " " * 24, " " * 24) if told else [])
        if row.state == "waiting" and steps.get(row.name):
            yield from map(dim, wrapped(f"next: {inert(steps[row.name], 300)}", " " * 24, " " * 26))


def hit_line(hit: Hit) -> str:
    """One name that a search found."""
    severity = paint(f"{inert(hit.severity, 8):<9}", SEVERITY.get(hit.severity, ""))
    which = ", ".join(KINDS.get(kind, inert(kind, 20)) for kind in hit.kinds)
    which = which.replace("versions", f"{hit.versions} version{'s' * (hit.versions != 1)}") if hit.versions else which
    name = inert(f"{hit.ecosystem}:{hit.name}", 60)
    return f"{severity}{name:<40} {which}{dim(', by ' + inert(', '.join(hit.groups), 60))}"


def shown_lines(shown: Shown) -> Iterator[str]:
    """One package: the verdict on an install now and why, then every record."""
    target = inert(shown.install.target, 100)
    word = shown.verdict.level.word
    yield f"{target}: an install now would get {paint(word.upper(), LEVELS[word])}"
    for finding in shown.verdict.findings:
        if finding.level:
            yield ""
            yield f"  {paint(f'{finding.level.word:<11}', LEVELS[finding.level.word])}{inert(finding.rule, 60)}"
            yield from wrapped(inert(finding.reason, 800), " " * 13, " " * 13)
            if finding.instead:
                yield from map(dim, wrapped(f"instead: {inert(finding.instead, 300)}", " " * 13, " " * 15))
    yield ""
    count = len(shown.records)
    if not count:
        yield "no record speaks of this name" + dim(f"  ({inert(shown.generation, 60)})")
        return
    yield f"{count} record{'s' * (count != 1)}" + dim(f"  ({inert(shown.generation, 60)})")
    for record in shown.records:
        yield ""
        kind = paint(f"{record.severity:<11}", SEVERITY.get(record.severity, ""))
        which = _some(record.versions) if record.versions else "every version"
        yield from _first(f"  {kind}", wrapped(which, " " * 13, " " * 13))
        vouched = PROVENANCE.get(record.provenance.word, record.provenance.word)
        told = [f"by {', '.join(record.sources) or 'unnamed'}", f"voice {', '.join(record.groups)}", vouched]
        told += [record.ident.replace(" ", ", ")] if record.ident else []
        told += [record.date] if record.date else []
        yield from map(dim, wrapped(inert("; ".join(told), 500), " " * 13, " " * 13))


def change_line(kind: str, ecosystem: str, name: str, detail: str) -> str:
    """One entry that differs between two generations."""
    mark, colour = MARKS.get(kind, ("?", ""))
    return f"{paint(mark, colour)} {inert(f'{ecosystem}:{name}', 60):<44} {dim(inert(detail, 80))}".rstrip()


def outcome_lines(verb: str, result: Mapping[str, Json]) -> Iterator[str]:
    """What came of a run, in a few lines."""
    number = result.get("generation") or 0
    for name, each in (result.get("sources") or {}).items():
        yield from _fared(name, each)
    if verb == "verify":
        for problem in result.get("problems") or ():
            yield from wrapped(f"{paint('damaged', STATES['bad'])}  {inert(str(problem), MAX_PROBLEM)}", "", " " * 9)
        yield dim("next: bk catalogs rebuild") if result.get("problems") else f"generation {number} is whole"
    elif verb == "export":
        yield f"{result.get('records', 0):,} facts written to {inert(str(result.get('file')), 200)}"
        if result.get("note"):
            yield f"signed: {inert(str(result['note']), 200)}"
    elif verb == "rollback":
        yield f"generation {number} is in force again, instead of {result.get('was')}"
        for name in result.get("held") or ():
            yield dim(f"held: what {inert(name, 60)} brought since; bk catalogs accept {inert(name, 60)} --admin")
    elif result.get("activated"):
        much = f", {result['records']:,} records" if result.get("records") else ""
        yield f"generation {number} is in force{much}"
    else:
        yield f"generation {number} stays in force"
    yield from _installed(result.get("responder") or {})
    for name in result.get("lost") or ():
        yield f"{paint('lost', STATES['bad'])}  what {inert(name, 60)} had; it is asked again: bk catalogs sync"
    for why in result.get("left_out") or ():
        yield from wrapped(f"left out: {inert(str(why), MAX_PROBLEM)}", "", "  ")


def _installed(told: Mapping[str, Json]) -> Iterator[str]:
    """What the responder did about what is installed, when there was anything."""
    if told.get("problem"):
        yield from wrapped(
            f"what is installed could not be checked: {inert(str(told['problem']), MAX_PROBLEM)}", "", "  "
        )
    words = (("moved", "taken out of use"), ("would", "would be, but for the dry run"), ("failed", "could not be"))
    said = [f"{told[name]} {word}" for name, word in words if told.get(name)]
    if told.get("hits"):
        many = f"{told['hits']} installed packages are known to be bad"
        yield f"{paint(many, STATES['bad'])}{': ' if said else ''}{', '.join(said)}; next: bk incidents list"


def _fared(name: str, each: Mapping[str, Json]) -> Iterator[str]:
    """How one source fared in a run."""
    word, colour = OUTCOMES.get(str(each.get("outcome")), (str(each.get("outcome")), "unknown"))
    changes = [f"+{each['added']:,}"] * bool(each.get("added")) + [f"−{each['removed']:,}"] * bool(each.get("removed"))
    detail = " ".join([*changes, inert(str(each.get("detail") or ""), MAX_PROBLEM)]).strip()
    head = f"{inert(name, 40):<14} {paint(f'{inert(word, 10):<8}', STATES[colour])} "
    yield from _first(head, wrapped(detail, " " * 24, " " * 24))
    if each.get("outcome") == "held":
        yield dim(f"{'':<24}next: bk catalogs status; then bk catalogs accept {inert(name, 40)} --admin")


def ago(ms: float) -> str:
    """A span of the past in one or two words."""
    return f"{_span(ms)} ago" if ms >= 60_000 else "just now"


def until(ms: float) -> str:
    """A span of the future in one or two words."""
    return f"in {_span(ms)}" if ms >= 60_000 else "due"


def _span(ms: float) -> str:
    for size, unit in ((DAY_MS, "d"), (3_600_000, "h"), (60_000, "min")):
        if ms >= size:
            return f"{int(ms // size)} {unit}"
    return "0 min"


def _first(head: str, lines: list[str]) -> list[str]:
    """The first line with a coloured head in place of its indentation."""
    return [head + lines[0].lstrip(), *lines[1:]] if lines else [head]


def _some(versions: Sequence[str]) -> str:
    more = f" and {len(versions) - VERSIONS:,} more" if len(versions) > VERSIONS else ""
    return inert(", ".join(versions[:VERSIONS]), 400) + more


def _most(totals: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((inert(name, 20), count) for name, count in totals.items()), key=lambda pair: -pair[1])
