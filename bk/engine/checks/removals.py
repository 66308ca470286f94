"""Commands that lose things whose names only the machine will know, or that lie on another machine."""

from __future__ import annotations

from bk.engine.checks.grounds import DEVICE, ROOT, SYSTEM
from bk.engine.checks.patterns import Pattern
from bk.engine.model import Finding, Level
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bk.engine.checks.grounds import Land
    from bk.engine.model import Run

MOVERS = names("mv gmv move move-item mi rename ren rename-item")
ELEVATED = names("sudo su doas pkexec runas run0 gosu su-exec")
_FAR_PATH = Pattern(r"(?:[\w.-]+@)?(?:\[[\da-fA-F:]+\]|[\w.-]{2,}):(/.*)")
UNKNOWN_ADVICE = "write the path out, or test that the variable is set: `${DIR:?}`"
ROOT_ADVICE = "name a path below the project, or ask the person to do this step"
MIRROR_ADVICE = "run it with --dry-run first, and show the person what would go"


def _said(run: Run, level: Level, reason: str, instead: str) -> Finding:
    if level is Level.ASK and not ELEVATED.isdisjoint(run.via):
        level = Level.BLOCK
    return Finding("destroy/command", level, f"`{run.target[:80]}` {reason}", action=run, instead=instead)


def _removes(run: Run, _land: Land) -> Iterator[Finding]:
    """`rm -r` of something that only the machine will know."""
    words = run.argv[1:]
    if "--no-preserve-root" in words:
        yield _said(run, Level.BLOCK, "switches off what keeps `/` from being deleted", ROOT_ADVICE)
    if not any(
        (word[:1] == "-" and word[1:2] != "-" and ("r" in word or "R" in word))
        or (len(word) > 2 and "--recursive".startswith(word))
        or word.lower() in ("/s", "-recurse")
        for word in words
    ):
        return
    if "run:mktemp" in run.takes and not any(one[:4] in ("env:", "net:", "file") for one in run.takes):
        return  # what `mktemp` has just made
    operands = [word for word in words if word[:1] != "-"]
    fed = any(step.startswith(("xargs", "parallel")) for step in run.via) and not operands
    if fed or any(word[:2] == "**" and not word.strip("*/") for word in operands):
        yield _said(run, Level.ASK, "deletes whole trees whose names cannot be known before", UNKNOWN_ADVICE)


def _moves(run: Run, _land: Land) -> Iterator[Finding]:
    operands = [word for word in run.argv[1:] if word[:1] != "-"]
    if len(operands) > 1 and operands[-1] in ("/dev/null", "NUL", "nul"):
        yield _said(run, Level.BLOCK, "throws files away for good by moving them into nothing", "delete what you mean")


def _owns(run: Run, _land: Land) -> Iterator[Finding]:
    if "--no-preserve-root" in run.argv:
        yield _said(run, Level.BLOCK, "switches off what keeps `/` as it is", ROOT_ADVICE)


def _copies(run: Run, land: Land) -> Iterator[Finding]:
    """What lands in another machine's system directories, or is deleted there."""
    operands = [word for word in run.argv[1:] if word[:1] != "-"]
    match = _FAR_PATH.re.fullmatch(operands[-1]) if len(operands) > 1 else None
    if match is None:
        if len(operands) > 1 and ":" in operands[-1] and run.program == "rsync" and mirrors(run.argv):
            yield _said(run, Level.ASK, "deletes on another machine what is not here", MIRROR_ADVICE)
        return
    ground = land.of(match[1].rstrip("/") or "/", "ssh:host")
    if ground in (ROOT, SYSTEM, DEVICE):
        yield _said(run, Level.BLOCK, "writes into another machine's system", "copy it to a home directory there")
    elif run.program == "rsync" and mirrors(run.argv):
        yield _said(run, Level.ASK, "deletes on another machine what is not here", MIRROR_ADVICE)


def mirrors(argv: Sequence[str]) -> bool:
    """Whether rsync deletes, and does not only say what it would."""
    deletes = False
    for word in argv[1:]:
        if word in ("--dry-run", "--list-only") or (word[:1] == "-" and word[1:2] != "-" and "n" in word):
            return False
        deletes = deletes or word.startswith("--del") or word == "--remove-source-files"
    return deletes


def _bins(run: Run, _land: Land) -> Iterator[Finding]:
    """What lies in the bin was kept because somebody may want it back."""
    words = run.argv[1:]
    if run.program.lower() == "gio" and "trash" not in words[:1]:
        return
    if run.program.lower() == "gio" and "--empty" not in words:
        return
    if not any(word in ("-h", "--help", "--version", "--dry-run") for word in words):
        aged = any(word.isdigit() and word != "0" for word in words)
        level = Level.ASK if aged else Level.BLOCK
        yield _said(run, level, "deletes for good what was only put aside", "leave the bin for the person to empty")


def _unpacks(run: Run, _land: Land) -> Iterator[Finding]:
    words = run.argv[1:]
    first = words[0] if words else ""
    letters = [word for word in words if word[:1] == "-" and word[1:2] != "-"] + ([first] if first[:1] != "-" else [])
    extracts = any("x" in word for word in letters) or "--extract" in words or "--get" in words
    if extracts and ("--absolute-names" in words or any("P" in word for word in letters)):
        yield _said(
            run, Level.ASK, "unpacks to wherever the archive says", "leave out -P, and unpack into a new folder"
        )


BY_PROGRAM: dict[str, Callable[[Run, Land], Iterator[Finding]]] = {
    **dict.fromkeys(("rm", "grm", "remove-item", "ri", "rd", "del", "erase", "rimraf"), _removes),
    **dict.fromkeys(MOVERS, _moves),
    **dict.fromkeys(("chmod", "chown", "chgrp"), _owns),
    **dict.fromkeys(("scp", "rsync", "sftp"), _copies),
    **dict.fromkeys(("trash-empty", "gio", "clear-recyclebin"), _bins),
    **dict.fromkeys(("tar", "gtar", "bsdtar"), _unpacks),
}
