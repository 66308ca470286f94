"""find: what it lists, what it deletes, and the commands it runs on what it finds."""

from __future__ import annotations

from bk.engine.lower.scope import Stream
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.shell import Shell

_NAMES = frozenset(("-name", "-iname", "-path", "-ipath", "-wholename"))
_RUNS = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_FILES = frozenset(("-fprint", "-fprint0", "-fls", "-fprintf"))


def effects(
    shell: Shell, args: Sequence[str], simple: Callable[[Shell, Sequence[str], Stream | None], Stream | None]
) -> Stream:
    """The found paths are the start paths with everything below, narrowed to the names asked for."""
    scope = shell.scope
    roots: list[str] = []
    index, end = 0, len(args)
    while index < end and args[index] in ("-H", "-L", "-P"):
        index += 1
    while index < end and args[index][:1] not in ("-", "(", "!"):
        roots.append(args[index])
        index += 1
    roots = roots or ["."]
    names: list[str] = []
    shallow = False
    for word in roots:
        scope.touch(word, "list", tree=True)
    found = [Dim(f"{root.rstrip('/')}/**") for root in roots]
    while index < end:
        word = args[index]
        index += 1
        if word in _NAMES and index < end:
            negated = index >= 2 and args[index - 2] in ("!", "-not")
            if not negated:
                names.append(args[index].replace("*", "*"))
                found = [_narrowed(root, name) for root in roots for name in names]
            index += 1
        elif word == "-maxdepth" and index < end:
            shallow = args[index] == "0"
            index += 1
        elif word == "-delete":
            for path in roots if shallow else found:
                scope.touch(path, "delete")
        elif word in _FILES and index < end:
            scope.touch(args[index], "write")
            index += 1
        elif word in _RUNS:
            stop = index
            while stop < end and args[stop] not in (";", "+"):
                stop += 1
            _run(shell, word, args[index:stop], found, simple)
            index = stop + 1
    return Stream(None, found)


def _narrowed(root: str, name: str) -> Dim:
    base = root.rstrip("/")
    return Dim(name) if name.startswith("/") else Dim(f"{base}/**/{name.removeprefix('**/').removeprefix('*/')}")


def _run(
    shell: Shell,
    how: str,
    words: Sequence[str],
    found: Sequence[str],
    simple: Callable[[Shell, Sequence[str], Stream | None], Stream | None],
) -> None:
    filled: list[str] = []
    for word in words:
        if word == "{}":
            filled.extend(found)
        elif "{}" in word:
            filled.extend(Dim(word.replace("{}", path)) for path in found)
        else:
            filled.append(word)
    scope = shell.scope
    before = scope.via
    scope.via += (f"find {how}",)
    simple(shell, filled, None)
    scope.via = before
