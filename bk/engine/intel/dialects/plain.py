"""Ecosystems without rules of their own: numbers between dots compare, anything else only equals itself."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Dialect, padded
from bk.engine.intel.dialects.semantic import VERSION, made
from bk.engine.intel.names import UNVERSIONED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key

_PARTS = re.compile(r"v?(\d+(?:\.\d+)*)(?:_(\d+))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)


class Plain(Dialect):
    """Homebrew, browser extensions, MCP servers, agent skills and what no index covers."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """At least three numbers where there are only numbers; a rebuild is marked by `_1`."""
        found = _PARTS.fullmatch(version)
        if found is None:
            return version
        again = found[2].lstrip("0") if found[2] else ""
        return padded(found[1]) + (f"_{again}" if again else "") + (found[3] or "")

    def key(self, version: str) -> Key | None:
        """Numeric order, then rebuilds; pre-releases as semantic versions have them."""
        found = _PARTS.fullmatch(version)
        if found is None:
            return None
        numbers = tuple(map(int, found[1].split(".")))
        head = VERSION.fullmatch("0" + (found[3] or ""))
        _, release, pre = made((0,), head[2] or "" if head else "")
        while numbers and numbers[-1] == 0:
            numbers = numbers[:-1]
        return (numbers, release, pre, int(found[2] or 0))

    def one(self, text: str) -> str:
        """A text with the shape of a version."""
        version = self.canonical(text)
        return version if self.key(version) is not None else ""

    def understood(self, version: str) -> bool:
        """The spelling of "has no version" is told apart from every version."""
        return version == UNVERSIONED or super().understood(version)


DIALECT = Plain()
