"""Patterns that are compiled when they are first needed: a cold hook call pays for every one it does not use."""

from __future__ import annotations

import re


class Pattern:
    """A regular expression of ours; `re` is the compiled one."""

    __slots__ = ("_compiled", "_flags", "_text")

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    @property
    def re(self) -> re.Pattern[str]:
        """The compiled pattern."""
        found = self._compiled
        if found is None:
            found = self._compiled = re.compile(self._text, self._flags)
        return found
