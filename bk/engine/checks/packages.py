"""Known-bad packages: how many independent sources say so, of which versions, and how surely this install means them.

Independent groups are counted, never sources: two mirrors of one list are one voice. A wildcard needs more voices than
a named version, because one mistaken or hostile wildcard would otherwise stop everybody's work; a range that reaches
over nearly everything is such a wildcard. What this machine confirmed for itself has its own weight and is no voice.
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
CONFIRMED = "package/confirmed-here"
STALE = "package/stale-catalog"
UNKNOWN = "package/unknown-name"
UNREAD = "package/unread-manifest"
ENFORCE = "enforce"
STALE_LEVELS = {"off": Level.ALLOW, "warn": Level.WARN, "ask": Level.ASK, "block": Level.BLOCK}


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """What is known of every package that a call would install."""
    seen = set()
    first: Install | None = None
    for action in (*actions, *facts.listed.installs):
        if not isinstance(action, Install):
            continue
        first = first or action
        if action.source not in ("manifest", "index"):
            asked = (action.target, action.source, action.certain, action.manager)
            if asked not in seen:
                seen.add(asked)
                yield from _install(action, facts)
    for manager, path, why in facts.listed.unread:
        installs = f"{inert(manager, 40)} installs what {inert(path, 120)} lists"
        reason = f"{installs}, and that could not be checked: {inert(why, 120)}"
        evidence = {"path": path, "why": why}
        instead = "look at the file, or name the packages in the command"
        yield Finding(UNREAD, Level.WARN, reason, evidence=evidence, instead=instead)
    days = facts.catalog.get("stale_days")
    if first is not None and days is not None:
        level = STALE_LEVELS.get(str(facts.policy.get("catalog_sync.stale_action", "warn")), Level.WARN)
        if level > Level.ALLOW:
            from bk.engine.checks.package_words import stale

            yield stale(level, int(days), first)


def _install(action: Install, facts: Facts) -> Iterator[Finding]:
    found = facts.matches.get(action.target, ())
    if found:
        yield from _known(action, found, facts)
    if not action.certain:
        yield Finding(
            UNKNOWN,
            Level.of(facts.policy["parser.opaque"]),
            f"{action.manager or action.ecosystem} would install something that is only known when it runs"
            f" ({inert(action.name, 120)})",
            action=action,
            instead="name the package in the command",
        )


def _known(action: Install, found: Sequence[Match], facts: Facts) -> Iterator[Finding]:
    from bk.engine.checks.package_words import told

    same = [match for match in found if match.ecosystem == action.ecosystem]
    if not same:
        what = f"has the name of a package listed in {found[0].ecosystem}"
        yield told(ELSEWHERE, Level.WARN, action, found, what=what, facts=facts)
        return
    own = [match for match in same if match.tier]
    if own:
        yield from _confirmed(action, own, facts)
        same = [match for match in same if not match.tier]
    every = [match for match in same if match.kind == "every" or _reaches_everywhere(match)]
    sure = [match for match in same if match.kind in ("exact", "range") and match not in every]
    could = [match for match in same if match.kind == "maybe" and match not in every]
    limits = facts.policy
    if sure:
        level = _ladder(len(_groups(sure + every)), limits)
        if _critical(sure):
            level = max(level, _critical_ladder(len(_groups(sure)), limits))
        yield from _at(KNOWN, level, action, sure + every, what="is listed as malicious", facts=facts)
    elif could:
        level = min(Level.ASK, _ladder(len(_groups(could + every)), limits))
        if _critical(could):
            level = max(level, min(Level.BLOCK, _critical_ladder(len(_groups(could)), limits)))
        what = "could resolve to a version that is listed as malicious"
        yield from _at(COULD_BE, level, action, could, what=what, facts=facts)
    if every and not sure:
        level = _ladder(len(_groups(every)), limits)
        if level == Level.WARN:
            level = Level.ASK
        which = "every version" if any(match.kind == "every" for match in every) else "nearly every version"
        yield from _at(EVERY, level, action, every, what=f"is listed as malicious in {which}", facts=facts)
    if same and not _groups(same):
        what = "is reported as malicious by a source that nobody vouches for"
        yield told(UNVERIFIED, Level.WARN, action, same, what=what, facts=facts)


def _confirmed(action: Install, own: Sequence[Match], facts: Facts) -> Iterator[Finding]:
    """What this machine's overlay says: it blocks on a person's review or two groups, else it warns."""
    sure = [match for match in own if match.kind != "maybe"]
    level = Level.BLOCK if any(match.tier == ENFORCE for match in own) else Level.WARN
    whose = "by a person" if any(match.labelled for match in own) else "here"
    what = (
        f"was confirmed as malicious {whose}" if sure else f"could resolve to what was confirmed as malicious {whose}"
    )
    yield from _at(CONFIRMED, level, action, own, what=what, facts=facts)


def _at(
    rule: str, level: Level, action: Install, found: Sequence[Match], *, what: str, facts: Facts
) -> Iterator[Finding]:
    from bk.engine.checks.package_words import told

    if level <= Level.ALLOW:
        return
    if action.where.startswith("ssh:"):
        level = min(level, Level.ASK)  # another machine's own guard and index decide there; here a person may
    origin = facts.origins.get(action.target)
    if origin is not None:  # it may be another package of that name; only the person's own word can soften a block
        level = Level.ASK if origin.own else max(level, Level.ASK)
    yield told(rule, level, action, found, what=what, facts=facts, origin=origin)


def _reaches_everywhere(match: Match) -> bool:
    """Whether a record names bounds that hardly leave a version out: such a range is a wildcard in other words."""
    return any(span[:1] in "<>" and _wide(span) for span in match.versions if match.kind in ("range", "maybe"))


def _wide(span: str) -> bool:
    """An interval without a lower or an upper end, or across more than one first number."""
    low = high = ""
    for term in span.split(","):
        if term[:1] == ">":
            low = term.lstrip(">=")
        elif term[:1] == "<":
            high = term.lstrip("<=")
    if not low or not high or not low.strip("v0.-"):
        return True
    first, last = _first_number(low), _first_number(high)
    return first is None or last is None or last > first + 1


def _first_number(version: str) -> int | None:
    digits = version.rpartition("!")[2].lstrip("v").partition(".")[0].partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


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
