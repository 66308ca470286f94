"""Interpreters of other languages: one-liners and scripts on stdin are evaluated for what they do."""

from __future__ import annotations

import re

from bk.engine.lower.flow import known
from bk.engine.lower.operands import effects
from bk.engine.lower.programs import INTERPRETER_TAKES
from bk.engine.lower.scripts import run_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

_APPLE = re.compile(r'do shell script "((?:[^"\\]|\\.)*)"')
LANGUAGES = {
    "python": "python", "pypy": "python", "ipython": "python", "py": "python", "pythonw": "python", "bpython": "python",
    "micropython": "python", "xonsh": "python", "sage": "python", "jython": "python",
    "node": "js", "nodejs": "js", "bun": "js", "deno": "js", "tsx": "js", "ts-node": "js", "qjs": "js", "d8": "js",
    "osascript-js": "js", "jsc": "js", "esno": "js", "jjs": "js",
    "perl": "perl", "ruby": "ruby", "jruby": "ruby", "irb": "ruby", "crystal": "ruby", "php": "php", "hhvm": "php",
    "lua": "lua", "luajit": "lua", "texlua": "lua", "emacs": "lisp", "guile": "lisp", "sbcl": "lisp", "clojure": "lisp",
    "racket": "lisp", "bb": "lisp", "chez": "lisp",
}  # fmt: skip


def run_interpreter(
    shell: Shell, name: str, args: Sequence[str], stdin: Stream | None, options: frozenset[str]
) -> None:
    """One-liners and scripts on stdin are evaluated; a script file is read by the interpreter."""
    plain = name.rstrip("0123456789.")
    if plain in ("powershell", "pwsh", "powershell_ise"):
        from bk.engine.lower import powershell

        powershell.run(shell, name, args, stdin)
        return
    if plain == "cmd":
        from bk.engine.lower import cmdexe

        cmdexe.run(shell, name, args, stdin)
        return
    scope = shell.scope
    label = (f"{name} {'-e' if '-e' in options else '-c'}",)
    language = LANGUAGES.get(plain, "other")
    code: str | None = None
    module = script = False
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        short = word[:1] == "-" and word[1:2] != "-" and len(word) > 2
        option, equals, value = word.partition("=")
        glued = _glued(word, options) if short else ""
        if word in options or (short and _bundled(word, options)):
            code = args[index] if index < end else ""
            index += 1
            lower_code(shell, code, language, label, args[index:])
        elif equals and option in options and option[:2] == "--":
            code = value
            lower_code(shell, code, language, label, args[index:])
        elif glued:
            code = glued
            lower_code(shell, code, language, label, args[index:])
        elif word in ("-m", "--module"):
            module = True
            break
        elif word in INTERPRETER_TAKES:
            index += 1
        elif word[:1] == "-" and word != "-" and _in_place(name, word):
            for operand in args[index:]:
                if operand[:1] != "-" and operand not in _codes(args, options):
                    scope.touch(operand, "write")
        elif word == "--" and code is not None:
            break
        elif word[:1] != "-":
            scope.touch(word, "read", certain=script is False or code is not None)
            script = True
            if code is None:
                run_file(shell, name, word, args[index:], None)
                effects("", args[index:], scope)
                return
    if module or code is not None or script:
        if module:
            effects("", args[index:], scope)
        return
    if stdin is not None:
        text = known(scope, stdin, wish=True)
        if text is not None:
            lower_code(shell, text, language, label, ())
        elif stdin.source:
            shell.dark("pipe-to-shell", f"{stdin.source} | {name}", stdin.origins)


def _bundled(word: str, options: frozenset[str]) -> bool:
    """`perl -ne`, `python -Ic`: the last letter of a bundle takes the code."""
    return "-" + word[-1] in options and word[1:].isalpha() and len(word) < 6


def _glued(word: str, options: frozenset[str]) -> str:
    """`-c'code'` written as one word; "" when it is something else."""
    for option in options:
        if len(option) == 2 and word.startswith(option) and not word[2:].isalnum():
            return word[2:]
    return ""


def _in_place(name: str, word: str) -> bool:
    """`perl -pi`, `ruby -i.bak`: the files named are changed."""
    letters = word[1:].partition(".")[0]
    return name[:4] in ("perl", "ruby") and "i" in letters and word[1:2] != "-" and word[1:2] not in "IMmrx"


def _codes(args: Sequence[str], options: frozenset[str]) -> set[str]:
    return {args[at + 1] for at, word in enumerate(args[:-1]) if word in options or _bundled(word, options)}


def lower_code(shell: Shell, code: str, language: str, label: tuple[str, ...], args: Sequence[str] = ()) -> None:
    """A program text in another language."""
    from bk.engine.lower.code import scan

    if "do shell script" in code:
        for match in _APPLE.finditer(code):
            shell.text(match[1].replace('\\"', '"').replace("\\\\", "\\"), (*label, "do shell script"))
    scope = shell.scope
    before = scope.via
    scope.via += label
    state = scope.snapshot()
    try:
        scan(shell, code, language, args)
    finally:
        scope.via = before
        scope.restore(state)
