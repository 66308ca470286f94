"""Colour for people's terminals only: words carry the meaning, colour repeats it."""

from __future__ import annotations

import os
import sys

LEVELS = {"allow": "32", "warn": "33", "ask": "36", "block": "1;31", "quarantine": "1;35"}
STATES = {"ok": "32", "warn": "33", "bad": "1;31", "unknown": "2"}


def coloured() -> bool:
    """Whether standard output is a terminal whose owner did not ask for none."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, code: str) -> str:
    """The text in a colour, where colour is wanted."""
    return f"\x1b[{code}m{text}\x1b[0m" if code and coloured() else text


def dim(text: str) -> str:
    """Text that matters less."""
    return paint(text, "2")


def width() -> int:
    """The columns to write in."""
    import shutil

    return max(40, min(shutil.get_terminal_size((100, 24)).columns, 160))


def wrapped(text: str, first: str, rest: str) -> list[str]:
    """A paragraph, indented, within the terminal's width."""
    import textwrap

    return textwrap.wrap(text, width(), initial_indent=first, subsequent_indent=rest) or [first.rstrip()]
