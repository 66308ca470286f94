"""Sensitive paths: keys, credentials, agents' own logins, and the places from which programs start unasked."""

from __future__ import annotations

import re

from bk.engine.checks.locations import KINDS, SUFFIXES, TEMPLATES, USES, Location
from bk.engine.checks.places import WILD, Hit, below, component, exempt, hits, home_depth, split
from bk.engine.model import Finding, Level, Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

_VERBS = {"read": "reads", "write": "writes", "delete": "deletes", "list": "lists"}
_globs: dict[tuple[str, str], re.Pattern[str]] = {}
_GLOBS_MAX = 512
SHOWN = 200


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for every use of a sensitive path, by the path as written and by where it leads."""
    home = facts.home.lower().strip("/").split("/") if facts.home.strip("/") else []
    blocked = facts.policy.get("paths.block") or ()
    allowed = facts.policy.get("paths.allow") or ()
    real = facts.real
    for action in actions:
        if type(action) is not Touch:
            continue
        path = action.path
        leads = real.get(path, path)
        found = _of(action, path, home)
        if leads != path:
            found = _stronger(found, _of(action, leads, home))
        if blocked:
            found = _stronger(found, _by_policy(action, (path, leads), blocked, facts.home))
        if found is None or (allowed and _listed(leads, allowed, facts.home) and _listed(path, allowed, facts.home)):
            continue
        if found.rule == "paths/env-file" and action.mode == "write" and _from_template(actions):
            continue
        yield found


def _from_template(actions: Sequence[Action]) -> bool:
    """Whether the call reads an environment template: filling `.env` from it is what templates are for."""
    return any(
        type(action) is Touch and action.mode == "read" and action.path.rpartition("/")[2].lower() in TEMPLATES
        for action in actions
    )


def _stronger(one: Finding | None, two: Finding | None) -> Finding | None:
    if one is None or two is None:
        return one or two
    return two if two.level > one.level else one


def _of(action: Touch, path: str, home: Sequence[str]) -> Finding | None:
    """The strongest thing to say about one spelling of a path."""
    parts = split(path)
    best: Level = Level.ALLOW
    chosen: Hit | None = None
    for hit in hits(parts, home, glob=not action.certain):
        level = _level(action, hit, parts)
        if level > best:
            best, chosen = level, hit
    if chosen is not None:
        return _finding(action, path, chosen.place, best)
    if action.mode == "read" and parts[0] == "**" and parts[-1][:2] == "*." and parts[-1][2:] in SUFFIXES:
        return _finding(action, path, SUFFIXES[parts[-1][2:]], Level.ASK)  # looked for on the whole machine
    if action.tree and action.mode != "list":
        place, level = _tree(action, parts, home)
        if place is not None:
            return _finding(action, path, place, level, above=True)
    return None


def _level(action: Touch, hit: Hit, parts: Sequence[str]) -> Level:
    """What a use of a place is worth."""
    mode = action.mode
    kind = hit.place.kind
    level = kind.levels[mode]
    via = action.via[-1] if action.via else ""
    if kind.name == "secret-store":
        if mode == "list":
            shows = (not hit.inside or not action.certain or action.tree) and via != "chmod"
            return Level.WARN if shows and not exempt(parts[-1]) else Level.ALLOW
        if exempt(parts[-1]) and hit.inside and not parts[-1].startswith(".env"):
            return Level.ALLOW if mode == "read" else Level.WARN
        if mode == "read" and not hit.inside and not action.tree and action.certain:
            return Level.WARN
    elif kind.name in ("env-file", "user-credential") and via in USES:
        return Level.WARN if via == "--env-file" else Level.ASK
    elif kind.name == "git-hook" and (parts[-1].endswith(".sample") or not (hit.inside or action.tree)):
        return Level.ALLOW
    if hit.place.tree and not hit.inside and mode == "write" and not action.tree and kind.name != "secret-store":
        return Level.ALLOW
    if not action.certain and level > Level.WARN:
        if not action.tree and not any(WILD.search(part) for part in parts):
            return Level.WARN  # an unknown program is handed the path
        if not hit.sure:
            return Level.ASK
    return level


def _tree(action: Touch, parts: list[str], home: Sequence[str]) -> tuple[Location | None, Level]:
    """A whole tree with sensitive places somewhere below."""
    if not action.certain and any(WILD.search(part) for part in parts):
        place = _glob_above(parts, home)
    else:
        place = below(parts, home)
    if place is None:
        return None, Level.ALLOW
    return place, Level.BLOCK if action.mode == "delete" else Level.ASK


def _glob_above(parts: list[str], home: Sequence[str]) -> Location | None:
    """`/home/*`, `~/.con*`: a glob that matches a directory with sensitive places below."""
    *lead, last = parts
    if any(WILD.search(part) for part in lead) or last == "**":
        return None
    pattern = re.compile(component(last))
    size = len(lead)
    if list(home[:size]) == lead and size < len(home):
        return below(list(home[: size + 1]), home) if pattern.fullmatch(home[size]) else None
    if not (size and size == home_depth(lead, home)):
        return None
    for name in (".config", ".local", ".docker", ".kube", ".cargo"):
        if pattern.fullmatch(name):
            return below([*lead, name], home)
    return None


def _by_policy(action: Touch, spellings: Sequence[str], globs: Sequence[str], home: str) -> Finding | None:
    for path in spellings:
        name = _listed(path, globs, home) or (_within(path, globs, home) if action.tree else "")
        if name:
            kind = KINDS["policy"]
            level = kind.levels[action.mode]
            reason = f"{_VERBS[action.mode]} {_shown(path)}, which your policy protects"
            return Finding("paths/policy", level, reason, action=action, evidence={"glob": name}, instead=kind.instead)
    return None


def _listed(path: str, globs: Sequence[str], home: str) -> str:
    """The first of a person's globs that covers a path, or "". A glob without a slash is a file name anywhere."""
    head, _, base = path.rpartition("/")
    cut = base.split(":", 1)[0].rstrip(". ") or base
    text = f"{head}/{cut}"
    for glob in globs:
        pattern = _globs.get((glob, home))
        if pattern is None:
            pattern = re.compile(_as_regex(glob, home))
            if len(_globs) < _GLOBS_MAX:
                _globs[glob, home] = pattern
        if pattern.fullmatch(text) or pattern.fullmatch(path):
            return glob
    return ""


def _within(path: str, globs: Sequence[str], home: str) -> str:
    """The first glob whose fixed beginning lies under a folder that is used as a whole, or ""."""
    folder = path.rstrip("/") + "/"
    return next((glob for glob in globs if _spelled(glob, home).startswith(folder)), "")


def _spelled(glob: str, home: str) -> str:
    """A glob without what adds nothing: a folder covers all below it, so a last `**` is the folder itself."""
    text = glob.rstrip("/")
    while text.endswith("/**"):
        text = text[:-3].rstrip("/")
    return home.rstrip("/") + text[1:] if text.startswith("~") else text


def _as_regex(glob: str, home: str) -> str:
    """A person's path glob as a regular expression: `*` within a component, `**` across; folders cover all below."""
    text = _spelled(glob, home)
    if text in ("", "**"):
        return ".*"
    lead = "" if text.startswith("/") else "(?:/[^/]*)*/"
    pieces: list[str] = []
    for part in text.removeprefix("/").split("/"):
        if part == "**":
            pieces.append("(?:[^/]+/)*")
        else:
            pieces.append(component(part).replace(r"(?!\.)", "") + "/")
    inside = "".join(pieces).removesuffix("/")
    return f"{lead or '/'}{inside}(?:/.*)?"


def _finding(action: Touch, path: str, place: Location, level: Level, *, above: bool = False) -> Finding:
    kind = place.kind
    verb = _VERBS[action.mode]
    perhaps = "" if action.certain else "may be that "
    what = f"which contains {place.name} ({kind.what})" if above else kind.what
    reason = f"{verb} {_shown(path)}: {what}" if not perhaps else f"perhaps {verb} {_shown(path)}: {what}"
    evidence = {"path": path[:SHOWN], "place": place.name, "mode": action.mode}
    return Finding(f"paths/{kind.name}", level, reason, action=action, evidence=evidence, instead=kind.instead)


def _shown(path: str) -> str:
    return path if len(path) <= SHOWN else path[: SHOWN - 1] + "…"
