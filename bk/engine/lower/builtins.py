"""Shell builtins that change what later words mean: directories, variables, and texts that are run later."""

from __future__ import annotations

from bk.engine.lower.expand import as_values, joined_values
from bk.engine.lower.interpreters import piped, shell_text, sourced
from bk.engine.lower.output import printed
from bk.engine.lower.words import UNKNOWN, Dim
from bk.engine.lower.wrappers import ASSIGNMENT, glued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell


def _cd(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> None:
    operands = [word for word in args if word[:1] != "-" or word == "-"]
    scope = shell.scope
    if not operands:
        scope.chdir("~")
    elif operands[0] == "-":
        scope.cwds = (*scope.cwds, *(cwd for cwd in (scope.start,) if cwd not in scope.cwds))
    else:
        scope.chdir(operands[0])


def _pushd(shell: Shell, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> None:
    _cd(shell, [word for word in args if word[:1] not in ("+", "-")] or ["-"], stdin, fed)


def _popd(shell: Shell, _args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> None:
    _cd(shell, ["-"], stdin, fed)


def _eval(shell: Shell, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    return shell_text(shell, glued(args), ("eval",), stdin, fed) if args else None


def _source(shell: Shell, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> None:
    for word in args[:1]:
        if word.startswith("/dev/fd/") and fed is not None:
            sourced(shell, fed)
        elif word in ("/dev/stdin", "/proc/self/fd/0") and stdin is not None:
            piped(shell, "source", stdin)
        else:
            shell.scope.touch(word, "read", via=("source",))


def _trap(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> None:
    if args and args[0] not in ("-", "-p", "-l", ""):
        shell_text(shell, args[0], ("trap",), None)


def _alias(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> None:
    """An alias may be used later in the same session; what it would run is lowered where it is made."""
    for word in args:
        _, equals, text = word.partition("=")
        if equals and text:
            shell_text(shell, Dim(text) if type(word) is Dim else text, ("alias",), None)


def _assigning(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> None:
    """`export`, `declare` and the like when they come through `builtin` or `command`; `read` makes values unknown."""
    for word in args:
        if ASSIGNMENT.match(word):
            name, _, value = word.partition("=")
            shell.scope.assign(name, as_values([Dim(value) if type(word) is Dim else value]))


def _read(shell: Shell, args: Sequence[str], stdin: Stream | None, _fed: Stream | None) -> None:
    names = [word for word in args if word[:1] != "-" and word.isidentifier()]
    known = stdin.text if stdin is not None else None
    for name in names:
        value = UNKNOWN if known is None or len(names) > 1 else known.rstrip("\n")
        shell.scope.assign(name, (value,))


def _set(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> None:
    """`set -- a b` replaces the positional parameters."""
    if "--" in args:
        words = list(args[list(args).index("--") + 1 :])
        for index, word in enumerate(words[:9], 1):
            shell.scope.assign(str(index), as_values([word]))
        shell.scope.assign("@", joined_values(words))
        shell.scope.assign("*", joined_values(words))


def _printf(shell: Shell, args: Sequence[str], stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    if len(args) > 2 and args[0] == "-v":
        out = printed("printf", args[2:], stdin, shell.scope)
        shell.scope.assign(args[1], (out.text if out is not None and out.text is not None else UNKNOWN,))
        return None
    return printed("printf", args, stdin, shell.scope)


BUILTINS: dict[str, Callable[[Shell, Sequence[str], Stream | None, Stream | None], Stream | None]] = {
    "cd": _cd,
    "chdir": _cd,
    "pushd": _pushd,
    "popd": _popd,
    "eval": _eval,
    "source": _source,
    ".": _source,
    "trap": _trap,
    "alias": _alias,
    "export": _assigning,
    "declare": _assigning,
    "typeset": _assigning,
    "local": _assigning,
    "readonly": _assigning,
    "read": _read,
    "mapfile": _read,
    "readarray": _read,
    "set": _set,
    "printf": _printf,
}
