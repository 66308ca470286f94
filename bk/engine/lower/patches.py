"""Patch texts name the files they change in their headers."""

from __future__ import annotations

import re

from bk.engine.lower import flow
from bk.engine.lower.keys import PATCH_KEYS, folded
from bk.engine.model import Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.lower.scope import Scope
    from bk.engine.model import Json

MAX_FILES = 500
_HEADER = re.compile(
    r"^(?:\*\*\* (Add|Update|Delete) File: (.+)|\*\*\* Move to: (.+)|(---|\+\+\+) (?:[ab]/)?([^\t\n]+)"
    r"|rename (?:from|to) (.+))$",
    re.MULTILINE,
)


def patched(data: Mapping[str, Json], scope: Scope) -> None:
    """Record the files that the patches in an input change."""
    for key, value in data.items():
        if folded(key) in PATCH_KEYS and type(value) is str:
            files(value, scope)


def files(text: str, scope: Scope) -> None:
    """Record the files that a patch text changes; what they become is only known of those it adds."""
    for count, match in enumerate(_HEADER.finditer(text)):
        if count >= MAX_FILES:
            break
        path = (match[2] or match[3] or match[5] or match[6]).strip()
        if path == "/dev/null":
            continue
        content = _added(text, match.end()) if match[1] == "Add" else None
        mark = len(scope.actions)
        scope.touch(path, "delete" if match[1] == "Delete" else "write", content=content)
        if content is not None:
            for action in scope.actions[mark:]:
                if isinstance(action, Touch):
                    flow.write(scope, action, ())


def _added(text: str, start: int) -> str:
    """The whole text of a file that a patch adds."""
    end = text.find("\n*** ", start)
    body = text[start + 1 : end if end >= 0 else len(text)]
    return "".join(line[1:] + "\n" for line in body.split("\n") if line[:1] == "+")


def looks_like(text: str) -> bool:
    """Whether a string is a patch."""
    return text.startswith(("*** Begin Patch", "diff --git ", "--- a/"))
