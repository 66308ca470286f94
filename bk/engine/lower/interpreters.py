"""Programs that run program text: shells, other languages' interpreters, and text that comes through a pipe."""

from __future__ import annotations

from bk.engine.lower.code import scan
from bk.engine.lower.expand import as_values, joined_values
from bk.engine.lower.operands import effects
from bk.engine.lower.programs import FETCHERS, INTERPRETER_TAKES, SHELL_TAKES
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell


def shell_text(
    shell: Shell, text: str, via: tuple[str, ...], stdin: Stream | None, fed: Stream | None = None
) -> Stream | None:
    """Lower the text that `sh -c` or `eval` runs; an unknown text is dark."""
    if type(text) is not Dim:
        return shell.text(text, via, stdin)
    if fed is not None:
        shell.dark(_origin(fed), fed.source)
    elif text.strip("*") == "" or text.startswith("**"):
        shell.dark("computed", text)
    if text.strip("* "):
        return shell.text(text.replace("**", '"$_"'), via, stdin)
    return None


def _origin(stream: Stream) -> str:
    """Text from another machine that is then run is its own kind of darkness."""
    return "pipe-to-shell" if any(name in stream.source for name in FETCHERS) else "computed"


def run_shell(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    """`sh -c TEXT`, `sh FILE`, or `sh` reading what comes through the pipe."""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] not in "-+" or word in ("-", ""):
            if word == "-":
                continue
            shell.scope.touch(word, "read", via=(name,))
            if word.startswith("/dev/fd/") and fed is not None:
                piped(shell, name, fed)
            if word in ("/dev/stdin", "/proc/self/fd/0") and stdin is not None:
                piped(shell, name, stdin)
            return None
        if word == "-n" or (word[:1] == "-" and word[1:].isalpha() and "n" in word and len(word) < 5):
            return None  # it only checks the syntax
        if word in SHELL_TAKES:
            if word in ("--rcfile", "--init-file") and index < end:
                shell.scope.touch(args[index], "read", via=(name,))
            index += 1
        elif word[:1] == "-" and word[1:2] != "-" and "c" in word:
            index += "o" in word
            while index < end and args[index][:1] in ("-", "+") and len(args[index]) > 1:
                index += 2 if args[index] in SHELL_TAKES else 1
            if index >= end:
                return None
            for at, value in enumerate(args[index + 1 : index + 11]):
                shell.scope.assign(str(at), as_values([value]))
            shell.scope.assign("@", joined_values(args[index + 2 :]))
            before = shell.scope.snapshot()
            out = shell_text(shell, args[index], (f"{name} -c",), stdin, fed)
            shell.scope.restore(before)
            return out
        elif word[1:2] != "-" and "o" in word and len(word) < 8:
            index += 1
        elif word == "-s" or (word[1:2] != "-" and "s" in word):
            break
    if stdin is not None:
        return piped(shell, name, stdin)
    return None


def piped(shell: Shell, name: str, stream: Stream) -> Stream | None:
    """What a shell reads from a pipe: lowered when it is known, dark when it is not."""
    if stream.text is not None:
        return shell.text(stream.text, (f"| {name}",))
    if stream.source:
        shell.dark("pipe-to-shell", f"{stream.source} | {name}")
    return None


def sourced(shell: Shell, fed: Stream) -> None:
    """`source <(…)`: the current shell runs what a command prints."""
    if fed.text is not None:
        shell.text(fed.text, ("source",))
    else:
        shell.dark(_origin(fed), fed.source)


def run_interpreter(
    shell: Shell, name: str, args: Sequence[str], stdin: Stream | None, options: frozenset[str]
) -> None:
    """One-liners and scripts on stdin are read for what they name; a script file is read by the interpreter."""
    scope = shell.scope
    label = (f"{name} {'-e' if '-e' in options else '-c'}",)
    code: str | None = None
    module = script = False
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        short = word[:1] == "-" and word[1:2] != "-" and len(word) > 2
        if word in options or (short and _bundled(word, options)):
            code = args[index] if index < end else ""
            index += 1
            _code(shell, code, label)
        elif word in ("-m", "--module"):
            module = True
            break
        elif word in INTERPRETER_TAKES:
            index += 1
        elif word[:1] != "-":
            scope.touch(word, "read", certain=script is False or code is not None)
            script = True
            if code is None:
                effects("", args[index:], scope)
                return
    if module or code is not None or script:
        if module:
            effects("", args[index:], scope)
        return
    if stdin is not None:
        if stdin.text is not None:
            _code(shell, stdin.text, label)
        elif stdin.source:
            shell.dark("pipe-to-shell", f"{stdin.source} | {name}")


def _bundled(word: str, options: frozenset[str]) -> bool:
    """`perl -ne`, `python -Ic`: the last letter of a bundle takes the code."""
    return "-" + word[-1] in options and word[1:].isalpha() and len(word) < 6


def _code(shell: Shell, code: str, label: tuple[str, ...]) -> None:
    scope = shell.scope
    before = scope.via
    scope.via += label
    for text in scan(code, scope):
        shell.text(text, ("sh -c",))
    scope.via = before
