"""tar, zip and their like: members are read, archives written, and extraction writes below a directory."""

from __future__ import annotations

from bk.engine.lower import gnu, network
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_TAR_TAKES = frozenset("fCbTXIgNVKLHF")
_TAR_LONG_TAKES = names(
    "--exclude --transform --strip-components --owner --group --mode --mtime --format --use-compress-program --label"
    " --exclude-from --file --directory --files-from --listed-incremental --newer --after-date --blocking-factor"
    " --record-size --tape-length --info-script --new-volume-script --to-command --checkpoint-action --suffix --xform"
    " --rsh-command --rmt-command --volno-file --starting-file --sort --quoting-style --warning --index-file --add-file"
)
_TAR_LONG = _TAR_LONG_TAKES | names(
    "--create --append --update --extract --get --list --diff --delete --concatenate --catenate --absolute-names"
    " --overwrite --remove-files --recursive-unlink --unlink-first --gzip --bzip2 --xz --verbose --checkpoint"
    " --same-owner"
)
_TAR_VERBS = {"--create": "c", "--append": "c", "--update": "c", "--extract": "x", "--get": "x", "--list": "t"}


def tar(_name: str, args: Sequence[str], scope: Scope) -> None:
    """Both option styles; `-C` applies to what follows it. An archive called `host:path` is on another machine."""
    line = _Tar()
    preset = _preset("TAR_OPTIONS", scope)
    line.read([*preset.split(), *args] if preset else args, scope, bundle=not preset)
    archive = line.archive or _preset("TAPE", scope)
    if line.verb == "c":
        if not archive or not network.remote(archive, scope, sends=True):
            scope.touch(archive, "write")
        for word in line.operands:
            scope.touch(word, "read", tree=True)
            if line.removes:
                scope.touch(word, "delete", tree=True, via=("tar --remove-files",))
    else:
        if not archive or not network.remote(archive, scope, sends=False):
            scope.touch(archive, "read")
        if line.verb == "x":
            scope.touch(line.base or ".", "write", tree=True)


def _preset(name: str, scope: Scope) -> str:
    """A variable that the program reads, set before the command or earlier in the call."""
    for step in reversed(scope.via):
        if step.startswith(name + "="):
            return step[len(name) + 1 :]
    values = scope.vars.get(name)
    return max(values, key=len).replace("\uf8ff", "**") if values else ""


class _Tar:
    """A tar command line."""

    __slots__ = ("archive", "base", "operands", "removes", "verb")

    def __init__(self) -> None:
        self.archive = self.base = self.verb = ""
        self.operands: list[str] = []
        self.removes = False

    def read(self, args: Sequence[str], scope: Scope, *, bundle: bool) -> None:
        """Take in the words; the first may be a bundle of letters without a dash."""
        index, end = 0, len(args)
        while index < end:
            word = args[index]
            first = bundle and index == 0
            index += 1
            if word[:2] == "--":
                name, equals, value = word.partition("=")
                name = gnu.full(name, _TAR_LONG)
                if name in _TAR_LONG_TAKES:
                    if not equals:
                        value = args[index] if index < end else ""
                        index += 1
                    self._long(name, value, scope)
                elif name in _TAR_VERBS:
                    self.verb = _TAR_VERBS[name]
                elif name == "--remove-files":
                    self.removes = True
                continue
            bare = first and word[:1] != "-" and word.isalpha()
            if (word[:1] == "-" and len(word) > 1) or bare:
                index = self._letters(word if bare else word[1:], args, index, scope, bare=bare)
                continue
            self.operands.append(_under(self.base, word))

    def _long(self, name: str, value: str, scope: Scope) -> None:
        if name == "--file":
            self.archive = value
        elif name == "--directory":
            self.base = value
        elif name in ("--files-from", "--exclude-from"):
            scope.touch(value, "read")

    def _letters(self, letters: str, args: Sequence[str], index: int, scope: Scope, *, bare: bool) -> int:
        """A cluster of letters; where the words behind it go on."""
        for at, letter in enumerate(letters):
            if letter in "cru" and not self.verb:
                self.verb = "c"
            elif letter in "xt" and not self.verb:
                self.verb = letter
            elif letter in _TAR_TAKES:
                rest = "" if bare else letters[at + 1 :]
                value = rest or (args[index] if index < len(args) else "")
                index += not rest
                if letter == "f":
                    self.archive = value
                elif letter == "C":
                    self.base = value
                elif letter == "T":
                    scope.touch(value, "read")
                if rest:
                    break
        return index


def _under(base: str, word: str) -> str:
    if not base or word[:1] in "/~":
        return word
    text = f"{base}/{word}"
    return Dim(text) if type(base) is Dim or type(word) is Dim else text


def archive(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`zip ARCHIVE FILE…`: the first operand is written, the others are read whole."""
    operands = [word for word in args if word == "-" or word[:1] != "-"]
    if operands:
        scope.touch(operands[0], "write")
    for word in operands[1:]:
        scope.touch(word, "read", tree=True)


_UNZIP_TAKES = frozenset(("-d", "-P", "-x", "-O", "-I"))


def unzip(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`unzip ARCHIVE [MEMBER…] [-d DIR]`; listing, testing and printing leave nothing behind."""
    place, archived, shows = ".", "", False
    index = 0
    while index < len(args):
        word = args[index]
        index += 1
        if word[:1] != "-" or len(word) < 2:
            archived = archived or word
        elif word in _UNZIP_TAKES:
            if word == "-d" and index < len(args):
                place = args[index]
            index += word != "-x"
        elif word[:2] == "-d" and len(word) > 2:
            place = _like(word, word[2:])
        elif word[1:2] != "-" and any(letter in "ltpvzZc" for letter in word[1:]):
            shows = True
    if archived:
        scope.touch(archived, "read")
        if "." not in archived.rpartition("/")[2]:
            scope.touch(_like(archived, archived + ".zip"), "read", certain=False)
        if not shows:
            scope.touch(place, "write", tree=True)


def _like(word: str, part: str) -> str:
    return Dim(part) if type(word) is Dim else part


def seven(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`7z a ARCHIVE FILE…` packs, `7z x ARCHIVE -oDIR` unpacks."""
    operands = [word for word in args if word[:1] != "-"]
    if not operands:
        return
    verb, *rest = operands
    if verb in ("a", "u"):
        archive("zip", rest, scope)
        return
    for word in rest[:1]:
        scope.touch(word, "read")
    if verb in ("x", "e"):
        place = next((word[2:] for word in args if word.startswith("-o")), ".")
        scope.touch(place, "write", tree=True)
