"""The same pictures in ASCII, for terminals and locales that have nothing else: one filter over everything drawn."""

from __future__ import annotations

import locale
import sys
from collections.abc import Sequence

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from bk.text import cells

# Each stands for one cell. Shades and blocks keep their order, so that a picture stays one.
_SIGNS = {
    "■": "#", "▲": "!", "◆": "Q", "●": "*", "○": "o", "✓": "v", "✖": "x", "◇": "q", "·": ".", "…": ".",
    "▴": "^", "▾": "v", "◂": "<", "▸": ">", "►": ">", "←": "<", "→": ">", "↑": "^", "↓": "v", "×": "x",
    "▁": ".", "▂": ".", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "█": "#", "▉": "#", "▊": "#", "▋": "#",
    "▌": "#", "▍": "|", "▎": "|", "▏": "|", "▐": "#", "▕": "|", "▔": "-", "▀": "-", "░": ".", "▒": ":", "▓": "#",
    "─": "-", "━": "=", "│": "|", "┃": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┏": "+", "┓": "+", "┗": "+",
    "┛": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "═": "=",
    "║": "|", "╺": "-", "╸": "-", "╹": "|", "╻": "|", "–": "-", "—": "-", "•": "*", "␣": "_", "\ufffd": "?",
}  # fmt: skip
OTHER = "?"


class Plain(LineFilter):
    """Puts an ASCII sign in the place of every other character, as wide as that was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the library's form
        """One line."""
        return [
            each if each.control or each.text.isascii() else Segment(plain(each.text), each.style) for each in segments
        ]


def plain(text: str) -> str:
    """The text in ASCII, each character as wide as it was."""
    return text if text.isascii() else "".join(map(_sign, text))


def wanted(asked: bool, said: Sequence[str | None] | None = None) -> bool:
    """Whether to draw in ASCII: it was asked for, or what is written to cannot take anything else."""
    known = said if said is not None else (getattr(sys.__stdout__, "encoding", None), locale.getpreferredencoding())
    return asked or any(each and not each.lower().replace("-", "").startswith("utf") for each in known)


def _sign(char: str) -> str:
    found = char if char.isascii() else _SIGNS.get(char)
    return found if found is not None else OTHER * cells(char)
