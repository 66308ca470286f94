"""Known-bad packages: how many independent sources say so, of which versions, and how surely this install means them.

Independent groups are counted, never sources: two mirrors of one list are one voice. A wildcard needs more voices than
a named version, because one mistaken or hostile wildcard would otherwise stop everybody's work.
"""

from __future__ import annotations

from bk.engine.model import Finding, Install, Level
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.facts import Facts, Match
    from bk.engine.model import Action, Json

KNOWN = "package/known-malicious"
EVERY = "package/every-version"
COULD_BE = "package/could-be-malicious"
UNVERIFIED = "package/unverified-report"
ELSEWHERE = "package/same-name-elsewhere"
UNKNOWN = "package/unknown-name"
UNREAD = "package/unread-manifest"
SHOWN = 6


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """What is known of every package that a call would install."""
    seen = set()
    for action in (*actions, *facts.listed.installs):
        if isinstance(action, Install) and action.source not in ("manifest", "index"):
            asked = (action.target, action.source, action.certain, action.manager)
            if asked not in seen:
                seen.add(asked)
                yield from _install(action, facts)
    for manager, path, why in facts.listed.unread:
        reason = f"{_text(manager)} installs what {_text(path)} lists, and that could not be checked: {_text(why)}"
        evidence = {"path": path, "why": why}
        instead = "look at the file, or name the packages in the command"
        yield Finding(UNREAD, Level.WARN, reason, evidence=evidence, instead=instead)


def _install(action: Install, facts: Facts) -> Iterator[Finding]:
    found = facts.matches.get(action.target, ())
    if found:
        yield from _known(action, found, facts)
    if not action.certain:
        yield Finding(
            UNKNOWN,
            Level.of(facts.policy["parser.opaque"]),
            f"{action.manager or action.ecosystem} would install something that is only known when it runs"
            f" ({_text(action.name)})",
            action=action,
            instead="name the package in the command",
        )


def _known(action: Install, found: Sequence[Match], facts: Facts) -> Iterator[Finding]:
    same = [match for match in found if match.ecosystem == action.ecosystem]
    if not same:
        yield _told(ELSEWHERE, Level.WARN, action, found, f"has the name of a package listed in {found[0].ecosystem}")
        return
    sure = [match for match in same if match.kind in ("exact", "range")]
    every = [match for match in same if match.kind == "every"]
    could = [match for match in same if match.kind == "maybe"]
    limits = facts.policy
    if sure:
        level = _ladder(len(_groups(sure + every)), limits)
        if _critical(sure):
            level = max(level, _critical_ladder(len(_groups(sure)), limits))
        yield from _at(KNOWN, level, action, sure + every, "is listed as malicious")
    elif could:
        level = min(Level.ASK, _ladder(len(_groups(could + every)), limits))
        if _critical(could):
            level = max(level, min(Level.BLOCK, _critical_ladder(len(_groups(could)), limits)))
        yield from _at(COULD_BE, level, action, could, "could resolve to a version that is listed as malicious")
    if every and not sure:
        count = len(_groups(every))
        level = _ladder(count, limits)
        if level == Level.WARN:
            level = Level.ASK
        yield from _at(EVERY, level, action, every, "is listed as malicious in every version")
    if not _groups(same):
        yield _told(
            UNVERIFIED, Level.WARN, action, same, "is reported as malicious by a source that nobody vouches for"
        )


def _at(rule: str, level: Level, action: Install, found: Sequence[Match], what: str) -> Iterator[Finding]:
    if action.where.startswith("ssh:"):
        level = min(level, Level.ASK)  # another machine's own guard and index decide there; here a person may
    if level > Level.ALLOW:
        yield _told(rule, level, action, found, what)


def _groups(found: Iterable[Match]) -> set[str]:
    """The independent voices that have a name: an unauthenticated source is never one of them."""
    return {group for match in found if match.provenance.real for group in match.groups}


def _critical(found: Iterable[Match]) -> bool:
    return any(match.severity == "critical" and match.provenance.real for match in found)


def _ladder(count: int, limits: Json) -> Level:
    if count >= limits["corroboration.quarantine_at"]:
        return Level.QUARANTINE
    if count >= limits["corroboration.block_at"]:
        return Level.BLOCK
    return Level.WARN if count and count >= limits["corroboration.warn_at"] else Level.ALLOW


def _critical_ladder(count: int, limits: Json) -> Level:
    if count >= limits["corroboration.critical_quarantine_at"]:
        return Level.QUARANTINE
    return Level.BLOCK if count and count >= limits["corroboration.critical_block_at"] else Level.ALLOW


def _told(rule: str, level: Level, action: Install, found: Sequence[Match], what: str) -> Finding:
    groups = sorted({group for match in found for group in match.groups})
    ids = sorted({ident for match in found for ident in match.ident.split()})
    versions = list(dict.fromkeys(version for match in found for version in match.versions))
    dates = sorted({match.date for match in found if match.date})
    version = f" {_text(action.version)}" if action.version else ""
    listed = f" ({_some(versions)})" if versions and rule != KNOWN else ""
    dated = f", {dates[0]}" if dates else ""
    known = f" ({_some(ids, 2)}{dated})" if ids else f" ({dates[0]})" if dates else ""
    alias = f" (listed as {_text(found[0].name)})" if found[0].name != action.name else ""
    name = f"{_text(action.name)}{version}{alias}"
    reason = f"{action.ecosystem} package {name} {what}{listed} by {_words(groups)}{known}"
    evidence = {
        "package": action.target,
        "groups": groups,
        "ids": ids,
        "versions": versions[:50],
        "dates": dates,
        "kinds": sorted({match.kind for match in found}),
    }
    return Finding(
        rule, level, reason, action=action, evidence=evidence, instead=_instead(rule, action, found, versions)
    )


def _instead(rule: str, action: Install, found: Sequence[Match], versions: Sequence[str]) -> str:
    """Only what the records themselves say: no version is called clean merely because nobody listed it."""
    name = _text(action.name)
    if rule in (EVERY, UNVERIFIED, ELSEWHERE) or any(match.kind == "every" and not match.versions for match in found):
        return f"do without {name}, or check that this is the package you mean"
    fixed = [end[1:] for text in versions for end in text.split(",") if end[:1] == "<" and end[:2] != "<="]
    if fixed:
        return f"use {name} {_text(fixed[-1])} or later, where the report says that it is fixed"
    return f"pin a version of {name} other than {_some(versions)}, or do without it"


def _some(values: Sequence[str], most: int = SHOWN) -> str:
    shown = ", ".join(_text(value) for value in values[:most])
    return shown + (f" and {len(values) - most} more" if len(values) > most else "")


def _words(values: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(values[:-1]), *values[-1:])))


def _text(text: str) -> str:
    return inert(text, 120)
