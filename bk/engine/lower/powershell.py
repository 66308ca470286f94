"""PowerShell: `-Command`, `-EncodedCommand` and the tool's own text, read for what its cmdlets do."""

from __future__ import annotations

import re

from bk.engine.lower import cmdlets
from bk.engine.lower.pslex import Part, parse
from bk.engine.lower.scope import Stream, brief
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.shell import Shell

MAX_DEPTH = 8
MAX_NESTING = 40
_OPTIONS = {
    "command": "text",
    "c": "text",
    "encodedcommand": "encoded",
    "e": "encoded",
    "ec": "encoded",
    "en": "encoded",
    "file": "file",
    "f": "file",
    "commandwithargs": "text",
    "cwa": "text",
    "executionpolicy": "value",
    "ex": "value",
    "ep": "value",
    "windowstyle": "value",
    "w": "value",
    "version": "value",
    "inputformat": "value",
    "if": "value",
    "outputformat": "value",
    "of": "value",
    "o": "value",
    "configurationname": "value",
    "workingdirectory": "value",
    "wd": "value",
    "psconsolefile": "value",
    "settingsfile": "value",
    "custompipename": "value",
}
_LONG = (
    "encodedcommand",
    "command",
    "file",
    "executionpolicy",
    "windowstyle",
    "inputformat",
    "outputformat",
    "version",
    "workingdirectory",
    "configurationname",
)
_SOCKET = r"(?i)net\.sockets\.(?:tcpclient|socket|tcplistener|udpclient)"
_STREAMED = r"(?i)getstream|streamreader|networkstream|\.receive\("
_HOST = r"(?i)(?:tcpclient|\.connect)\s*\(?\s*['\"]([^'\"]+)['\"]\s*,\s*(\d{1,5})"
_STATIC = (
    r"(?i)\[(?:system\.)?(?:io\.)(file|directory)\]::(\w+)\(\s*(?:'([^']*)'|\"([^\"]*)\"|(\$[\w:]+))"
    r"(?:\s*,\s*(?:'([^']*)'|\"([^\"]*)\"|\$(true|false)))?"
)
_DOWNLOADS = (
    r"(?i)\.(download(?:string|data|file)(?:async)?|openread|upload\w+|getstringasync|getasync)"
    r"\(\s*['\"]([^'\"]+)['\"](?:\s*,\s*['\"]([^'\"]+)['\"])?"
)
_DECODES = (
    r"(?i)frombase64string|frombase64chararray|gzipstream|deflatestream|-bxor"
    r"|\[char\[?\]?\]|-join|-replace|\[convert\]::to"
)
_LITERAL64 = r"(?i)frombase64string\(\s*['\"]([A-Za-z0-9+/=\s]+)['\"]"
_STARTS = (
    r"(?i)\[(?:system\.)?(?:diagnostics\.)?process\]::start\(\s*['\"]([^'\"]+)['\"](?:\s*,\s*['\"]([^'\"]*)['\"])?"
)


def run(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> None:
    """`powershell [options] TEXT…`; what is no option is the text, or for pwsh a script."""
    index, end = 0, len(args)
    via = (f"{name} -Command",)
    while index < end:
        word = args[index]
        kind = _option(word)
        if kind is None:
            break
        index += 1
        if kind == "text":
            rest = args[index:]
            if rest and rest[0] == "-":
                break
            script(shell, " ".join(rest), via, dim=any(type(one) is Dim for one in rest))
            return
        if kind == "encoded":
            _encoded(shell, args[index] if index < end else "", name)
            return
        if kind == "file":
            for one in args[index : index + 1]:
                shell.scope.touch(one, "read", via=(name,))
            return
        index += kind == "value"
    rest = [word for word in args[index:] if word != "-"]
    if rest:
        if rest[0].lower().endswith(".ps1"):
            shell.scope.touch(rest[0], "read", via=(name,))
        else:
            script(shell, " ".join(rest), via, dim=any(type(one) is Dim for one in rest))
    elif stdin is not None:
        if stdin.text is not None:
            script(shell, stdin.text, (f"| {name}",))
        elif stdin.source:
            shell.dark("pipe-to-shell", f"{stdin.source} | {name}", stdin.origins)


def _option(word: str) -> str | None:
    """What an option takes: any beginning of its name will do, in any case, with `-`, `--` or `/`."""
    if word[:1] not in "-/–—" or len(word) < 2:
        return None
    name = word.lstrip("-/–—").lower()
    kind = _OPTIONS.get(name)
    if kind is None:
        full = next((one for one in _LONG if len(name) > 1 and one.startswith(name)), "")
        kind = _OPTIONS.get(full, "")
    return kind


def _encoded(shell: Shell, word: str, name: str) -> None:
    """Base64 of UTF-16: what it says is lowered, and that it was hidden is said too."""
    import base64

    shell.dark("decoded", f"{name} -EncodedCommand {brief(word)}", ("decoded",))
    try:
        text = base64.b64decode(word + "=" * (-len(word) % 4)).decode("utf-16-le")
    except ValueError:
        return
    script(shell, text, (f"{name} -EncodedCommand",))


def script(shell: Shell, text: str, via: tuple[str, ...] = (), *, dim: bool = False) -> Stream | None:
    """Lower a PowerShell text."""
    scope = shell.scope
    if shell.depth >= MAX_DEPTH:
        shell.dark("depth", text)
        return None
    before = scope.via
    scope.via += via
    shell.depth += 1
    state = scope.snapshot()
    try:
        if dim and not text.strip("* "):
            shell.dark("computed", text)
            return None
        _plain(shell, text)
        return _block(shell, text)
    finally:
        shell.depth -= 1
        scope.via = before
        if via:
            scope.restore(state)


def _plain(shell: Shell, text: str) -> None:
    """.NET calls, found in the text itself."""
    scope = shell.scope
    if "::" in text or "." in text:
        for match in re.finditer(_STATIC, text):
            path = match[3] or match[4] or match[5] or ""
            _static(shell, match[1].lower(), match[2].lower(), path, match)
        for match in re.finditer(_STARTS, text):
            cmdlets.native(shell, [match[1], *(match[2] or "").split()], None)
    if "iex" in text.lower() or "invoke-expression" in text.lower() or "scriptblock" in text.lower():
        for match in re.finditer(_LITERAL64, text):
            _hidden(shell, match[1])
    if re.search(_SOCKET, text):
        for match in re.finditer(_HOST, text):
            from bk.engine.lower.network import connect

            connect(f"{match[1]}:{match[2]}", scope, sends=True)
        if re.search(_STREAMED, text):
            shell.dark("reverse-shell", text, ("unknown",))


def _hidden(shell: Shell, text: str) -> None:
    """A text in base64 that is evaluated."""
    import base64

    try:
        data = base64.b64decode(text)
    except ValueError:
        return
    wide = len(data) > 1 and data[1] == 0
    script(shell, data.decode("utf-16-le" if wide else "utf-8", errors="replace"), ("iex",))


_FILE_CALLS = {
    "delete": "delete",
    "readalltext": "read",
    "readallbytes": "read",
    "readalllines": "read",
    "writealltext": "write",
    "writeallbytes": "write",
    "writealllines": "write",
    "appendalltext": "write",
    "create": "write",
    "openread": "read",
    "openwrite": "write",
    "open": "read",
    "copy": "copy",
    "move": "move",
}


def _static(shell: Shell, what: str, call: str, path: str, match: re.Match[str]) -> None:
    scope = shell.scope
    path = Part.expanded(path, scope)
    mode = _FILE_CALLS.get(call, "")
    second = Part.expanded(match[6] or match[7] or "", scope)
    if mode == "delete":
        scope.touch(path, "delete", tree=what == "directory" and (match[8] or "").lower() == "true")
    elif mode in ("copy", "move"):
        scope.touch(path, "read" if mode == "copy" else "delete", tree=what == "directory")
        if second:
            scope.touch(second, "write")
    elif mode:
        scope.touch(path, mode)


def _block(shell: Shell, text: str) -> Stream | None:
    """Every pipeline, its stages fed one into the next."""
    out: Stream | None = None
    if shell.nesting >= MAX_NESTING:
        shell.dark("depth", text)
        return None
    shell.nesting += 1
    for pipeline in parse(text):
        out = None
        for stage in pipeline:
            shell.scope.left -= 1 + len(stage)
            out = _stage(shell, stage, out)
    shell.nesting -= 1
    return out


def _stage(shell: Shell, parts: list[Part], stdin: Stream | None) -> Stream | None:
    """One command: its nested groups first, then the command itself."""
    scope = shell.scope
    words: list[str] = []
    blocks: list[str] = []
    given: tuple[str, ...] = ()
    made: Stream | None = None
    if len(parts) > 1 and parts[0].kind == "variable" and parts[1].kind == "assign":
        return _assigned(shell, parts)
    for part in parts:
        if part.kind == "block":
            blocks.append(part.text)
            words.append("{}")
        elif part.kind == "group":
            made = _block(shell, part.text)
            given += made.origins if made is not None else ()
            words.append(made.text.strip() if made is not None and made.text is not None else Dim("**"))
            if made is not None and made.names and made.text is None:
                words[-1:] = list(made.names)
        elif part.kind == "redirect":
            continue
        elif part.kind in ("text", "variable"):
            for piece in part.inner:
                inner = _block(shell, piece)
                given += inner.origins if inner is not None else ()
            words.append(part.word(scope))
            given += part.origins(scope)
            if part.kind == "variable" and ("$" + part.text.lower()) in scope.taints:
                given += tuple(scope.taints["$" + part.text.lower()].origins)
        else:
            words.append(part.word(scope))
    source = " ".join(words)
    downloads = _downloads(shell, parts)
    if downloads is not None:
        given += downloads
    out = cmdlets.act(shell, words, parts, blocks, stdin=stdin, taken=given, script=script)
    for index, part in enumerate(parts):
        if part.kind == "redirect" and index + 1 < len(parts):
            content = out.text if out is not None else None
            scope.touch(parts[index + 1].word(scope), "write", content=content)
    if out is None:
        plain = len(parts) == 1 and parts[0].kind in ("text", "word", "variable")
        text = words[0] if plain and words and type(words[0]) is not Dim else None
        return Stream(text, (), source, given)
    return out


def _downloads(shell: Shell, parts: list[Part]) -> tuple[str, ...] | None:
    """`(New-Object Net.WebClient).DownloadString('…')`: the hosts it brings text from."""
    from bk.engine.lower.network import connect

    found: tuple[str, ...] = ()
    raw = " ".join(part.text for part in parts if part.kind in ("word", "member"))
    for match in re.finditer(_DOWNLOADS, raw):
        sends = match[1].lower().startswith("upload")
        connect(match[2], shell.scope, sends=sends, method="POST" if sends else "GET")
        host = re.sub(r"^\w+://", "", match[2]).partition("/")[0]
        found += (f"net:{host}",)
        if match[3]:
            shell.scope.touch(match[3], "read" if sends else "write")
    if re.search(_DECODES, raw):
        found += ("decoded",)
    return found or None


def _assigned(shell: Shell, parts: list[Part]) -> Stream | None:
    """`$x = …`: a literal, or what a command prints."""
    scope = shell.scope
    name = "$" + parts[0].text.lower()
    rest = parts[2:]
    out = _stage(shell, rest, None) if rest else None
    if rest and all(part.kind == "text" or part.text == "+" for part in rest):
        value = "".join(part.word(scope) for part in rest if part.kind == "text")
        dim = any(type(part.word(scope)) is Dim for part in rest)
        scope.assign(name, (Dim(value) if dim else value,))
        return None
    value = out.text if out is not None and out.text is not None else "\uf8ff"
    taint = Stream(None, (), out.source if out is not None else "", out.origins if out is not None else ())
    scope.assign(name, (value,), taint if taint.origins else None)
    return None
