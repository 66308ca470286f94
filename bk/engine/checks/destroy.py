"""What would be lost: deletions, overwritten system files, and permissions taken from whole trees."""

from __future__ import annotations

from bk.engine.checks.grounds import (
    CACHE,
    GRAVE,
    HISTORY,
    MADE,
    OUTSIDE,
    PERSONAL,
    PROJECT,
    ROOT,
    SCRATCH,
    SOURCE,
    SYSTEM,
    TEMP,
    UNKNOWN,
    WORDS,
    Land,
)
from bk.engine.checks.overwrite import OWNERS, written
from bk.engine.checks.patterns import Pattern
from bk.engine.checks.removals import BY_PROGRAM, ELEVATED, MOVERS, ROOT_ADVICE, UNKNOWN_ADVICE, mirrors
from bk.engine.model import Finding, Level, Run, Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

SHOWN = 200
PACKERS = names("gzip gunzip bzip2 bunzip2 xz unxz zstd lz4 pigz brotli compress")
BINNERS = names("trash trash-put gio gio-trash")
SHREDDERS = names("shred srm wipe sdelete")
FINDERS = names("find gfind bfs")
_TESTS = Pattern(
    r"-(?:i?name|i?path|i?regex|wholename|size|empty|[acm](?:time|min)|newer\w*|user|group|perm|uid|gid|links|executable)"
)

# Names that only files have, however recursive the command that removes them is.
_FILES = (
    ".lock", ".log", ".tmp", ".tsbuildinfo", ".pid", ".tgz", ".zip", ".gz", ".bak", ".orig", ".swp", ".pyc", ".o",
    "-lock.json", "-lock.yaml", "npm-shrinkwrap.json", "bun.lockb", "go.sum", ".ds_store", ".coverage", ".map",
)  # fmt: skip
_LEFTOVERS = (".orig", ".rej", ".bak", "~", ".swp", ".swo", ".pyc", ".pyo")
_TREE = {SOURCE: Level.ASK, CACHE: Level.ASK, UNKNOWN: Level.ASK, MADE: Level.ALLOW, SCRATCH: Level.ALLOW}
_ONE = {HISTORY: Level.BLOCK, PERSONAL: Level.ASK, OUTSIDE: Level.ASK}

ADVICE = {
    SOURCE: "name the files one by one, or let git do it: `git rm -r`, which can be taken back",
    UNKNOWN: UNKNOWN_ADVICE,
    PROJECT: "name what you mean; `git clean -n` shows what is not kept by git",
    HISTORY: "use git's own commands; what is not kept here cannot be brought back",
    TEMP: "name the directory below it that you made",
    CACHE: "use the tool's own command for emptying its cache",
}
MODE_ADVICE = "give the one file the one permission it needs"


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for what would be lost, by the ground it lies on."""
    land: Land | None = None
    run: Run | None = None
    for action in actions:
        if type(action) is Run:
            run = action
            if action.program.lower() in BY_PROGRAM:
                if land is None:
                    land = _land(facts)
                yield from BY_PROGRAM[action.program.lower()](action, land)
        elif type(action) is Touch and action.mode in ("write", "delete"):
            if land is None:
                land = _land(facts)
            found = _touch(action, run, land, facts)
            if found is not None:
                yield found


def _land(facts: Facts) -> Land:
    return Land(facts.home, facts.cwd, facts.policy.get("destroy.regenerable") or ())


def _touch(action: Touch, run: Run | None, land: Land, facts: Facts) -> Finding | None:
    """What to say of one use of a path: by the path as written, and by where it leads when that is worse."""
    program = run.program.lower() if run is not None else ""
    best, chosen = _level(action, action.path, program, run, land)
    leads = facts.really(action.path)
    if leads != action.path and not action.where and not _same(action.path, leads, facts):
        worse, ground = _level(action, leads, program, run, land)
        if worse > best:
            best, chosen = worse, ground
    if best is Level.ALLOW:
        return None
    if best is Level.ASK and not ELEVATED.isdisjoint(action.via):
        best = Level.BLOCK
    return _finding(action, chosen, best, program)


def _same(path: str, leads: str, facts: Facts) -> bool:
    """Whether a path leads elsewhere only because the project itself is reached through a link."""
    cwd = facts.cwd.rstrip("/")
    really = facts.really(cwd)
    if really != cwd:
        return leads == really + path[len(cwd) :]
    return False


def _level(action: Touch, path: str, program: str, run: Run | None, land: Land) -> tuple[Level, str]:
    ground = land.of(path, action.where)
    if action.mode == "delete":
        return _deleted(action, path, ground, run, land), ground
    if program == "rsync" and run is not None and action.tree and mirrors(run.argv):
        return _mirrored(ground), ground
    return written(action, path, ground, run), ground


def _deleted(action: Touch, path: str, ground: str, run: Run | None, land: Land) -> Level:
    program = run.program.lower() if run is not None else ""
    if program == "git":
        return Level.ALLOW  # git's own commands are judged by their words
    if program in MOVERS:
        return Level.BLOCK if ground in GRAVE or ground in (PROJECT, HISTORY) else Level.ALLOW
    if program in PACKERS:
        return Level.ASK if ground == SYSTEM else Level.ALLOW
    if program == "rsync":
        return _mirrored(ground)
    if program in ("rmdir", "rd") and not action.tree:
        return Level.ALLOW  # it takes empty directories only
    if program in BINNERS and ground not in GRAVE and ground not in (PROJECT, HISTORY):
        return Level.WARN if action.tree else Level.ALLOW
    if path.startswith("/**/") and run is not None and any(word == "/" or word[:3] == "/**" for word in run.argv):
        ground = ROOT  # looked for below `/`, and not behind an unknown variable
    if "**" in path and (ground == ROOT or not path.startswith("/**")):
        return _found(action, path, ground, land)
    if action.where:
        return _far(action, path, ground, land)
    if ground == TEMP and path[-1:] == "*":
        return Level.ASK
    if ground in GRAVE:
        return Level.BLOCK
    if action.tree and not (ground == SOURCE and "*" not in path and path.lower().endswith(_FILES)):
        if run is not None and ground == PROJECT and _sought(action, run):
            return Level.ASK if _narrow(run.argv) else Level.BLOCK
        if ground == OUTSIDE and run is not None and not _forced(run.argv):
            return Level.ASK
        return _TREE.get(ground, Level.BLOCK)
    if ground == HISTORY and path.endswith((".lock", "/MERGE_MSG", "/COMMIT_EDITMSG", ".orig")):
        return Level.WARN
    if ground == PROJECT:
        return Level.ASK
    if ground == SOURCE:
        many = path[-1:] == "*" and not path.rpartition("/")[2].strip("*?.")
        return Level.ASK if many or program in SHREDDERS else Level.ALLOW
    if program in SHREDDERS and ground in (PERSONAL, OUTSIDE):
        return Level.BLOCK
    if ground == PERSONAL and action.certain and "/." in path:
        return Level.ALLOW  # one file that a program keeps there; those that matter are sensitive places
    return _ONE.get(ground, Level.ALLOW)


def _forced(argv: Sequence[str]) -> bool:
    """Whether a removal was told to go on whatever stands in its way."""
    if argv[0].rpartition("/")[2] != "rm":
        return True
    return any(word[:1] == "-" and ("f" in word if word[1:2] != "-" else "--force".startswith(word)) for word in argv)


def _sought(action: Touch, run: Run) -> bool:
    """Whether what is deleted was looked for, by `find` itself or by what it starts."""
    return run.program in FINDERS or any(step.startswith("find ") for step in action.via)


def _narrow(argv: Sequence[str]) -> bool:
    """Whether a search is narrowed to some of what is there; a program that `find` starts cannot tell."""
    return argv[0].rpartition("/")[2] not in FINDERS or any(map(_TESTS.re.fullmatch, argv))


def _found(action: Touch, path: str, ground: str, land: Land) -> Level:
    """Things of certain names below a directory."""
    name = path.rpartition("/")[2]
    if not name.strip("*?."):
        return _TREE.get(ground, Level.BLOCK)
    if action.where:
        return _far(action, path, ground, land)
    if ground in (SCRATCH, MADE, TEMP):
        return Level.ALLOW
    base = path.partition("/**")[0]
    if len(name.partition("*")[0]) > 2 and land.of(f"{base}/{name}") == SCRATCH:
        return Level.ALLOW
    if name[:1] == "*" and name.lower().endswith(_LEFTOVERS) and ground in (PROJECT, SOURCE, CACHE):
        return Level.ALLOW
    if land.made(name):
        return Level.ALLOW if ground in (PROJECT, SOURCE, CACHE) else Level.ASK
    return Level.BLOCK if ground in GRAVE or ground == HISTORY else Level.ASK


def _far(action: Touch, path: str, ground: str, land: Land) -> Level:
    """On another machine nothing is known to be a project; in a container less is at stake."""
    host = action.where.startswith("ssh") or ">" in action.where
    if ground in GRAVE:
        return Level.BLOCK
    if not action.tree or (not host and any(map(land.made, path.split("/")))):
        return Level.ALLOW
    return Level.BLOCK if host else Level.ASK


def _mirrored(ground: str) -> Level:
    """A mirror deletes what the source lacks: less than all, and nobody sees what."""
    if ground in GRAVE or ground in (PROJECT, HISTORY):
        return Level.BLOCK
    return Level.ALLOW if ground in (MADE, SCRATCH) else Level.ASK


def _finding(action: Touch, ground: str, level: Level, program: str) -> Finding:
    perhaps = "" if action.certain or ground != UNKNOWN else "perhaps "
    shown = action.path if len(action.path) <= SHOWN else action.path[: SHOWN - 1] + "…"
    there = f" on {action.where}" if action.where else ""
    evidence = {"path": shown, "ground": ground}
    if program == "rsync":
        verb, rule = "deletes what its source lacks in", "destroy/delete"
    elif action.mode == "delete":
        verb, rule = "moves away" if program in MOVERS else "deletes", "destroy/delete"
    elif program in OWNERS:
        verb, rule = "changes who may use", "destroy/permissions"
    else:
        verb, rule = "overwrites", "destroy/overwrite"
    below = " and everything below it" if action.tree and action.mode == "delete" and program != "rsync" else ""
    reason = f"{perhaps}{verb} {shown}{below}{there}: {WORDS[ground]}"
    advice = MODE_ADVICE if rule == "destroy/permissions" else ADVICE.get(ground, ROOT_ADVICE)
    return Finding(rule, level, reason, action=action, evidence=evidence, instead=advice)
