"""Tools under another name: a copy or a link of a program does what the program does."""

from __future__ import annotations

from bk.engine.lower import flow
from bk.engine.lower.carriers import CARRIERS
from bk.engine.lower.paths import resolve
from bk.engine.lower.programs import INTERPRETERS, SHELLS, SPECS
from bk.engine.lower.wrappers import WRAPPERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.lower.scope import Scope


def known(name: str) -> bool:
    """Whether lowering knows what a program of this name does."""
    plain = name.rstrip("0123456789.")
    return name in SPECS or name in SHELLS or plain in INTERPRETERS or name in CARRIERS or name in WRAPPERS


def original(scope: Scope, program: str) -> str:
    """The program whose copy or link a word names, "" when it is none: files of this call, then of the session."""
    if "/" in program:
        paths = [resolve(program, scope.cwd, scope.home, scope.env)]
    else:
        paths = [path for path in scope.written if path.endswith("/" + program)]
    for path in paths[:4]:
        file = scope.written.get(path)
        origins = file.origins if file is not None else flow.of_path(scope, path)
        for origin in origins:
            source = origin[5:] if origin[:5] in ("file:", "tree:") else ""
            name = source.rpartition("/")[2].lower()
            if source and source != path and known(name) and name != program:
                return name
    return ""
