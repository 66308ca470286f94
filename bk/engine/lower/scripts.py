"""Shell text that a command runs: `sh -c`, `eval`, what comes through a pipe, and script files."""

from __future__ import annotations

import re

from bk.engine.lower import flow
from bk.engine.lower.expand import as_values, joined_values
from bk.engine.lower.paths import resolve
from bk.engine.lower.programs import FETCHERS, INTERPRETERS, SHELL_TAKES, SHELLS
from bk.engine.lower.scope import Stream, union
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.shell import Shell

MAX_SCRIPTS = 4
MAX_SCRIPT = 1 << 16
MAX_FOREIGN = 1 << 13
_SHEBANG = re.compile(r"#!\s*(\S+)(?:\s+(?:-S\s+)?(\S+))?")
_FD = ("/dev/stdin", "/proc/self/fd/0", "/dev/fd/0")


def shell_text(
    shell: Shell, text: str, via: tuple[str, ...], stdin: Stream | None, fed: Stream | None = None
) -> Stream | None:
    """Lower the text that `sh -c` or `eval` runs; an unknown text is dark."""
    if type(text) is not Dim:
        return shell.text(text, via, stdin)
    if fed is not None:
        if fed.paths and text.strip("* ") == "" and (held := flow.known(shell.scope, fed, wish=True)) is not None:
            return shell.text(held, via, stdin)
        shell.dark(_origin(fed), fed.source, union(shell.woven, fed.origins))
    elif text.strip("*") == "" or text.startswith("**"):
        shell.dark("computed", text, shell.woven)
    if text.strip("* "):
        return shell.text(text.replace("**", '"$_"'), via, stdin)
    return None


def _origin(stream: Stream) -> str:
    """Text from another machine that is then run is its own kind of darkness."""
    if any(origin.startswith("net:") for origin in stream.origins):
        return "pipe-to-shell"
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
                return piped(shell, name, fed)
            if word in _FD and stdin is not None:
                return piped(shell, name, stdin)
            return run_file(shell, name, word, args[index:], stdin)
        if word == "-n" or (word[:1] == "-" and word[1:].isalpha() and "n" in word and len(word) < 5):
            return None  # it only checks the syntax
        if word in SHELL_TAKES:
            if word in ("--rcfile", "--init-file") and index < end:
                shell.scope.touch(args[index], "read", via=(name,))
                if args[index].startswith("/dev/fd/") and fed is not None:
                    piped(shell, name, fed)
                else:
                    run_file(shell, f"{name} {word}", args[index], (), None)
            index += 1
        elif word[:1] == "-" and word[1:2] != "-" and "c" in word:
            index += "o" in word
            while index < end and args[index][:1] in ("-", "+") and len(args[index]) > 1:
                index += 2 if args[index] in SHELL_TAKES else 1
            if index >= end:
                return None
            before = shell.scope.snapshot()
            for at, value in enumerate(args[index + 1 : index + 11]):
                shell.scope.assign(str(at), as_values([value]))
            shell.scope.assign("@", joined_values(args[index + 2 :]))
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
    text = flow.known(shell.scope, stream, wish=True)
    if text is not None:
        return shell.text(text, (f"| {name}",))
    if stream.source:
        shell.dark("pipe-to-shell", f"{stream.source} | {name}", stream.origins)
    return None


def sourced(shell: Shell, fed: Stream) -> Stream | None:
    """`source <(…)`: the current shell runs what a command prints."""
    text = flow.known(shell.scope, fed, wish=True)
    if text is not None:
        return shell.text(text, ("source",))
    shell.dark(_origin(fed), fed.source, fed.origins)
    return None


def run_file(shell: Shell, how: str, word: str, args: Sequence[str], stdin: Stream | None) -> Stream | None:
    """A file is run: read what this call wrote into it, or what it holds; what was fetched or decoded is dark.

    `how` is the program that runs it (`bash`, `source`, `python3`), empty when the file is the program.
    """
    scope = shell.scope
    path = resolve(word, scope.cwd, scope.home, scope.env)
    if type(word) is Dim or path in shell.running or len(shell.running) >= MAX_SCRIPTS:
        return None
    origins = flow.of_path(scope, path)
    if any(origin.startswith("net:") or origin == "decoded" for origin in origins):
        shell.dark("downloaded", f"{how} {word}".strip(), origins)
    texts = flow.texts(scope, path)
    outer = shell.running, shell.woven
    before = scope.via
    shell.running = (*shell.running, path)
    ours = len(origins) > 1  # written by this session: read all of it
    scope.via += (f"{how} {word}".strip(),)
    out: Stream | None = None
    for text in texts:
        family = _reader(how, text)
        if len(text) > MAX_SCRIPT or "\0" in text:
            continue
        if family in INTERPRETERS:
            if ours or len(text) <= MAX_FOREIGN:
                from bk.engine.lower.interpreters import LANGUAGES, lower_code  # it imports this page

                lower_code(shell, text, LANGUAGES.get(family, "other"), (), args)
        elif family in SHELLS:
            out = _run_text(shell, how, (word, *args), text, stdin)
    shell.running, shell.woven = outer
    scope.via = before
    return out


def _reader(how: str, text: str) -> str:
    """Who reads a script: the program that is given it, or the one its first line names."""
    runner = how.partition(" ")[0].rsplit("/", 1)[-1].lower()
    if not runner:
        shebang = _SHEBANG.match(text)
        if shebang is not None:
            runner = shebang[1].rsplit("/", 1)[-1]
            if runner == "env":
                runner = (shebang[2] or "sh").rsplit("/", 1)[-1]
    if runner in ("", "source", ".", "enable"):
        return "sh"
    return runner.rstrip("0123456789.")


def _run_text(shell: Shell, how: str, words: Sequence[str], text: str, stdin: Stream | None) -> Stream | None:
    """One text as a shell script; only a sourced one leaves its variables behind."""
    scope = shell.scope
    source = how == "source"
    before_state = scope.snapshot()
    if len(words) > 1 or not source:
        for at, value in enumerate(words[:10]):
            scope.assign(str(at), as_values([value]))
        scope.assign("@", joined_values(words[1:]))
        scope.assign("*", joined_values(words[1:]))
    out = shell.text(text, (), stdin)
    if not source:
        scope.restore(before_state)
    return out
