"""Tool inputs to actions. Clients name the same things differently, so keys are matched by meaning."""

from __future__ import annotations

import re

from bk.engine.lower import patches, walk
from bk.engine.lower.commands import simple
from bk.engine.lower.flow import through_fifos
from bk.engine.lower.injected import injected
from bk.engine.lower.keys import (
    COMMAND_KEYS,
    CONTENT_KEYS,
    EDITS_KEYS,
    EVERY_KEYS,
    INCLUDE_KEYS,
    LINES_KEYS,
    NEW_KEYS,
    OLD_KEYS,
    PATH_KEYS,
    PATTERN_KEYS,
    PROSE_KEYS,
    RUN_IN_KEYS,
    TYPED_KEYS,
    URL_KEYS,
    folded,
)
from bk.engine.lower.network import connect
from bk.engine.lower.paths import joined, normal, resolve
from bk.engine.lower.scope import MAX_ACTIONS, Look, Scope, SpentError
from bk.engine.lower.shell import Shell
from bk.engine.lower.words import Dim
from bk.engine.model import McpCall, Opaque, Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bk.engine.model import Action, Json, ToolCall

_ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]}]+", re.IGNORECASE)
MAX_PROSE = 65_536
MAX_ADDRESSES = 50
_LISTING = ("glob", "ls", "list", "dir", "tree", "find_file", "file_search")


def actions_of(call: ToolCall, look: Look) -> list[Action]:
    """Dispatch on what the tool is; a spent budget leaves what was understood and says that there is more."""
    home = call.home if call.home.startswith("/") else "/"
    cwd = normal(call.cwd) if call.cwd.startswith("/") else home
    scope = Scope(cwd, normal(home), look)
    try:
        _KINDS.get(call.kind, _other)(call, scope)
    except SpentError:
        del scope.actions[MAX_ACTIONS:]
        scope.actions.append(Opaque("limit", f"{call.tool}: more than one call may do"))
    if scope.fifos:
        through_fifos(scope)
    return scope.actions


def _values(data: Mapping[str, Json], keys: frozenset[str]) -> Iterator[Json]:
    for key, value in data.items():
        if key in keys or folded(key) in keys:
            yield value


def _strings(value: Json) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif type(value) is list:
        for item in value[:1000]:
            yield from _strings(item)
    elif type(value) is dict:
        for inner in _values(value, PATH_KEYS):
            yield from _strings(inner)


def _shell(call: ToolCall, scope: Scope) -> None:
    """A command line, a list of them, or an argument vector."""
    for value in _values(call.input, RUN_IN_KEYS):
        if type(value) is str and value:
            scope.chdir(value)
            scope.start = scope.cwd
    found = False
    for key, value in call.input.items():
        name = folded(key)
        if name in TYPED_KEYS and type(value) is str:
            found = True
            _text(call, scope, value)
        elif name not in COMMAND_KEYS:
            continue
        elif type(value) is str:
            found = True
            _text(call, scope, value)
        elif type(value) is list and value and all(type(word) is str for word in value):
            found = True
            if name in LINES_KEYS:
                _lines(call, scope, value)
            else:
                simple(Shell(scope), value, None)
        elif value is not None:
            found = True
            scope.emit(Opaque("shape", f"{call.tool}: the command is neither text nor a list of words"))
            walk.walk(call.tool, {key: value}, scope)
    if not found:
        walk.walk(call.tool, call.input, scope)


def _lines(call: ToolCall, scope: Scope, lines: Sequence[str]) -> None:
    """Command lines that each get a shell of their own: where one went and what it set is gone for the next."""
    before = scope.snapshot()
    for line in lines:
        _text(call, scope, line)
        scope.restore(before)


def _text(call: ToolCall, scope: Scope, text: str) -> None:
    """A command line in the language of the tool's own shell."""
    if call.tool.lower() in ("powershell", "pwsh"):
        from bk.engine.lower import powershell

        powershell.script(Shell(scope), text)
    else:
        Shell(scope).text(text)


def _paths(call: ToolCall, scope: Scope) -> list[str]:
    """The paths an input names; one of the wrong type or empty is dark."""
    found: list[str] = []
    for key, value in call.input.items():
        name = folded(key)
        if name in PATH_KEYS or name in URL_KEYS:
            words = list(_strings(value))
            if not any(words) and value is not None and name in PATH_KEYS:
                scope.emit(Opaque("shape", f"{call.tool}: {key} is not a path"))
            for word in words:
                if not word:
                    continue
                if "://" in word[:12] and not word.lower().startswith("file:"):
                    connect(word, scope)
                else:
                    found.append(word)
    return found


def _read(call: ToolCall, scope: Scope) -> None:
    for word in _paths(call, scope):
        scope.touch(word, "read")
    for value in _values(call.input, INCLUDE_KEYS):
        for word in _strings(value):
            scope.touch(Dim(word) if any(mark in word for mark in "*?[{") else word, "read")


def _write(call: ToolCall, scope: Scope) -> None:
    content = next((value for value in _values(call.input, CONTENT_KEYS) if type(value) is str), None)
    for word in _paths(call, scope):
        scope.touch(word, "write", content=content)
    patches.patched(call.input, scope)


def _edit(call: ToolCall, scope: Scope) -> None:
    """Replacements in a file; a patch names its own files."""
    edits = _edits(call.input)
    content = None if edits else next((v for v in _values(call.input, CONTENT_KEYS) if type(v) is str), None)
    if edits is None and content is None and next(_values(call.input, OLD_KEYS), None) is None:
        content = next((v for v in _values(call.input, NEW_KEYS) if type(v) is str), None)  # nothing to replace: all
    for word in _paths(call, scope):
        path = resolve(word, scope.cwd, scope.home, scope.env)
        scope.emit(Touch(path, "write", content=content, edits=edits or (), via=scope.via))
    patches.patched(call.input, scope)
    for value in _values(call.input, COMMAND_KEYS):
        if type(value) is str and patches.looks_like(value):
            patches.files(value, scope)


def _edits(data: Mapping[str, Json]) -> list[tuple[str, str, bool]] | None:
    """Every replacement an input asks for; None when one of them is not of a shape we know."""
    found: list[tuple[str, str, bool]] = []
    for value in _values(data, EDITS_KEYS):
        if type(value) is not list:
            return None
        for item in value:
            one = _one_edit(item) if type(item) is dict else None
            if one is None:
                return None
            found.append(one)
    if not found:
        one = _one_edit(data)
        if one is None:
            return None
        found.append(one)
    return found


def _one_edit(data: Mapping[str, Json]) -> tuple[str, str, bool] | None:
    old = next(_values(data, OLD_KEYS), None)
    new = next(_values(data, NEW_KEYS), None)
    if type(old) is not str or type(new) is not str:
        return None
    return old, new, next(_values(data, EVERY_KEYS), False) is True


def _search(call: ToolCall, scope: Scope) -> None:
    """Names only for listings, contents otherwise; hidden files below the start are skipped by the tools we know."""
    tool = call.tool.lower()
    listing = any(word in tool for word in _LISTING)
    roots = _paths(call, scope) or ["."]
    patterns = [value for value in _values(call.input, PATTERN_KEYS) if type(value) is str]
    globs = [value for key, value in call.input.items() if folded(key) in ("glob", "include") and type(value) is str]
    if listing:
        for word in roots:
            for pattern in patterns:
                scope.touch(Dim(pattern if pattern[:1] in "/~" else joined(word, pattern)), "list")
            if not patterns:
                scope.touch(word, "list")
        return
    for word in roots:
        scope.touch(word, "read")
        for pattern in globs:
            scope.touch(Dim(f"{word.rstrip('/')}/**/{pattern}"), "read")
        if not globs:
            scope.touch(Dim(joined(word, "*")), "read", tree=True)


def _fetch(call: ToolCall, scope: Scope) -> None:
    found = False
    for key, value in call.input.items():
        if folded(key) in URL_KEYS:
            for word in _strings(value):
                found = True
                if word.lower().startswith("file:"):
                    scope.touch(word, "read")
                else:
                    connect(word, scope)
    for value in _values(call.input, PROSE_KEYS):  # some take the addresses in the middle of a prompt
        if type(value) is str:
            for word in _ADDRESS.findall(value[:MAX_PROSE])[:MAX_ADDRESSES]:
                found = True
                connect(word, scope)
    if not found:
        walk.walk(call.tool, call.input, scope)


def _mcp(call: ToolCall, scope: Scope) -> None:
    server, _, tool = call.tool.removeprefix("mcp__").partition("__")
    if not tool:
        server, _, tool = call.tool.rpartition("/")
    scope.emit(McpCall(server, tool, call.input))
    walk.walk(tool or call.tool, call.input, scope)
    injected(call.input, scope)


def _agent(_call: ToolCall, _scope: Scope) -> None:
    """A prompt is text; what the agent it starts does is decided when it does it."""


def _other(call: ToolCall, scope: Scope) -> None:
    walk.walk(call.tool, call.input, scope)


_KINDS: dict[str, Callable[[ToolCall, Scope], None]] = {
    "shell": _shell,
    "read": _read,
    "write": _write,
    "edit": _edit,
    "search": _search,
    "fetch": _fetch,
    "mcp": _mcp,
    "agent": _agent,
    "install": _other,
    "other": _other,
}
