"""Tools that nobody described: their inputs are walked for what looks like a path, a URL, a command or a package."""

from __future__ import annotations

import json
import re

from bk.engine.lower import patches
from bk.engine.lower.commands import simple
from bk.engine.lower.keys import (
    CARRIER_KEYS,
    COMMAND_KEYS,
    CONTENT_KEYS,
    CWD_KEYS,
    DELETE_VERBS,
    ECOSYSTEMS,
    LINES_KEYS,
    LIST_VERBS,
    MOVE_VERBS,
    PATCH_KEYS,
    PATH_KEYS,
    PROSE_KEYS,
    READ_VERBS,
    SOURCE_KEYS,
    TARGET_KEYS,
    URL_KEYS,
    WRITE_VERBS,
    folded,
)
from bk.engine.lower.network import connect
from bk.engine.lower.paths import pathlike
from bk.engine.lower.programs import INTERPRETERS, SHELLS, SPECS
from bk.engine.lower.scope import Scope, SpentError
from bk.engine.lower.shell import Shell
from bk.engine.lower.wrappers import WRAPPERS
from bk.engine.model import Install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

MAX_VALUES = 5000
MAX_DEPTH = 64
MAX_COMMAND = 4096
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_EXPLICIT = ("/", "~/", "./", "../", "file:", "$HOME", "${HOME}", "%USERPROFILE%", "%HOME%")


class _Walk:
    """One walk: the mode that the tool's name suggests, and how much may still be looked at."""

    __slots__ = ("content", "left", "mode", "moves", "scope")

    def __init__(self, tool: str, data: Mapping[str, Json], scope: Scope) -> None:
        verbs = {word.lower() for word in _WORDS.findall(tool)}
        self.scope = scope
        self.left = MAX_VALUES
        self.moves = any(verb in verbs for verb in MOVE_VERBS)
        self.mode = next((mode for mode, names in _MODES if any(name in verbs for name in names)), "read")
        self.content = next(
            (value for key, value in data.items() if folded(key) in CONTENT_KEYS and type(value) is str), None
        )


_MODES = (
    ("delete", DELETE_VERBS),
    ("write", WRITE_VERBS),
    ("read", READ_VERBS),
    ("list", LIST_VERBS),
)


def walk(tool: str, data: Mapping[str, Json], scope: Scope) -> None:
    """Emit what an input of unknown shape names."""
    _object(data, _Walk(tool, data, scope), 0)


def _object(data: Mapping[str, Json], state: _Walk, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SpentError
    _package(data, state.scope)
    named = {folded(key): value for key, value in data.items()}
    for key in CWD_KEYS:
        if type(named.get(key)) is str and named[key]:
            state.scope.chdir(named[key])
    arguments = named.get("args") or named.get("arguments")
    taken: Json = None
    for key, value in data.items():
        name = folded(key)
        if name in COMMAND_KEYS and type(value) is str and type(arguments) is list:
            words = [value, *(word for word in arguments if type(word) is str)]
            simple(Shell(state.scope), words, None)
            taken = arguments
            continue
        if taken is not None and value is taken:
            continue
        _value(name, value, state, depth)


def _value(name: str, value: Json, state: _Walk, depth: int) -> None:
    state.left -= 1
    if state.left < 0:
        raise SpentError
    kind = type(value)
    if kind is str:
        inner = _carried(value) if name in CARRIER_KEYS else None
        if inner is None:
            _string(name, value, state)
        else:
            _value(name, inner, state, depth + 1)
    elif kind is dict:
        _object(value, state, depth + 1)
    elif kind is list:
        if name in COMMAND_KEYS and name not in LINES_KEYS and value and all(type(word) is str for word in value):
            simple(Shell(state.scope), value, None)
            return
        if depth > MAX_DEPTH:
            raise SpentError
        for item in value:
            _value(name, item, state, depth + 1)


def _carried(text: str) -> Json:
    """The object or the list that a text spells out; None when it does not."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
    except RecursionError:
        raise SpentError from None


def _string(name: str, text: str, state: _Walk) -> None:
    scope = state.scope
    if not text:
        return
    if name in COMMAND_KEYS:
        Shell(scope).text(text)
    elif "://" in text[:12] and text[:5].lower() != "file:":
        if not any(blank in text for blank in " \n\t"):
            connect(text, scope)
    elif text[:5].lower() == "file:":
        scope.touch(text, state.mode)
    elif name in SOURCE_KEYS:
        if pathlike(text):
            scope.touch(text, "read", tree=state.moves)
            if state.moves:
                scope.touch(text, "delete", tree=True)
    elif name in TARGET_KEYS:
        if pathlike(text):
            scope.touch(text, "write")
    elif name in PATH_KEYS or name in URL_KEYS:
        scope.touch(text, state.mode, content=state.content if state.mode == "write" else None)
    elif name in PATCH_KEYS and patches.looks_like(text):
        patches.files(text, scope)
    elif text.startswith(_EXPLICIT) and pathlike(text):
        scope.touch(text, state.mode)
    elif name not in PROSE_KEYS and _commandlike(text):
        Shell(scope).text(text, ("argument",))


def _commandlike(text: str) -> bool:
    """A known program followed by something that only a command line would hold."""
    if len(text) > MAX_COMMAND:
        return False
    program, blank, rest = text.lstrip().partition(" ")
    name = program.rsplit("/", 1)[-1].lower()
    if not blank or not (name in SPECS or name in SHELLS or name in WRAPPERS or name in INTERPRETERS):
        return False
    return any(word[:1] in "-|>&;" or pathlike(word) for word in rest.split()[:16])


def _package(data: Mapping[str, Json], scope: Scope) -> None:
    """`{ecosystem, package, version}` is an install, whoever asks for it."""
    named = {folded(key): value for key, value in data.items()}
    ecosystem = named.get("ecosystem")
    name = named.get("package") or named.get("packagename") or named.get("name")
    if type(ecosystem) is not str or type(name) is not str:
        return
    version = named.get("version") or named.get("packageversion")
    asked = ecosystem.strip().lower()
    known = ECOSYSTEMS.get(asked.partition(".")[0], asked)
    scope.emit(Install(known, name, version if type(version) is str else "", manager="tool", via=scope.via))
