"""Go: full versions with pseudo-versions and `+incompatible`, and the queries of `go get`."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span, compared
from bk.engine.intel.dialects.semantic import bumped, key, made, perhaps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key

_PRE = r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_FULL = re.compile(rf"v?\d+\.\d+\.\d+{_PRE}(?:\+incompatible)?", re.ASCII)
_PREFIX = re.compile(r"v(\d+)(?:\.(\d+))?", re.ASCII)
_COMPARED = re.compile(rf"([<>]=?)\s*(v?\d+\.\d+\.\d+{_PRE}(?:\+incompatible)?)", re.ASCII)
_SHORT = re.compile(r"v?\d+(?:\.\d+)?", re.ASCII)


class Go(Dialect):
    """The rules of the go command. Branches and commits are names for a version that only the module's origin knows."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """With its `v`, which some lists leave out, and without `+incompatible`, which changes nothing."""
        text = version.partition("+")[0]
        if _SHORT.fullmatch(text) is not None:
            text += ".0" * (2 - text.count("."))
        return "v" + text if text[:1].isdigit() else text

    def key(self, version: str) -> Key | None:
        """Semantic order; a pseudo-version is a pre-release."""
        return key(version[1:]) if version[:1] == "v" else None

    def one(self, text: str) -> str:
        """Only a full version is one: `v1.2` asks for the newest v1.2.x, digits alone may be a commit."""
        return self.canonical(text) if _FULL.fullmatch(text) is not None else ""

    def choices(self, text: str) -> list[Choice] | None:
        """`v1`, `v1.2` and comparisons; `none` takes a module away."""
        if text == "none":
            return []
        prefix = _PREFIX.fullmatch(text)
        if prefix is not None:
            numbers = tuple(int(part) for part in prefix.groups() if part is not None)
            span = Span((made(numbers)[0], 0, ()), bumped(numbers, len(numbers) - 1))
            return [Choice(span, (perhaps,))]
        asked = _COMPARED.fullmatch(text)
        low = self.key(self.canonical(asked[2])) if asked else None
        return [Choice(compared(asked[1], low), (perhaps,))] if asked and low is not None else None


DIALECT = Go()
