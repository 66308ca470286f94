"""Commands aimed at us: our own command line is closed to agents except for looking, and so is stopping us."""

from __future__ import annotations

import re

from bk.engine.model import Finding, Level, Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bk.engine.model import Action

# Subcommands an agent may run: they tell about us and change nothing. Everything else is refused.
READ_ONLY: frozenset[tuple[str, ...]] = frozenset(
    (
        ("version",),
        ("diag",),
        ("selftest",),
        ("check",),
        ("config", "get"),
        ("config", "show"),
        ("config", "validate"),
        ("audit", "verify"),
        ("allow", "list"),
        ("trust", "list"),
        ("mcp", "list"),
        ("mcp", "show"),
        ("mcp", "inspect"),
        ("hooks", "status"),
        ("shim", "status"),
        ("catalogs", "status"),
        ("catalogs", "sources"),
        ("catalogs", "search"),
        ("catalogs", "show"),
        ("catalogs", "diff"),
        ("corpus", "list"),
        ("corpus", "show"),
        ("corpus", "stats"),
        ("overlay", "list"),
        ("incidents", "list"),
        ("incidents", "show"),
        ("inventory", "list"),
        ("inventory", "show"),
        ("inventory", "diff"),
        ("quarantine", "list"),
        ("quarantine", "show"),
        ("remediate", "plan"),
        ("scan",),
        ("self", "status"),
        ("self", "verify"),
        ("self", "release"),
        ("rules", "list"),
        ("rules", "show"),
        ("rules", "lint"),
        ("rules", "test"),
        ("explain",),
        ("simulate",),
    )
)
PROGRAMS = frozenset(("bk", "bk-hook", "bk-hook-python"))
HELP = frozenset(("--help", "-h", "--version"))
_OURS = re.compile(
    r"(?:^|[^\w.-])bk(?:-hook(?:-python)?|-engine)?(?:$|[^\w-])|bk\.(?:serve|hook|cli|engine)\b|bk engine"
)
_UNIT = re.compile(r"bk(?:[-.@][\w.@-]*)?$")
_MODULE = re.compile(r"bk(?:\..*)?$")
_SETTING = re.compile(r"BK_[A-Z0-9_]*\+?=|BK_[A-Z0-9_]*$")
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*$")
TIGHTENING = frozenset(("BK_FAIL_MODE", "BK_AGENT_DEPTH"))
KILLERS = frozenset(("kill", "pkill", "killall", "xkill", "skill", "snice", "killall5"))
FINDERS = frozenset(("pgrep", "pidof", "ps", "lsof", "fuser", "ss", "grep", "systemctl", "cat"))
SETTERS = frozenset(("export", "declare", "typeset", "readonly", "local", "unset", "setenv", "set"))
MODE_CHANGERS = frozenset(("chmod", "chown", "chgrp", "chattr", "setfacl", "setcap"))
STOPPING = names(
    "stop disable mask kill restart revert edit isolate freeze set-property reset-failed link clean reenable"
)
ADVICE = "ask a person to do it in their own terminal; `bk --help` tells what agents may run"

# Programs whose command lines may be aimed at us; the rest are passed over.
CONCERNED = frozenset(
    (*PROGRAMS, *SETTERS, *KILLERS, *MODE_CHANGERS, "systemctl", "service", "launchctl", "initctl", "rc-service")
) | frozenset(("alias", "function", "hash", "enable"))


def commands(actions: Sequence[Action]) -> Iterator[Finding]:
    """Findings for the commands of a call that are aimed at us."""
    found_us = False
    kills: list[Run] = []
    for action in actions:
        if type(action) is not Run:
            continue
        program = action.program
        if action.via or program.lower() in CONCERNED or program[:2] in ("py", "PY", "Py") or not action.certain:
            yield from _one(action)
        if program in FINDERS and _OURS.search(" ".join(action.argv[1:])):
            found_us = True
        if program in KILLERS:
            kills.append(action)
    if found_us:
        for run in kills:
            if not run.certain:
                reason = "looks up bk's processes and kills what it found"
                yield Finding("self/stop", Level.BLOCK, reason, action=run, instead=ADVICE)


def _one(run: Run) -> Iterator[Finding]:
    program = run.program.lower()
    argv = run.argv
    for word in run.via:
        if word.startswith("BK_") and "=" in word and not (program in PROGRAMS and _only_tightens(word)):
            yield _setting(run, word)
    if program in PROGRAMS:
        yield from _own(run, program, argv[1:])
    elif program in SETTERS:
        for word in argv[1:]:
            if _SETTING.match(word):
                yield _setting(run, word)
    elif program in KILLERS:
        if program != "kill" and any(_OURS.search(word) or word in PROGRAMS for word in argv[1:]):
            yield Finding("self/stop", Level.BLOCK, "would stop bk", action=run, instead=ADVICE)
    elif program in ("systemctl", "service", "launchctl", "initctl", "rc-service"):
        yield from _service(run, argv[1:])
    elif program in MODE_CHANGERS:
        if any(word.rsplit("/", 1)[-1] in PROGRAMS for word in argv[1:]):
            reason = "would change the rights of bk's programs"
            yield Finding("self/program", Level.BLOCK, reason, action=run, instead=ADVICE)
    elif _PYTHON.match(program):
        yield from _module(run, argv)
    elif program in ("alias", "function", "hash", "enable") and any(
        word.partition("=")[0] in PROGRAMS for word in argv[1:]
    ):
        yield Finding("self/shadow", Level.BLOCK, "would put something else in bk's place", action=run, instead=ADVICE)
    if not run.certain and len(argv) > 1 and argv[0].endswith("bk") and program not in PROGRAMS and "*" in argv[0]:
        yield from _own(run, "bk", argv[1:])


def _own(run: Run, program: str, args: Sequence[str]) -> Iterator[Finding]:
    """Our command line: deny by default."""
    if program != "bk":
        if args and all(word in HELP for word in args):
            return
        reason = f"{program} is run by harnesses, not by agents"
        yield Finding("self/cli", Level.BLOCK, reason, action=run, instead=ADVICE)
        return
    computed = not run.certain and any("*" in word or "?" in word for word in args[:2])
    if "--admin" not in args and not computed:
        if not args or any(word in HELP for word in args[:3]):
            return
        if (args[0],) in READ_ONLY or tuple(args[:2]) in READ_ONLY:
            return
    shown = " ".join(("bk", *args[:2]))
    yield Finding("self/cli", Level.BLOCK, f"`{shown}` is for people, not for agents", action=run, instead=ADVICE)


def _only_tightens(word: str) -> bool:
    """Given to our own program, these can only make it stricter, and that program is judged by its verb."""
    return word.partition("=")[0].rstrip("+") in TIGHTENING


def _setting(run: Run, word: str) -> Finding:
    name = word.partition("=")[0].rstrip("+")
    reason = f"sets {name}, which decides how bk works"
    return Finding("self/environment", Level.BLOCK, reason, action=run, instead="run the command without it")


def _service(run: Run, args: Sequence[str]) -> Iterator[Finding]:
    words = [word for word in args if word[:1] != "-"]
    if any(word in STOPPING or word in ("unload", "bootout", "remove") for word in words) and any(
        _UNIT.fullmatch(word) or _OURS.search(word) for word in words
    ):
        yield Finding("self/stop", Level.BLOCK, "would stop bk's service", action=run, instead=ADVICE)


def _module(run: Run, argv: Sequence[str]) -> Iterator[Finding]:
    """`python -m bk …` is `bk …`."""
    for index, word in enumerate(argv[1:-1], 1):
        if word == "-m":
            module = argv[index + 1]
            if _MODULE.match(module):
                if module in ("bk", "bk.cli"):
                    yield from _own(run, "bk", argv[index + 2 :])
                else:
                    yield from _own(run, module, argv[index + 2 :])
            return
