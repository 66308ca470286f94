"""Makes outside text safe to show: one function, used by every table, card, toast, log line and error.

A package name is written by an attacker and read by a person. Escape sequences could drive the terminal, bidi and
zero-width characters could make one name look like another, and wide text could push a column out of place.
"""

from __future__ import annotations

ELLIPSIS = "…"
UNSEEN = "\ufffd"
ODD_SPACE = "␣"
MAX_MARKS = 2
_CACHE_MAX = 4096

# Letters by category that show nothing, or whose cell width terminals do not agree on.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc")
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}


class _Table(dict[int, str]):
    """A translation table that is filled as characters are met, and stops growing before it could matter."""

    def __missing__(self, code: int) -> str:
        shown = _shown(chr(code))
        if len(self) < _CACHE_MAX:
            self[code] = shown
        return shown


def _shown(char: str) -> str:
    """The harmless stand-in for a character, or the character itself."""
    from unicodedata import category

    kind = category(char)
    if char in _BLANKS or kind[0] == "C" or kind in ("Zl", "Zp") or _is_selector(ord(char)):
        return UNSEEN
    if kind == "Zs" and char != " ":
        return ODD_SPACE
    return char


def _is_selector(code: int) -> bool:
    """Whether this is a variation selector: it has no shape and changes the width of what it follows."""
    return 0x180B <= code <= 0x180F or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


_table = _Table(_PICTURES)


def inert(text: str, width: int | None = None) -> str:
    """The text on one line, every character visible and harmless, cut to `width` cells with an ellipsis."""
    if not (text.isascii() and text.isprintable()):
        if width is not None and len(text) > 8 * width + 64:
            text = text[: 8 * width + 64]
        text = text.translate(_table)
        if not text.isascii():
            text = _few_marks(text)
    elif width is not None and len(text) <= width:
        return text
    return text if width is None else _cut(text, width)


def inert_lines(text: str, most: int = 200) -> list[str]:
    """The text as lines that are each inert; what is left out is said in the last one."""
    lines = text.replace("\r\n", "\n").split("\n")
    kept = [inert(line.expandtabs(4)) for line in lines[:most]]
    if len(lines) > most:
        kept.append(f"{ELLIPSIS} {len(lines) - most:,} more lines")
    return kept


def cells(text: str) -> int:
    """How many terminal cells inert text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if char < "\u0300":
        return 1
    from unicodedata import category, east_asian_width

    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _few_marks(text: str) -> str:
    """Combining marks only where they belong: a few of them, on a letter."""
    from unicodedata import category

    out: list[str] = []
    run = MAX_MARKS
    for char in text:
        kind = category(char) if char >= "\u0300" else "L" if char.isalnum() else "S"
        if kind[0] == "M":
            run += 1
            out.append(char if run <= MAX_MARKS else UNSEEN)
            run = min(run, MAX_MARKS)
        else:
            run = 0 if kind[0] == "L" else MAX_MARKS
            out.append(char)
    return "".join(out)


def _cut(text: str, width: int) -> str:
    if len(text) <= width and cells(text) <= width:
        return text
    if not text.isascii() and cells(text) <= width:
        return text
    if width < 1:
        return ""
    used = 0
    for at, char in enumerate(text):
        used += _width(char)
        if used > width - 1:
            return text[:at] + ELLIPSIS
    return text + ELLIPSIS
