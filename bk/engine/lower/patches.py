"""Patch texts name the files they change in their headers."""

from __future__ import annotations

import re

from bk.engine.lower.keys import PATCH_KEYS, folded

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
    """Record the files that a patch text changes. What they become is not computed."""
    for count, match in enumerate(_HEADER.finditer(text)):
        if count >= MAX_FILES:
            break
        path = (match[2] or match[3] or match[5] or match[6]).strip()
        if path != "/dev/null":
            scope.touch(path, "delete" if match[1] == "Delete" else "write")


def looks_like(text: str) -> bool:
    """Whether a string is a patch."""
    return text.startswith(("*** Begin Patch", "diff --git ", "--- a/"))
