"""Shell builtins that change what later words mean: directories, variables, and texts that are run later."""

from __future__ import annotations

from bk.engine.lower.expand import as_values, joined_values, taint
from bk.engine.lower.output import printed
from bk.engine.lower.scope import Stream
from bk.engine.lower.scripts import piped, run_file, shell_text, sourced
from bk.engine.lower.words import SPLIT, UNKNOWN, Dim
from bk.engine.lower.wrappers import ASSIGNMENT, glued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.shell import Shell

MAX_READ = 64


def _cd(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream:
    operands = [word for word in args if word[:1] != "-" or word == "-"]
    scope = shell.scope
    if not operands:
        scope.chdir("~")
    elif operands[0] == "-":
        scope.cwds = (*scope.cwds, *(cwd for cwd in (scope.start,) if cwd not in scope.cwds))
    else:
        scope.chdir(operands[0])
    return Stream("")


def _pushd(shell: Shell, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    _cd(shell, [word for word in args if word[:1] not in ("+", "-")] or ["-"], stdin, fed)
    return None


def _popd(shell: Shell, _args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    _cd(shell, ["-"], stdin, fed)
    return None


def _eval(shell: Shell, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    return shell_text(shell, glued(args), ("eval",), stdin, fed) if args else None


def _source(shell: Shell, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    for index, word in enumerate(args[:1], 1):
        if word.startswith("/dev/fd/") and fed is not None:
            return sourced(shell, fed)
        if word in ("/dev/stdin", "/proc/self/fd/0") and stdin is not None:
            return piped(shell, "source", stdin)
        shell.scope.touch(word, "read", via=("source",))
        return run_file(shell, "source", word, args[index:], stdin)
    return None


def _trap(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    words = [word for word in args if word != "--"]
    if len(words) > 1 and words[0] not in ("-", "-p", "-l", ""):
        return shell_text(shell, words[0], ("trap",), None)
    return Stream("")


def _alias(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    """An alias may be used later in the same session; what it would run is lowered where it is made."""
    for word in args:
        name, equals, text = word.partition("=")
        if equals and text:
            shell.aliases = {**shell.aliases, name: Dim(text) if type(word) is Dim else text}
            shell_text(shell, shell.aliases[name], ("alias",), None)
    return Stream("")


def _hash(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    """`hash -p /bin/rm ls`: the name means another program from now on."""
    if len(args) > 2 and args[0] == "-p":
        for name in args[2:]:
            shell.aliases = {**shell.aliases, name: args[1]}
    return Stream("")


def _enable(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    """`enable -f FILE name` loads code into the shell."""
    for at, word in enumerate(args[:-1]):
        if word == "-f":
            shell.scope.touch(args[at + 1], "read", via=("source",))
            run_file(shell, "enable -f", args[at + 1], (), None)
    return None


def _assigning(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    """`export`, `declare` and the like when they come through `builtin` or `command`."""
    made = taint(shell)
    for word in args:
        if ASSIGNMENT.match(word):
            name, _, value = word.partition("=")
            shell.scope.assign(name, as_values([Dim(value) if type(word) is Dim else value]), made)
    return None


def _unset(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream:
    for word in args:
        if word[:1] != "-":
            shell.scope.assign(word, ("",))
    return Stream("")


def _read(shell: Shell, args: Sequence[str], stdin: Stream | None, _fed: Stream | None) -> Stream:
    """`read` puts a line of its input into variables, field by field; the names `find` prints are such lines."""
    stdin = _chosen(shell, args, stdin)
    names: list[str] = []
    whole = array = False
    index = 0
    while index < len(args):
        word = args[index]
        index += 1
        if word[:1] == "-" and len(word) > 1:
            letter = word[-1]
            array = array or "a" in word[1:]
            whole = whole or (letter == "d" and args[index : index + 1] == [""])
            index += letter in "dinNptu" and len(word) == 2
        elif word.isidentifier():
            names.append(word)
    scope = shell.scope
    made = _carried(shell, stdin)
    names = names or ["REPLY"]
    text = stdin.text if stdin is not None else None
    if text is None:
        values = as_values(stdin.names) if stdin is not None and stdin.names else (UNKNOWN,)
        for name in names:
            scope.assign(name, values if len(names) == 1 else (UNKNOWN,), made)
        return Stream("")
    lines = [text] if whole else [line for line in text.split("\n") if line][:MAX_READ] or [""]
    if array:
        scope.assign(names[0], (SPLIT.join(_fields(shell, lines[0])),), made)
    elif len(names) == 1:
        scope.assign(names[0], tuple(dict.fromkeys(line.strip() for line in lines))[:16], made)
    else:
        rows = [_fields(shell, line) for line in lines[:8]]
        for at, name in enumerate(names):
            last = at == len(names) - 1
            picked = [" ".join(row[at:]) if last else row[at] if at < len(row) else "" for row in rows]
            scope.assign(name, tuple(dict.fromkeys(picked)), made)
    return Stream("")


def _fields(shell: Shell, line: str) -> list[str]:
    """A line split at IFS, also one that is set for this `read` alone."""
    scope = shell.scope
    separators = next((word[4:] for word in reversed(scope.via) if word.startswith("IFS=")), None)
    if separators is None and "IFS" in scope.vars:
        separators = scope.vars["IFS"][0]
    for char in separators or "":
        line = line.replace(char, " ")
    return line.split()[:MAX_READ]


def _mapfile(shell: Shell, args: Sequence[str], stdin: Stream | None, _fed: Stream | None) -> Stream:
    """`mapfile` makes an array of the lines of its input."""
    names = [word for at, word in enumerate(args) if word.isidentifier() and args[at - 1][:2] not in ("-d", "-C")]
    stdin = _chosen(shell, args, stdin)
    value = UNKNOWN
    if stdin is not None and stdin.text is not None:
        value = SPLIT.join(stdin.text.split("\n")[:MAX_READ])
    elif stdin is not None and stdin.names:
        value = SPLIT.join(name.replace("**", UNKNOWN) for name in stdin.names)
    shell.scope.assign(names[-1] if names else "MAPFILE", (value,), _carried(shell, stdin))
    return Stream("")


def _chosen(shell: Shell, args: Sequence[str], stdin: Stream | None) -> Stream | None:
    """`read -u 3` reads from a descriptor that `exec` opened."""
    descriptors = shell.scope.descriptors
    for at, word in enumerate(args if descriptors else ()):
        if word[:1] == "-" and "u" in word[1:]:
            number = word.partition("u")[2] or (args[at + 1] if at + 1 < len(args) else "")
            found = [one.stream for key, one in descriptors.items() if number in (key, "**") and one.stream is not None]
            return found[0] if found else Stream()
    return stdin


def _carried(shell: Shell, stdin: Stream | None) -> Stream | None:
    """What a variable that is read from a stream holds."""
    if stdin is None or not stdin.origins:
        return taint(shell)
    return Stream(None, (), stdin.source, stdin.origins)


def _set(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    """`set -- a b` and `set a b` replace the positional parameters."""
    words = list(args)
    while words and words[0] != "--" and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        words = words[2:] if words[0][-1:] == "o" else words[1:]
    if words and words[0] == "--":
        words = words[1:]
    elif not words:
        return None if args else Stream(None, (), "", ("env:*", "run:set"))
    positional(shell, words)
    return Stream("")


def positional(shell: Shell, words: Sequence[str]) -> None:
    """Make these words `$1`, `$2`, … and `$@`."""
    made = taint(shell)
    scope = shell.scope
    for index, word in enumerate(words[:9], 1):
        scope.assign(str(index), as_values([word]), made)
    everything = joined_values(words)
    scope.assign("@", everything, made)
    scope.assign("*", everything, made)


def _shift(shell: Shell, args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream:
    """`shift`: every parameter moves down."""
    scope = shell.scope
    by = int(args[0]) if args and args[0].isdigit() and len(args[0]) < 4 else 1
    held = scope.taints.get("@")
    for value in scope.vars.get("@", ())[:1]:
        fields = value.split(SPLIT)[by:]
        scope.left -= len(fields)
        for index, field in enumerate(fields[:9], 1):
            scope.assign(str(index), (field,), held)
        scope.assign("@", (SPLIT.join(fields),), held)
        scope.assign("*", (SPLIT.join(fields),), held)
    return Stream("")


def _printf(shell: Shell, args: Sequence[str], stdin: Stream | None, _fed: Stream | None) -> Stream | None:
    if len(args) > 1 and args[0][:2] == "-v":
        glued_name = args[0][2:]
        name, rest = (glued_name, args[1:]) if glued_name else (args[1], args[2:])
        out = printed("printf", rest, stdin, shell.scope)
        shell.scope.assign(name, (out.text if out is not None and out.text is not None else UNKNOWN,), taint(shell))
        return Stream("")
    out = printed("printf", args, stdin, shell.scope)
    if out is not None:
        out.origins = (*shell.woven, "run:printf")
    return out


def _quiet(_shell: Shell, _args: Sequence[str], _stdin: Stream | None, _fed: Stream | None) -> Stream:
    return Stream("")


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
    "hash": _hash,
    "enable": _enable,
    "unset": _unset,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "set": _set,
    "shift": _shift,
    "printf": _printf,
    ":": _quiet,
    "true": _quiet,
    "false": _quiet,
    "wait": _quiet,
    "sleep": _quiet,
    "exit": _quiet,
    "shopt": _quiet,
    "disown": _quiet,
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _assigning),
}
