"""cmd.exe: `/c` texts and what its builtins do to paths."""

from __future__ import annotations

import re

from bk.engine.lower import inside
from bk.engine.lower.scope import Stream
from bk.engine.lower.words import Dim
from bk.engine.model import Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.shell import Shell

MAX_DEPTH = 8
_SPLIT = re.compile(r'"[^"]*"?|\^.|&&|\|\||[&|()\n]|[^"^&|()\n]+', re.DOTALL)
_WORD = re.compile(r'(?:"[^"]*"?|\^.|[^\s"^])+', re.DOTALL)
_VARIABLE = r"%([A-Za-z_][\w()]*)(?::[^%]*)?%|!([A-Za-z_]\w*)!"
_REDIRECT = r"^(\d?)(>>?|<)(&\d)?(.*)$"
_FLAG = r"/[A-Za-z?](?:[:-].*)?|/-[A-Za-z]"
_FOLDERS = {
    "userprofile": "~", "homepath": "~", "home": "~", "appdata": "~/AppData/Roaming", "localappdata": "~/AppData/Local",
    "systemroot": "C:/Windows", "windir": "C:/Windows", "systemdrive": "C:", "programfiles": "C:/Program Files",
    "programdata": "C:/ProgramData", "temp": "~/AppData/Local/Temp",
    "tmp": "~/AppData/Local/Temp", "homedrive": "C:", "public": "C:/Users/Public",
    "cd": ".",
}  # fmt: skip
_BUILTINS = names(
    "del erase rd rmdir copy xcopy move ren rename type md mkdir mklink dir cd chdir pushd echo rem set cls pause"
    " ver vol"
    " exit title color prompt path date time break verify popd setlocal endlocal goto shift assoc ftype"
)


def run(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> None:
    """`cmd [/s /q /v:on] /c TEXT…`: everything behind `/c` is one text."""
    for at, word in enumerate(args):
        low = word.lower()
        if low[:2] in ("/c", "/k", "/r") or low in ("//c", "-c"):
            head = word[2:] if low[:2] != "//" and low != "-c" else ""
            rest = ([head] if head else []) + list(args[at + 1 :])
            if len(rest) == 1 or not any(" " in one for one in rest):
                text = " ".join(rest)
            else:
                text = " ".join(f'"{one}"' if " " in one and index else one for index, one in enumerate(rest))
            script(shell, text, (f"{name} /c",), dim=any(type(one) is Dim for one in rest))
            return
    if stdin is not None and not [word for word in args if word[:1] != "/"]:
        if stdin.text is not None:
            script(shell, stdin.text, (f"| {name}",))
        elif stdin.source:
            shell.dark("pipe-to-shell", f"{stdin.source} | {name}", stdin.origins)


def script(shell: Shell, text: str, via: tuple[str, ...] = (), *, dim: bool = False) -> None:
    """Lower a cmd text: commands between `&`, `&&`, `||`, `|` and brackets."""
    scope = shell.scope
    if shell.depth >= MAX_DEPTH:
        shell.dark("depth", text)
        return
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    before = scope.via
    scope.via += via
    state = scope.snapshot()
    shell.depth += 1
    try:
        out: Stream | None = None
        for piped, command in _commands(text):
            scope.left -= 1
            out = _command(shell, command, out if piped else None, dim=dim)
    finally:
        shell.depth -= 1
        scope.via = before
        scope.restore(state)


def _commands(text: str) -> list[tuple[bool, str]]:
    """(fed by a pipe, text) of each command."""
    found: list[tuple[bool, str]] = []
    current: list[str] = []
    piped = False
    for match in _SPLIT.finditer(text):
        piece = match[0]
        if piece in ("&", "&&", "||", "|", "(", ")", "\n"):
            if piece == "&" and current and current[-1].rstrip()[-1:] == ">":
                current.append(piece)
                continue
            found.append((piped, "".join(current)))
            current, piped = [], piece == "|"
        else:
            current.append(piece)
    found.append((piped, "".join(current)))
    return [(fed, command.strip()) for fed, command in found if command.strip()]


def _expanded(word: str, shell: Shell) -> str:
    dim = False

    def value(match: re.Match[str]) -> str:
        nonlocal dim
        name = (match[1] or match[2]).lower()
        folder = _FOLDERS.get(name)
        if folder is not None:
            return folder.replace("~", shell.scope.home, 1)
        known = shell.scope.vars.get("%" + name)
        if known:
            return known[0]
        dim = True
        return "**"

    text = re.sub(_VARIABLE, value, word) if "%" in word or "!" in word else word
    text = re.sub(r"\^(.)", r"\1", text).replace('"', "")
    return Dim(text) if dim else text


def _command(shell: Shell, text: str, stdin: Stream | None, *, dim: bool) -> Stream | None:
    words: list[str] = []
    scope = shell.scope
    outputs: list[str] = []
    waiting = ""
    for match in _WORD.finditer(text.lstrip("@ ")):
        raw = match[0]
        redirect = re.match(_REDIRECT, raw) if raw[:1] in "<>12" and (">" in raw[:3] or "<" in raw[:2]) else None
        if waiting:
            if raw[:1] != "&":
                (outputs.append if waiting != "<" else lambda path: scope.touch(path, "read"))(_expanded(raw, shell))
            waiting = ""
        elif redirect is not None:
            if redirect[3]:
                continue
            target = redirect[4]
            if not target:
                waiting = redirect[2]
            elif redirect[2] == "<":
                scope.touch(_expanded(target, shell), "read")
            else:
                outputs.append(_expanded(target, shell))
        else:
            words.append(_expanded(raw, shell))
    words = _prefixes(words)
    out = _act(shell, words, stdin, dim=dim) if words else None
    for path in outputs:
        if path.lower() not in ("nul", "con", "nul:"):
            scope.touch(slashed(path), "write", content=out.text if out is not None else None)
    return out


def _prefixes(words: list[str]) -> list[str]:
    """`call`, `start "" /b`, `if exist x`, `for … do` stand before the command."""
    for _ in range(8):
        if not words:
            break
        first = words[0].lower()
        if first == "call":
            words = words[1:]
        elif first == "start":
            rest = words[1:]
            while rest and (rest[0] == "" or rest[0][:1] == "/"):
                rest = rest[1:]
            words = rest
        elif first == "if":
            rest = words[1:]
            while rest and rest[0].lower() in ("/i", "not"):
                rest = rest[1:]
            words = (
                rest[2:]
                if rest and rest[0].lower() in ("exist", "defined", "errorlevel")
                else rest[3 if len(rest) > 1 and rest[1].lower() in ("equ", "neq", "==") else 1 :]
            )
        elif first in ("for", "do", "else"):
            low = [word.lower() for word in words]
            words = (
                words[low.index("do") + 1 :] if first == "for" and "do" in low else words[1:] if first != "for" else []
            )
        else:
            break
    return words


def _act(shell: Shell, words: list[str], stdin: Stream | None, *, dim: bool) -> Stream | None:
    scope = shell.scope
    name = words[0].lower().removesuffix(".exe")
    glued = re.match(r"(del|erase|rd|rmdir|copy|move|type|cd|md|echo)([./\\].*)$", name)
    if glued is not None:
        words = [glued[1], words[0][len(glued[1]) :], *words[1:]]
        name = glued[1]
    if name not in _BUILTINS:
        return inside.run(shell, words, (), stdin)
    flags = [word.lower() for word in words[1:] if re.fullmatch(_FLAG, word)]
    operands = [slashed(word) for word in words[1:] if word and not re.fullmatch(_FLAG, word)]
    letters = "".join(flags)
    run = Run([name, *flags, *operands], cwd=scope.cwd, via=scope.via, certain=not dim)
    scope.emit(run)
    if name in ("del", "erase"):
        for path in operands:
            scope.touch(_glob(path), "delete", tree="/s" in letters)
    elif name in ("rd", "rmdir"):
        for path in operands:
            scope.touch(path, "delete", tree="/s" in letters)
    elif name == "type":
        for path in operands:
            scope.touch(_glob(path), "read")
    elif name in ("copy", "xcopy", "move", "ren", "rename"):
        for path in operands[:1]:
            scope.touch(_glob(path), "read" if "copy" in name else "delete", tree=name in ("xcopy", "move"))
        for path in operands[1:2]:
            scope.touch(path, "write")
    elif name in ("cd", "chdir", "pushd"):
        for path in operands[:1]:
            scope.chdir(path)
    elif name == "set":
        key, equals, value = " ".join(words[1:]).partition("=")
        if equals:
            scope.assign("%" + key.lower(), (value,))
    elif name == "mklink":
        for path in operands[1:2]:
            scope.touch(path, "read", tree=True)
        for path in operands[:1]:
            scope.touch(path, "write")
    elif name == "echo":
        return Stream(" ".join(words[1:]) + "\n")
    return None


def slashed(path: str) -> str:
    """A path as the rest of the house spells it."""
    text = path.replace("\\", "/")
    return Dim(text) if type(path) is Dim else text


def _glob(path: str) -> str:
    return Dim(path) if "*" in path or "?" in path else path
