"""What the nouns share: slots, and equality and text over them."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^\w%+,./:=@~^*?{}\[\]$#!-]").search


class Noun:
    """Equality and repr over the slots, so tests and logs can compare and show a noun."""

    __slots__: tuple[str, ...] = ()

    def _fields(self) -> tuple[str, ...]:
        names: list[str] = []
        for base in reversed(type(self).__mro__):
            names.extend(getattr(base, "__slots__", ()))
        return tuple(names)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields())

    def __hash__(self) -> int:
        return hash((type(self).__name__, repr(self)))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields())
        return f"{type(self).__name__}({inside})"


def quoted(word: str) -> str:
    """A word as a shell would need it, so that where it ends stays visible."""
    if word and _UNSAFE(word) is None:
        return word
    return "'" + word.replace("'", "'\\''") + "'"
