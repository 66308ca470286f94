"""Programs that change many files at once: permissions, mirrors, truncation."""

from __future__ import annotations

import re

from bk.engine.lower import gnu, network
from bk.engine.lower.paths import joined, normal
from bk.engine.lower.words import Dim
from bk.engine.model import Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_TIGHTENS = re.compile(r"0?[4-7]00|(?:go|og|g|o)(?:-[rwxX]+|=)(?:,(?:go|og|g|o)(?:-[rwxX]+|=))*")
_MODE = ("chmod",)
_TAKES = {
    "setfacl": names("-m -x -M -X --modify --remove --set --set-file"),
    "chattr": names("-v -p"),
}
_FAR = re.compile(r"(?:rsync://)?((?:[\w.-]+@)?(?:\[[\da-fA-F:]+\]|[\w.-]{2,}))(?::{1,2}|/)(.*)")
_RSYNC_TAKES = names(
    "-e -f -B -M -T --rsh --exclude --include --filter --chmod --chown --bwlimit --port --timeout --max-size --min-size"
    " --rsync-path --info --out-format --files-from --exclude-from --include-from --password-file --log-file"
    " --backup-dir --partial-dir --temp-dir --compare-dest --copy-dest --link-dest --block-size --max-delete --suffix"
    " --usermap --groupmap --modify-window --address --sockopts --remote-option --log-file-format --debug --stop-after"
    " --contimeout --iconv --checksum-seed --skip-compress --compress-level --only-write-batch --write-batch"
    " --read-batch --protocol --outbuf --early-input --checksum-choice --compress-choice"
)


def modes(name: str, args: Sequence[str], scope: Scope) -> None:
    """chmod, chown, chgrp, setfacl, chattr: taking rights away from others leaves a secret as it was."""
    deep = gnu.recursive(args)
    takes = _TAKES.get(name, frozenset())
    operands: list[str] = []
    referenced = bool(takes) and name == "setfacl"
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word == "--":
            operands.extend(args[index:])
            break
        if word[:2] == "--":
            option, equals, value = word.partition("=")
            if len(option) >= gnu.SHORTEST and "--reference".startswith(option):
                referenced = True
                if not equals:
                    value = args[index] if index < end else ""
                    index += 1
                scope.touch(value, "list")
            elif (option in takes or option == "--from") and not equals:
                index += 1
        elif word[:1] == "-" and not (name == "chmod" and _TIGHTENS.fullmatch(word)) and not _symbolic(name, word):
            index += word in takes
        else:
            operands.append(word)
    tight = bool(operands) and name == "chmod" and type(operands[0]) is not Dim and _TIGHTENS.fullmatch(operands[0])
    via = (f"{name} -R",) if deep else _MODE if name == "chmod" else (name,)
    for word in operands if referenced else operands[1:]:
        scope.touch(word, "list" if tight else "write", tree=deep and not tight, via=_MODE if tight else via)


def _symbolic(name: str, word: str) -> bool:
    """`-w`, `-rwx` to chmod and `-i` to chattr are modes, not options."""
    letters = word[1:]
    if name == "chmod":
        return bool(letters) and not letters.strip("rwxXst")
    return name == "chattr" and bool(letters) and not letters.strip("aAcCdDeFijmPsStTux")


def rsync(_name: str, args: Sequence[str], scope: Scope) -> None:
    """What is copied and written, and what a mirror or a move deletes. A dry run only reads."""
    operands: list[str] = []
    deletes = moves = dry = False
    deep = False
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word == "--":
            operands.extend(args[index:])
            break
        if word[:1] != "-" or word == "-":
            operands.append(word)
            continue
        option, equals, value = word.partition("=") if word[:2] == "--" else (word, "", "")
        if option[:2] == "--":
            deletes = deletes or option.startswith("--del")
            moves = moves or option in ("--remove-source-files", "--remove-sent-files")
            dry = dry or option in ("--dry-run", "--list-only")
            deep = deep or option in ("--archive", "--recursive")
        else:
            cut = next((at for at in range(1, len(option)) if f"-{option[at]}" in _RSYNC_TAKES), len(option))
            letters = option[1:cut]
            dry, deep = dry or "n" in letters, deep or "a" in letters or "r" in letters
            if cut < len(option):
                value, equals = option[cut + 1 :], option[cut + 1 :]
                option = f"-{option[cut]}"
        if option in _RSYNC_TAKES and not equals:
            value = args[index] if index < end else ""
            index += 1
        mode = _FILES.get(option)
        if mode is not None:
            scope.touch(value, mode)
    *sources, target = operands if len(operands) > 1 else [*operands, ""]
    for word in sources:
        if not network.remote(word, scope, sends=False):
            scope.touch(word, "read", tree=True)
            if moves and not dry:
                scope.touch(word, "delete", tree=True, via=("rsync --remove-source-files",))
    if not target or dry:
        if target:
            network.remote(target, scope, sends=False)
        return
    if network.remote(target, scope, sends=True):
        if deletes:
            _far(target, scope, "rsync --delete")
        return
    _mirrored(target, sources, scope, deletes=deletes)


_FILES = {
    "--files-from": "read",
    "--exclude-from": "read",
    "--include-from": "read",
    "--password-file": "list",
    "--log-file": "write",
    "--backup-dir": "write",
    "--partial-dir": "list",
    "--temp-dir": "list",
}


def _mirrored(target: str, sources: Sequence[str], scope: Scope, *, deletes: bool) -> None:
    """A source with a slash at its end fills the target; another one fills a folder in it."""
    whole = False
    scope.touch(target, "write")
    for source in sources:
        name = source.rstrip("/").rsplit("/", 1)[-1]
        if source.endswith(("/", "/.")) or name in ("", ".", "*"):
            whole = True
        else:
            scope.touch(joined(target, name), "write")
            if deletes:
                scope.touch(joined(target, name), "delete", tree=True, via=("rsync --delete",))
    if whole:
        scope.touch(target, "write", tree=True)
        if deletes:
            scope.touch(target, "delete", tree=True, via=("rsync --delete",))


def _far(target: str, scope: Scope, how: str) -> None:
    match = _FAR.match(target)
    if match is None:
        return
    path = match[2] if match[2][:1] == "/" else f"/~/{match[2]}"
    action = Touch(normal(path), "delete", tree=True, via=(*scope.via, how), certain=type(target) is not Dim)
    scope.emit(action)
    action.where = f"ssh:{match[1].rpartition('@')[2]}"


_RCLONE = {
    "sync": ("read", "mirror"),
    "copy": ("read", "write"),
    "copyto": ("read", "write"),
    "move": ("delete", "write"),
    "moveto": ("delete", "write"),
    "bisync": ("write", "write"),
    "purge": ("delete",),
    "delete": ("delete",),
    "deletefile": ("delete",),
    "rmdir": ("delete",),
    "rmdirs": ("delete",),
    "cat": ("read",),
    "rcat": ("write",),
    "ls": ("list",),
    "lsf": ("list",),
}


def rclone(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`rclone VERB SOURCE TARGET`: `name:path` is another machine, anything else a local folder."""
    words = [word for word in args if word[:1] != "-"]
    dry = any(word in ("-n", "--dry-run", "--interactive", "-i") for word in args)
    uses = _RCLONE.get(words[0], ()) if words else ()
    for use, word in zip(uses, words[1:], strict=False):
        sends = use in ("write", "mirror")
        if ":" in word and "/" not in word.partition(":")[0] and word[1:2] != ":":
            network.connect(f"rclone://{word.partition(':')[0]}", scope, sends=sends and not dry)
        elif use == "mirror":
            scope.touch(word, "list" if dry else "write", tree=True)
            if not dry:
                scope.touch(word, "delete", tree=True, via=("rclone sync",))
        else:
            one = words[0] in ("deletefile", "rmdir", "copyto", "moveto", "rcat")
            scope.touch(word, "list" if dry and use != "read" else use, tree=not one)


def robocopy(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`robocopy SOURCE TARGET /MIR`: a mirror deletes in the target, `/MOVE` in the source."""
    words = [word for word in args if word[:1] != "/" or len(word) > 5]
    flags = {word.upper() for word in args if word[:1] == "/"}
    for word in words[:1]:
        scope.touch(word, "read", tree=True)
        if flags & {"/MOVE", "/MOV"} and "/L" not in flags:
            scope.touch(word, "delete", tree=True, via=("robocopy /move",))
    for word in words[1:2]:
        scope.touch(word, "write", tree=True)
        if flags & {"/MIR", "/PURGE"} and "/L" not in flags:
            scope.touch(word, "delete", tree=True, via=("robocopy /mir",))


def truncate(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`truncate -s 0 FILE` empties it."""
    operands: list[str] = []
    size, reference = "", ""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] != "-" or word == "-":
            operands.append(word)
            continue
        option, equals, value = word.partition("=") if word[:2] == "--" else (word[:2], word[2:], word[2:])
        option = gnu.full(option, ("--size", "--reference", "--io-blocks", "--no-create"))
        if option in ("-s", "--size", "-r", "--reference"):
            if not equals:
                value = args[index] if index < end else ""
                index += 1
            if option in ("-s", "--size"):
                size = value
            else:
                reference = value
    if reference:
        scope.touch(reference, "list")
    empties = size.lstrip("<") in ("0", "0K", "0M", "0B", "00")
    for word in operands:
        scope.touch(word, "write", content="" if empties else None)
