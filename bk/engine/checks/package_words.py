"""What a person and an agent are told about a listed package: which records, who agreed, who does not, how old."""

from __future__ import annotations

from bk.engine.checks.packages import CONFIRMED, ELSEWHERE, EVERY, KNOWN, STALE, UNVERIFIED
from bk.engine.model import Finding
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.facts import Facts, Match, Origin
    from bk.engine.model import Action, Install, Json, Level

SHOWN = 6
IDS_SHOWN = 2
VERSIONS_KEPT = 50


def told(
    rule: str,
    level: Level,
    action: Install,
    found: Sequence[Match],
    *,
    what: str,
    facts: Facts,
    origin: Origin | None = None,
) -> Finding:
    """The finding for a listed package."""
    groups = sorted({group for match in found for group in match.groups})
    sources = sorted({source for match in found for source in match.sources})
    ids = sorted({ident for match in found for ident in match.ident.split()})
    versions = list(dict.fromkeys(version for match in found for version in match.versions))
    dates = sorted({match.date for match in found if match.date})
    own = rule == CONFIRMED  # it is no list, so nobody lists it with us or fails to
    against = [] if own else dissent(action.ecosystem, groups, facts)
    version = f" {text(action.version)}" if action.version else ""
    listed = f" ({_some(versions)})" if versions and rule not in (KNOWN, CONFIRMED) else ""
    dated = f", {dates[0]}" if dates else ""
    known = f" ({_some(ids, IDS_SHOWN)}{dated})" if ids else f" ({dates[0]})" if dates else ""
    alias = f" (listed as {text(found[0].name)})" if found[0].name != action.name else ""
    reason = f"{action.ecosystem} package {text(action.name)}{version}{alias} {what}{listed}"
    reason += known if own else f" by {words(groups)}{known}"
    if origin is not None:
        whose = "a registry of your own" if origin.own else "another registry"
        reason += f"; {text(origin.host)} would serve it, {whose} ({text(origin.told)})"
    if against:
        reason += f"; not listed by {words(against)}"
    if facts.catalog.get("date"):
        reason += f"; catalogs of {text(str(facts.catalog['date']))}"
    evidence: dict[str, Json] = {
        "package": action.target,
        "groups": sorted({group for match in found if not match.tier for group in match.groups}),
        "ids": ids,
        "versions": versions[:VERSIONS_KEPT],
        "dates": dates,
        "kinds": sorted({match.kind for match in found}),
    }
    if own:
        evidence["tier"] = max((match.tier for match in found), key=("watch", "enforce").index)
        evidence["labelled"] = any(match.labelled for match in found)
    evidence |= {name: list(value) for name, value in (("sources", sources), ("dissent", against)) if value}
    if origin is not None:
        evidence["registry"] = {"host": origin.host[:200], "own": origin.own, "told": origin.told[:200]}
    return Finding(
        rule, level, reason, action=action, evidence=evidence, instead=_instead(rule, action, found, versions)
    )


def stale(level: Level, days: int, action: Action) -> Finding:
    """The finding for an install that is judged by old catalogs."""
    reason = f"the threat catalogs had no news for {days} days, so what is newer than that is not known"
    instead = "bk catalogs status says why; bk catalogs sync asks the sources now"
    return Finding(STALE, level, reason, action=action, evidence={"stale_days": days}, instead=instead)


def dissent(ecosystem: str, groups: Sequence[str], facts: Facts) -> list[str]:
    """The groups that know this ecosystem and do not list the package."""
    known = facts.catalog.get("groups") or {}
    return sorted(group for group, knows in known.items() if ecosystem in knows and group not in groups)


def _instead(rule: str, action: Install, found: Sequence[Match], versions: Sequence[str]) -> str:
    """Only what the records themselves say: no version is called clean merely because nobody listed it."""
    name = text(action.name)
    if rule == CONFIRMED:
        return f"do without {name}; bk overlay list says why, and a person may revoke it there"
    if rule in (EVERY, UNVERIFIED, ELSEWHERE) or any(match.kind == "every" and not match.versions for match in found):
        return f"do without {name}, or check that this is the package you mean"
    fixed = [end[1:] for span in versions for end in span.split(",") if end[:1] == "<" and end[:2] != "<="]
    if fixed:
        return f"use {name} {text(fixed[-1])} or later, where the report says that it is fixed"
    return f"pin a version of {name} other than {_some(versions)}, or do without it"


def _some(values: Sequence[str], most: int = SHOWN) -> str:
    shown = ", ".join(text(value) for value in values[:most])
    return shown + (f" and {len(values) - most} more" if len(values) > most else "")


def words(values: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(map(text, values[:-1])), *map(text, values[-1:]))))


def text(outside: str) -> str:
    """Outside text, short and harmless."""
    return inert(outside, 120)
