"""What PowerShell's cmdlets do to paths, hosts and other programs; their short names and shortened parameters."""

from __future__ import annotations

from bk.engine.lower import inside, network
from bk.engine.lower.psnames import ALIASES, COMMON, TAKES, full
from bk.engine.lower.scope import Stream, brief, union
from bk.engine.lower.words import Dim
from bk.engine.model import Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.pslex import Part
    from bk.engine.lower.shell import Shell

_QUIET = names(
    "write-output write-host write-verbose write-warning write-error out-null out-host out-string"
    " out-default"
    " get-help help get-command gcm man measure-object format-table ft format-list fl convertto-json"
    " convertfrom-json"
    " sort-object select-object group-object get-member gm get-date get-host get-alias get-variable"
)
MAX_ITEMS = 64


def touch(
    shell: Shell, path: str, mode: str, *, tree: bool = False, content: str | None = None, certain: bool = True
) -> None:
    """A path as Windows spells it."""
    text = path.replace("\\", "/")
    shell.scope.touch(Dim(text) if type(path) is Dim else text, mode, tree=tree, content=content, certain=certain)


class Given:
    """A cmdlet's arguments: parameters by full lower-case name, and what stands without one."""

    __slots__ = ("free", "named")

    def __init__(self) -> None:
        self.named: dict[str, list[str]] = {}
        self.free: list[str] = []

    def has(self, name: str) -> bool:
        """Whether a switch is on: `-confirm:$false` is off."""
        return name in self.named and "false" not in "".join(self.named[name]).lower()

    def paths(self, place: int = 0) -> list[str]:
        """The paths given by name, else the operands from a place on."""
        return self.named.get("-path") or self.named.get("-literalpath") or self.free[place:]


def given(words: Sequence[str], parts: Sequence[Part]) -> tuple[Given, list[str]]:
    """Parameters and operands, and the words as a rule would like to see them."""
    made = Given()
    spelled: list[str] = []
    waiting = ""
    comma = False
    for word, part in zip(words, parts, strict=False):
        if part.kind == "redirect":
            break
        if part.kind == "member":
            continue
        if part.kind == "comma":
            comma = True
            continue
        if part.kind == "word" and word[:1] in "-–—" and len(word) > 1 and not word[1:2].isdigit():
            waiting = full("-" + word.lstrip("-–—"))
            value = word.partition(":")[2]
            made.named.setdefault(waiting, [])
            spelled.append(waiting + (f":{value}" if value else ""))
            if value:
                made.named[waiting].append(value)
                waiting = ""
            elif waiting not in TAKES and waiting not in COMMON:
                waiting = ""
            comma = False
            continue
        pieces = [word] if part.kind != "word" or "," not in word else [one for one in word.split(",") if one]
        for piece in pieces[:MAX_ITEMS]:
            one = Dim(piece) if type(word) is Dim else piece
            spelled.append(one)
            if (waiting and (not made.named[waiting] or comma)) or (comma and waiting):
                made.named[waiting].append(one)
            else:
                made.free.append(one)
                waiting = ""
        comma = part.kind == "word" and word[-1:] == ","
    return made, spelled


def act(
    shell: Shell,
    words: list[str],
    parts: list[Part],
    blocks: list[str],
    *,
    stdin: Stream | None,
    taken: tuple[str, ...],
    script: Callable[..., Stream | None],
) -> Stream | None:
    """One command of a pipeline."""
    if parts and parts[0].kind in ("word", "text") and words and words[0] in ("&", "."):
        words, parts = words[1:], parts[1:]
        if parts and parts[0].kind == "text":
            parts[0].kind = "word"
    if not words:
        return None
    for block in blocks:
        script(shell, block)
    if parts[0].kind not in ("word",) or type(words[0]) is Dim:
        return None
    name = words[0].lower().removesuffix(".exe")
    name = ALIASES.get(name, name)
    if "::" in name or name[:1] in "[@" or name[:1].isdigit() or name in _KEYWORDS:
        return None
    doer = _DOERS.get(name)
    if doer is None and "-" not in name:
        return native(shell, _native(words, parts), stdin)
    found, spelled = given(words[1:], parts[1:])
    scope = shell.scope
    run = Run([name, *spelled], cwd=scope.cwd, via=scope.via, certain=not any(type(one) is Dim for one in spelled))
    run.takes = union(taken, stdin.origins if stdin is not None else ())
    scope.emit(run)
    mark = len(scope.actions)
    out: Stream | None = None
    if doer is not None:
        out = doer(shell, found, stdin, taken, script)
    else:
        _other(shell, name, found)
    for action in scope.actions[mark:]:
        if action.word in ("connect", "opaque") or getattr(action, "mode", "") == "write":
            action.takes = union(action.takes, run.takes)
    return out


_KEYWORDS = names(
    "if else elseif while do for switch try catch finally return throw function param begin process"
    " end break"
    " continue exit using class enum trap data in until filter + - * / = , ! not"
)


def _native(words: Sequence[str], parts: Sequence[Part]) -> list[str]:
    made: list[str] = []
    for word, part in zip(words, parts, strict=False):
        if part.kind == "redirect":
            break
        if part.kind not in ("comma", "member"):
            made.append(word)
    return made


def native(shell: Shell, words: Sequence[str], stdin: Stream | None) -> Stream | None:
    """A program that is no cmdlet."""
    return inside.run(shell, list(words), (), stdin)


def _remove(shell: Shell, found: Given, stdin: Stream | None, _taken: tuple[str, ...], _script: object) -> None:
    if found.has("-whatif"):
        return
    deep = found.has("-recurse")
    paths = found.paths() or (list(stdin.names) if stdin is not None else [])
    for path in paths:
        if path[:6].lower() not in ("env:\\", "hkcu:\\", "hklm:\\") and "variable:" not in path.lower():
            touch(shell, path, "delete", tree=deep)


def _read(shell: Shell, found: Given, _stdin: Stream | None, _taken: tuple[str, ...], _script: object) -> Stream:
    origins: tuple[str, ...] = ()
    for path in found.paths():
        touch(shell, path, "read")
        origins += (f"file:{getattr(shell.scope.actions[-1], 'path', path)}",)
    return Stream(None, (), "get-content", origins)


def _write(shell: Shell, found: Given, stdin: Stream | None, _taken: tuple[str, ...], _script: object) -> None:
    paths = (
        found.named.get("-path") or found.named.get("-literalpath") or found.named.get("-filepath") or found.free[:1]
    )
    value = found.named.get("-value") or (found.free[1:2] if not found.named.get("-path") else found.free[:1])
    text = value[0] if value and type(value[0]) is not Dim else stdin.text if stdin is not None else None
    for path in paths:
        touch(shell, path, "write", content=text)


def _append(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: object) -> None:
    del stdin, taken, script
    for path in found.named.get("-path") or found.named.get("-literalpath") or found.free[:1]:
        touch(shell, path, "write")


def _empty(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: object) -> None:
    del stdin, taken, script
    for path in found.paths():
        touch(shell, path, "write", content="")


def _copy(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: object) -> None:
    del stdin, taken, script
    _two(shell, found, "read")


def _move(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: object) -> None:
    del stdin, taken, script
    _two(shell, found, "delete")


def _two(shell: Shell, found: Given, mode: str) -> None:
    if found.has("-whatif"):
        return
    named = found.named.get("-path") or found.named.get("-literalpath")
    sources = named or found.free[:1]
    target = found.named.get("-destination") or (found.free if named else found.free[1:])[:1]
    for path in sources:
        touch(shell, path, mode, tree=mode == "delete" or found.has("-recurse"))
    for path in target:
        touch(shell, path, "write")


def _list(shell: Shell, found: Given, _stdin: Stream | None, _taken: tuple[str, ...], _script: object) -> Stream:
    deep = found.has("-recurse")
    names_ = found.paths() or ["."]
    pattern = (found.named.get("-filter") or found.named.get("-include") or [""])[0]
    for path in names_:
        touch(shell, path, "list", tree=deep)
    tails = "/" + pattern if pattern else ""
    return Stream(
        None,
        [
            Dim(path.replace("\\", "/").rstrip("/") + ("/**" if deep else "/*" if not tails else "") + tails)
            for path in names_
        ],
    )


def _go(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: object) -> None:
    del stdin, taken, script
    for path in found.paths()[:1]:
        shell.scope.chdir(path)


def _web(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], _script: object) -> Stream:
    scope = shell.scope
    urls = found.named.get("-uri") or found.named.get("-source") or found.free[:1]
    method = (found.named.get("-method") or ["GET"])[0].upper()
    body = found.named.get("-body") or found.named.get("-form") or found.named.get("-infile")
    for path in found.named.get("-infile", ()):
        touch(shell, path, "read")
    for path in found.named.get("-outfile") or found.named.get("-destination") or ():
        touch(shell, path, "write")
    hosts: tuple[str, ...] = ()
    for url in urls:
        mark = len(scope.actions)
        network.connect(url, scope, sends=bool(body) or method in ("POST", "PUT", "PATCH"), method=method)
        for action in scope.actions[mark:]:
            action.takes = union(action.takes, union(taken, stdin.origins if stdin is not None else ()))
            hosts += (f"net:{getattr(action, 'host', '')}",)
    return Stream(None, (), "invoke-webrequest", union(hosts, ("run:invoke-webrequest",)))


def _evaluate(
    shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: Callable[..., Stream | None]
) -> Stream | None:
    """`iex TEXT`: read when known; else it says where the text came from."""
    words = found.named.get("-command") or found.free
    text = " ".join(words)
    came = union(taken, stdin.origins if stdin is not None else ())
    if not words and stdin is not None and stdin.text is not None:
        return script(shell, stdin.text, ("iex",))
    if "decoded" in came:
        shell.dark("decoded", brief(text), came)
    if any(one.startswith("net:") for one in came):
        shell.dark("pipe-to-shell", brief(f"{stdin.source if stdin is not None else text} | iex"), came)
    elif words and type(text) is str and not any(type(one) is Dim for one in words):
        return script(shell, text, ("iex",))
    elif "decoded" not in came:
        shell.dark("computed", f"iex {text}", came)
    return None


def _start(shell: Shell, found: Given, _stdin: Stream | None, _taken: tuple[str, ...], _script: object) -> None:
    """`Start-Process PROGRAM -ArgumentList a,b -Verb RunAs`."""
    program = found.named.get("-filepath") or found.free[:1]
    rest = found.named.get("-argumentlist") or (found.free if found.named.get("-filepath") else found.free[1:])
    words = [piece for one in rest for piece in (one.split() if " " in one and type(one) is not Dim else [one])]
    raised = "runas" in "".join(found.named.get("-verb", ())).lower()
    if program:
        inside.run(shell, [*program[:1], *words], ("sudo",) if raised else ("start-process",))


def _command(
    shell: Shell, found: Given, _stdin: Stream | None, _taken: tuple[str, ...], script: Callable[..., Stream | None]
) -> None:
    """Its script block has been lowered here; on another computer it is said to be there."""
    del script
    hosts = found.named.get("-computername") or found.named.get("-hostname")
    for host in (hosts or ())[:4]:
        network.connect(f"winrm://{host}", shell.scope, sends=True)


def _other(shell: Shell, name: str, found: Given) -> None:
    """A cmdlet nobody described: paths it is given may be read, unless it only shows things."""
    if name in _QUIET:
        return
    for path in (*found.named.get("-path", ()), *found.named.get("-literalpath", ())):
        touch(
            shell,
            path,
            "list" if name.startswith(("get-", "test-", "resolve-", "split-", "join-")) else "read",
            certain=False,
        )
    return


def _said(shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], _script: object) -> Stream:
    del shell, stdin
    dim = any(type(one) is Dim for one in found.free)
    return Stream(None if dim else " ".join(found.free), tuple(found.free) if dim else (), "write-output", taken)


def _through(
    shell: Shell, found: Given, stdin: Stream | None, taken: tuple[str, ...], script: Callable[..., Stream | None]
) -> Stream | None:
    """`% { … }` and `? { … }`: what flows in flows on; the block has been lowered."""
    del shell, found, taken, script
    return stdin


_DOERS: dict[str, Callable[..., Stream | None]] = {
    "remove-item": _remove,
    "get-content": _read,
    "import-csv": _read,
    "import-clixml": _read,
    "select-string": _read,
    "set-content": _write,
    "out-file": _write,
    "new-item": _write,
    "tee-object": _write,
    "export-csv": _write,
    "export-clixml": _write,
    "set-item": _write,
    "add-content": _append,
    "clear-content": _empty,
    "clear-item": _empty,
    "copy-item": _copy,
    "move-item": _move,
    "rename-item": _move,
    "get-childitem": _list,
    "set-location": _go,
    "push-location": _go,
    "invoke-webrequest": _web,
    "invoke-restmethod": _web,
    "start-bitstransfer": _web,
    "invoke-expression": _evaluate,
    "start-process": _start,
    "invoke-command": _command,
    "write-output": _said,
    "foreach-object": _through,
    "where-object": _through,
    "select-object": _through,
    "sort-object": _through,
}
