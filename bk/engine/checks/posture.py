"""How an install stands beside what is known to be bad: how fresh it is, what it runs, and where it comes from.

Each of the three rules does what its setting says (`off warn ask block`); what is not known warns at most. A person's
`posture.allow` exempts a package from a rule here, and from nothing else.
"""

from __future__ import annotations

from bk.engine.model import Finding, Install, Level, Run
from bk.engine.tables import names
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Json

FRESH = "posture/release-age"
SCRIPTS = "posture/lifecycle"
REMOTE = "posture/remote-source"
INDEX = "posture/foreign-index"
UNKNOWN = "posture/unknown"
KEYS = {FRESH: "posture.release_age.action", SCRIPTS: "posture.lifecycle.action"}
REMOTE_KEY = "posture.remote_source.action"
ECOSYSTEMS = frozenset(("npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "editor-extension"))
PLACES = {"git": "a git repository", "url": "a URL", "file": "a local file"}
HOUR_MS = 3_600_000
MAX_TOLD = 16
_LEVELS = {"off": Level.ALLOW, "warn": Level.WARN, "ask": Level.ASK, "block": Level.BLOCK}
_PIP = names("-i --index-url --extra-index-url -f --find-links --index --default-index")
_NPM = names("--registry --npmRegistryServer")
_NUGET = names("-s --source -Source --add-source")
# Options by which a command line names where packages come from, and the ecosystem that they speak of.
_OPTIONS = {
    **dict.fromkeys(("pip", "uv", "uvx", "pipx", "pdm", "rye", "pipenv", "python", "easy_install"), ("pypi", _PIP)),
    **dict.fromkeys(("npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg", "bun", "bunx"), ("npm", _NPM)),
    **dict.fromkeys(("gem", "bundle", "bundler"), ("rubygems", names("-s --source"))),
    **dict.fromkeys(("dotnet", "nuget"), ("nuget", _NUGET)),
    "cargo": ("cargo", names("--index --registry")),
    "composer": ("packagist", names("--repository --repository-url")),
    **dict.fromkeys(("conda", "mamba", "micromamba", "pixi"), ("conda", names("-c --channel"))),
}
_SETTINGS = ("registry", "index-url", "index_url", "extra-index-url", "npmregistryserver", "goproxy", "sources")


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """What is to be said of the installs of a call."""
    installs: list[Install] = []
    runs: list[tuple[Run, tuple[str, frozenset[str]]]] = []
    for action in actions:
        if type(action) is Run:
            program = action.program
            known = _OPTIONS.get(program)
            if known is None and program[-1:].isdigit():
                known = _OPTIONS.get(program.rstrip("0123456789."))
            if known is not None:
                runs.append((action, known))
        elif type(action) is Install:
            installs.append(action)
    installs += facts.listed.installs
    if installs:
        allowed = _allowed(facts.policy.get("posture.allow") or ())
        quiet = {run.program for run, _ in runs if "--ignore-scripts" in run.argv}
        yield from _each(installs, facts, allowed, quiet)
    for run, known in runs:
        yield from _foreign(run, known, facts, fetching=bool(installs))


def _each(
    installs: Sequence[Install], facts: Facts, allowed: Sequence[tuple[str, str, str]], quiet: set[str]
) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    unknown: list[Install] = []
    for action in installs:
        key = (action.target, action.source)
        if key in seen or len(seen) > 4096:
            continue
        seen.add(key)
        if action.source == "index":
            yield from _index(
                action, action.name, action.ecosystem, facts, f"by {action.via[-1]}" if action.via else ""
            )
        elif action.source not in ("registry", "manifest"):
            if not _exempt(action, "remote-source", allowed):
                yield from _remote(action, facts)
        elif action.source == "registry" and action.certain and action.name and action.ecosystem in ECOSYSTEMS:
            known = facts.packages.get(action.target)
            if not known:
                unknown.append(action)
                continue
            yield from _known(action, known, facts, allowed, action.manager.partition(" ")[0] in quiet)
    if unknown:
        told = [action.target for action in unknown[:MAX_TOLD]]
        reason = "nothing is asked of any registry, so the age of these packages is not known"
        yield Finding(UNKNOWN, Level.ALLOW, reason, evidence={"packages": told})


def _known(
    action: Install, known: Mapping[str, Json], facts: Facts, allowed: Sequence[tuple[str, str, str]], quiet: bool
) -> Iterator[Finding]:
    """What a release's own metadata says. `published_ms` or `scripts` of None means that nobody could tell."""
    named = _named(action, str(known.get("version") or ""))
    dark: list[str] = []
    level = _level(facts, KEYS[FRESH])
    if level and not _exempt(action, "release-age", allowed):
        published = known.get("published_ms")
        hours = int(facts.policy.get("posture.min_age_hours", 24))
        if published is None:
            dark.append("when it was published")
        elif facts.now_ms - int(published) < hours * HOUR_MS:
            reason = f"{named} was published {_ago(facts.now_ms - int(published))}, less than {hours} hours ago"
            evidence = {"package": action.target, "published_ms": int(published), "min_age_hours": hours}
            if known.get("newcomers"):
                evidence["newcomers"] = list(known["newcomers"])
                people = ", ".join(_text(str(name)) for name in known["newcomers"][:3])
                reason += f", with maintainers who had no part in the version before ({people})"
            instead = f"pin an earlier version of {_text(action.name)}, or wait until others have looked at this one"
            yield Finding(FRESH, level, reason, action=action, evidence=evidence, instead=instead)
    level = _level(facts, KEYS[SCRIPTS])
    if level and not quiet and not _exempt(action, "lifecycle", allowed):
        scripts = known.get("scripts")
        if scripts is None:
            dark.append("whether it runs scripts when it is installed")
        elif scripts:
            told = ", ".join(_text(str(name)) for name in scripts)
            reason = f"{named} runs scripts when it is installed ({told})"
            evidence = {"package": action.target, "scripts": list(scripts)}
            yield Finding(SCRIPTS, level, reason, action=action, evidence=evidence, instead=_without(action))
    if dark:
        why = f" ({_text(str(known['problem']))})" if known.get("problem") else ""
        evidence = {"package": action.target, "unknown": dark}
        if known.get("wanted"):
            evidence["wanted"] = known["wanted"]
        reason = f"of {named} it is not known {' and '.join(dark)}{why}"
        yield Finding(
            UNKNOWN, Level.WARN, reason, action=action, evidence=evidence, instead="look at the package first"
        )


def _without(action: Install) -> str:
    if action.ecosystem == "npm":
        return "install it with --ignore-scripts, or read its scripts first"
    return "choose a release with a prebuilt package, or read what it runs first"


def _remote(action: Install, facts: Facts) -> Iterator[Finding]:
    level = _level(facts, REMOTE_KEY)
    if level:
        named = f"{_text(action.name)} " if action.name else ""
        stands = f" ({action.via[-1]})" if action.via and "." in action.via[-1] else ""
        place = PLACES.get(action.source, action.source)
        who = action.manager or action.ecosystem
        reason = f"{who} would install {named}from {place}{stands}, which no threat list covers"
        instead = "install a pinned version from the registry, or read the source first"
        yield Finding(REMOTE, level, reason, action=action, evidence={"source": action.source}, instead=instead)


def _foreign(run: Run, known: tuple[str, frozenset[str]], facts: Facts, *, fetching: bool) -> Iterator[Finding]:
    """Indexes that a command line names, for itself or as a lasting setting."""
    ecosystem, options = known
    words = run.argv
    if fetching:
        for at, word in enumerate(words):
            flag, equals, value = word.partition("=")
            if flag in options or flag.endswith(":registry"):
                yield from _index(run, value if equals else (words[at + 1 : at + 2] or ("",))[0], ecosystem, facts, "")
            elif word[:2] in options and word[1] != "-" and len(word) > 2:
                yield from _index(run, word[2:], ecosystem, facts, "")
    elif "config" in words[1:4] and "set" in words[1:5]:
        for at, word in enumerate(words):
            key, equals, value = word.partition("=")
            if key.lower().rpartition(":")[2].rpartition(".")[2] in _SETTINGS:
                url = value if equals else (words[at + 1 : at + 2] or ("",))[0]
                yield from _index(run, url, ecosystem, facts, "from now on")


def _index(action: Action, url: str, ecosystem: str, facts: Facts, how: str) -> Iterator[Finding]:
    level = _level(facts, REMOTE_KEY)
    host = _host(url)
    if not level or not host or host == _host(str(facts.policy.get(f"posture.registries.{ecosystem}") or "")):
        return
    lead = f"{how} " if how else ""
    reason = f"{lead}packages would come from {_text(host)}, which is not the registry that your settings know"
    evidence = {"host": host[:200], "ecosystem": ecosystem}
    instead = f"leave the index out, or have the person state it: bk config set posture.registries.{ecosystem} URL"
    yield Finding(INDEX, level, reason, action=action, evidence=evidence, instead=instead)


def _host(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.lower().rpartition("+")[2] not in ("http", "https", "sparse", "git", "ssh"):
        return ""
    return rest.partition("/")[0].partition("?")[0].rpartition("@")[2].lower()


def _level(facts: Facts, key: str) -> Level:
    return _LEVELS.get(str(facts.policy.get(key, "warn")), Level.WARN)


def _allowed(items: Iterable[str]) -> list[tuple[str, str, str]]:
    """`ECOSYSTEM:PACKAGE RULE REASON` as (ecosystem, package, rule)."""
    made = []
    for item in items:
        what, _, rest = item.partition(" ")
        ecosystem, _, package = what.partition(":")
        made.append((ecosystem.lower(), _folded(package), rest.split(" ", 1)[0]))
    return made


def _exempt(action: Install, rule: str, allowed: Sequence[tuple[str, str, str]]) -> bool:
    name = _folded(action.name)
    return any(
        ecosystem in ("*", action.ecosystem) and package == name and which in ("*", rule)
        for ecosystem, package, which in allowed
    )


def _folded(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _named(action: Install, version: str) -> str:
    shown = action.version or version
    return f"{action.ecosystem} package {_text(action.name)}" + (f" {_text(shown)}" if shown else "")


def _ago(ms: int) -> str:
    if ms < 0:
        return "in the future, by this machine's clock"
    minutes = ms // 60_000
    return f"{minutes} minutes ago" if minutes < 120 else f"{minutes // 60} hours ago"


def _text(text: str) -> str:
    return inert(text, 120)
