"""tar, zip and their like: members are read, archives written, and extraction writes below a directory."""

from __future__ import annotations

from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_TAR_TAKES = frozenset("fCbTXIgNVKLHF")
_TAR_LONG_TAKES = names(
    "--exclude --transform --strip-components --owner --group --mode --mtime --format --use-compress-program"
)


def tar(_name: str, args: Sequence[str], scope: Scope) -> None:
    """Both option styles; `-C` applies to what follows it."""
    operands: list[str] = []
    archive, base = "", ""
    verb = ""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        first = index == 0
        index += 1
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in ("--file", "--directory", "--files-from") or name in _TAR_LONG_TAKES:
                if not equals:
                    value = args[index] if index < end else ""
                    index += 1
                if name == "--file":
                    archive = value
                elif name == "--directory":
                    base = value
                elif name == "--files-from":
                    scope.touch(value, "read")
            elif name in ("--create", "--append", "--update"):
                verb = "c"
            elif name in ("--extract", "--get"):
                verb = "x"
            continue
        bundled = first and word[:1] != "-" and word.isalpha()
        if (word[:1] == "-" and len(word) > 1) or bundled:
            letters = word if bundled else word[1:]
            for at, letter in enumerate(letters):
                if letter in "cru" and not verb:
                    verb = "c"
                elif letter in "xt" and not verb:
                    verb = letter
                elif letter in _TAR_TAKES:
                    rest = "" if bundled else letters[at + 1 :]
                    value = rest or (args[index] if index < end else "")
                    index += not rest
                    if letter == "f":
                        archive = value
                    elif letter == "C":
                        base = value
                    elif letter == "T":
                        scope.touch(value, "read")
                    if rest:
                        break
            continue
        operands.append(_under(base, word))
    if verb == "c":
        scope.touch(archive, "write")
        for word in operands:
            scope.touch(word, "read", tree=True)
    else:
        scope.touch(archive, "read")
        if verb == "x":
            scope.touch(base or ".", "write", tree=True)


def _under(base: str, word: str) -> str:
    if not base or word[:1] in "/~":
        return word
    text = f"{base}/{word}"
    return Dim(text) if type(base) is Dim or type(word) is Dim else text


def archive(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`zip ARCHIVE FILE…`: the first operand is written, the others are read whole."""
    operands = [word for word in args if word[:1] != "-"]
    if operands:
        scope.touch(operands[0], "write")
    for word in operands[1:]:
        scope.touch(word, "read", tree=True)


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
