"""Tables of names are written as text: one line of words is easier to read and to change than a column of strings."""

from __future__ import annotations


def names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())
