"""What a write would spoil: system files, raw devices, version history, and permissions of whole trees."""

from __future__ import annotations

from bk.engine.checks.grounds import ABOVE, DEVICE, GRAVE, HISTORY, HOME, PROJECT, ROOT, SOURCE, SYSTEM
from bk.engine.checks.locations import RAW_DEVICES
from bk.engine.checks.patterns import Pattern
from bk.engine.model import Level
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Run, Touch

OWNERS = names("chmod chown chgrp setfacl chattr chflags icacls takeown gchmod gchown")
UNPACKERS = names("tar gtar bsdtar unzip 7z 7za 7zz cpio ar unar unrar expand-archive star pax")
_BARE = names("sh bash dash zsh ksh ash find xargs parallel git gfind bfs fd rg")
_GIVES = names("chown chgrp setfacl gchown")
_RAW = (*RAW_DEVICES, "mem", "kmem", "port", "sg", "st", "rdisk", "nst", "zd", "pmem", "nbd", "rbd", "bcache")
_QUIET_DEVICES = ("tty", "pts", "snd", "dri", "cu.", "serial", "video", "input", "usb")
_LOOSE = ("/usr/local/", "/run/", "/opt", "/srv", "/nix/", "/snap/", "/applications/")
_KEPT = frozenset(("refs", "objects", "head", "index", "packed-refs", "logs", "orig_head", "shallow"))
_OPEN = Pattern(r"[0-7]{2,3}[2367]|(?:[^,]*,)*[ug]*[ao][ugao]*[+=][rxXst]*w[^,]*(?:,.*)?|0+")


def written(action: Touch, path: str, ground: str, run: Run | None) -> Level:
    """What writing to a path is worth."""
    program = run.program.lower() if run is not None else ""
    if run is not None and program in OWNERS:
        return _permitted(action, path, ground, run.argv)
    if ground == DEVICE:
        name = path.split("/", 3)[2].lower()
        return Level.BLOCK if name.startswith(_RAW) or not name.startswith(_QUIET_DEVICES) else Level.WARN
    if action.where and not action.where.startswith("ssh"):
        return Level.ALLOW
    if ground == HISTORY:
        return Level.ALLOW if program == "git" else _kept(action, path)
    if ground == SYSTEM:
        return _system(action, path)
    if ground in (SOURCE, PROJECT) and run is not None and _many(action, path) and _empties(action, program, run.argv):
        return Level.ASK
    if program == "truncate" and not action.certain and "*" in path and ground in (SOURCE, PROJECT):
        return Level.ASK
    if action.tree and (ground == ROOT or (ground in (HOME, ABOVE) and program in UNPACKERS)):
        return Level.ASK
    return Level.ALLOW


def _many(action: Touch, path: str) -> bool:
    """Whether a write goes to whatever lies in a folder."""
    return (action.tree and not action.certain) or ("*" in path and not path.rpartition("/")[2].strip("*?."))


def _empties(action: Touch, program: str, argv: Sequence[str]) -> bool:
    """Whether nothing is left of a file: `: > f`, `> f`, `cp /dev/null f`, `truncate`, `sed -i d`."""
    if program in ("sed", "gsed"):
        return any(word in ("d", "1,$d", "/./d", "/.*/d", "Q", "/^/d") for word in argv[1:])
    if program in ("truncate", "true", ":") or "/dev/null" in argv[1:]:
        return True
    if program in _BARE:
        return not action.content
    return action.content is not None and not action.content.strip()


def _system(action: Touch, path: str) -> Level:
    low = path.lower()
    if low.startswith("/proc/") and ("/fd/" in low or low.endswith(("/fd", "/comm", "/oom_score_adj"))):
        return Level.ALLOW
    return Level.ASK if low.startswith(_LOOSE) or not action.certain else Level.BLOCK


def _kept(action: Touch, path: str) -> Level:
    """Writing what git keeps for itself, by something that is not git."""
    parts = path.lower().split("/")
    at = next((index for index, part in enumerate(parts) if part in (".git", ".hg", ".svn", ".jj")), len(parts))
    inside = parts[at + 1 :]
    if not inside:
        return Level.BLOCK if action.tree else Level.ALLOW
    if inside[0] in _KEPT:
        return Level.BLOCK
    if inside[0] == "config":
        return Level.BLOCK if any(one.startswith("net:") for one in action.takes) else Level.ASK
    return Level.ALLOW


def _permitted(action: Touch, path: str, ground: str, argv: Sequence[str]) -> Level:
    """Who may do what: on a whole tree it cannot be put back, because nobody remembers what it was."""
    opens = any(_OPEN.re.fullmatch(word) for word in argv[1:4])
    deep = action.tree or any(word[:3] == "--r" and "--recursive".startswith(word) for word in argv)
    if ground in GRAVE:
        if deep:
            return Level.BLOCK
        if ground == SYSTEM:
            return Level.BLOCK if opens or not path.lower().startswith(_LOOSE) else Level.ASK
        return Level.ASK if ground in (ROOT, DEVICE) or opens else Level.ALLOW
    if not deep:
        return Level.ALLOW
    if opens or ground == HISTORY:
        return Level.ASK
    return Level.ASK if ground == PROJECT and argv[0].rpartition("/")[2] in _GIVES else Level.ALLOW
