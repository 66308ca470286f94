"""What a shell word becomes: quote removal, brace expansion, and honest uncertainty.

While a word is being put together, characters that quoting has made literal, parts nobody can know and places where
the shell would split are written as private marks; `finish` turns the marked text into words.
"""

from __future__ import annotations

import re

UNKNOWN = "\uf8ff"  # a value nobody knows
SPLIT = "\uf8fe"  # the shell splits the word here
QUOTED = "\uf8fd"  # there were quotes: an empty word is still a word
ALT_OPEN, ALT_NEXT, ALT_CLOSE = "\uf8fa", "\uf8fb", "\uf8fc"  # one of several values

_LITERAL = "{},*?[]~.!"
_HIDE = {ord(char): 0xF800 + index for index, char in enumerate(_LITERAL)}
_SHOW: dict[int, str | None] = {0xF800 + index: char for index, char in enumerate(_LITERAL)}
_SHOW[ord(QUOTED)] = None
_SHOW[ord(UNKNOWN)] = "**"

SPECIAL = re.compile(r"[\\*?\[{\uf800-\uf8ff]")
_ACTIVE = re.compile(r"[*?\[\uf8ff]")
_MARKED = re.compile(r"[\uf800-\uf8ff]")
_BRACES = re.compile(r"[{\uf8fa]")
_BLANKS = re.compile(r"[ \t\n]+")
_RANGE = re.compile(r"(-?\d{1,9}|[A-Za-z])\.\.(-?\d{1,9}|[A-Za-z])(?:\.\.-?\d+)?")
_WINDOWS = re.compile(r"(?:%\w+%|[A-Za-z]:)\\")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
MAX_FIELDS = 64
MAX_WORD = 65536
MAX_VALUE = 16384


class Dim(str):
    """A word that is not wholly known: `*`, `?` and `[…]` are a glob's, `**` stands for anything at all."""

    __slots__ = ()


def hide(text: str) -> str:
    """Literal text, its special characters marked so that nothing below takes them for syntax."""
    return QUOTED + text.translate(_HIDE)


def bare(text: str) -> str:
    """An unquoted piece of a word after backslash removal."""
    if "\\" not in text:
        return text
    if _WINDOWS.match(text):
        return text.replace("\\", "/")
    out: list[str] = []
    at = 0
    while (slash := text.find("\\", at)) >= 0:
        out.append(text[at:slash])
        escaped = text[slash + 1 : slash + 2]
        if escaped != "\n":
            out.append(escaped.translate(_HIDE))
        at = slash + 2
    out.append(text[at:])
    return "".join(out)


def in_double_quotes(text: str) -> str:
    """A literal piece of a double-quoted string after backslash removal."""
    if "\\" in text:
        text = re.sub(r'\\(["\\$`]|\n)', lambda match: "" if match[1] == "\n" else match[1], text)
    return text.translate(_HIDE)


def ansi_c(text: str) -> str:
    """The value of the inside of a `$'…'` string."""

    def value(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            number = int(code, 16)
            return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
        if match[4]:
            return chr(int(match[4], 8) & 0xFF)
        if match[5]:
            return chr(ord(match[5]) & 0x1F)
        return _CONTROLS.get(match[6], match[6])

    return _ANSI.sub(value, text)


def value_in_word(value: str, *, quoted: bool) -> str:
    """A variable's value as it enters a word: split at blanks and globbed, unless quotes hold it together."""
    if quoted:
        return QUOTED + value.translate(_HIDE)
    return _BLANKS.sub(SPLIT, value)


def one_of(values: tuple[str, ...]) -> str:
    """A marked piece that stands for any of the given pieces."""
    if len(values) == 1:
        return values[0]
    return ALT_OPEN + ALT_NEXT.join(values) + ALT_CLOSE


def finish(raw: str) -> list[str]:
    """The words that a marked text expands to; `Dim` where something in them is unknown."""
    if not SPECIAL.search(raw):
        return [raw]
    if len(raw) > MAX_WORD:
        return [Dim(show(raw[:MAX_WORD]) + "**")]
    pieces = _braces(raw) if _BRACES.search(raw) else [raw]
    words: list[str] = []
    for piece in pieces:
        if SPLIT in piece:
            words.extend(_word(field) for field in piece.split(SPLIT) if field)
        elif piece:
            words.append(_word(piece))
    return words


def value_of(raw: str) -> tuple[str, ...]:
    """The values that an assignment of this marked text may give: literal text, with unknown parts still marked."""
    if len(raw) > MAX_VALUE:
        raw = raw[:MAX_VALUE] + UNKNOWN
    if not _MARKED.search(raw):
        return (raw,)
    pieces = _braces(raw.translate({123: 0xF800})) if ALT_OPEN in raw else [raw]
    kept = dict(_SHOW)
    del kept[ord(UNKNOWN)]
    return tuple(dict.fromkeys(piece.translate(kept) for piece in pieces))[:16]


def show(raw: str) -> str:
    """A marked text as people would read it, unknown parts as `**`."""
    return raw.translate(_SHOW) if _MARKED.search(raw) else raw


def known(raw: str) -> str | None:
    """The text when all of it is known, else None."""
    if UNKNOWN in raw or ALT_OPEN in raw:
        return None
    return raw.replace(SPLIT, " ").translate(_SHOW) if _MARKED.search(raw) else raw


def _word(piece: str) -> str:
    active = _ACTIVE.search(piece)
    text = piece.translate(_SHOW) if _MARKED.search(piece) else piece
    return Dim(text) if active else text


def _braces(raw: str) -> list[str]:
    """Every text that the braces in `raw` stand for; an unknown when there would be too many."""
    done: list[str] = []
    waiting = [raw]
    steps = 0
    while waiting:
        text = waiting.pop()
        steps += 1
        if steps > 4 * MAX_FIELDS or len(done) > MAX_FIELDS:
            return [*done, UNKNOWN]
        split = _first_choice(text)
        if split is None:
            done.append(text)
        else:
            before, choices, after = split
            waiting.extend(before + choice + after for choice in reversed(choices))
    return done


def _first_choice(text: str) -> tuple[str, list[str], str] | None:
    """The first brace expression that has choices: the text before it, the choices, the text after it."""
    for opening in _BRACES.finditer(text):
        start = opening.start()
        marked = text[start] == ALT_OPEN
        comma, close = (ALT_NEXT, ALT_CLOSE) if marked else (",", "}")
        opener = text[start]
        depth = 0
        cuts = [start]
        for index in range(start, len(text)):
            char = text[index]
            if char == opener:
                depth += 1
            elif char == close:
                depth -= 1
                if depth == 0:
                    cuts.append(index)
                    break
            elif char == comma and depth == 1:
                cuts.append(index)
        else:
            continue
        before, after = text[:start], text[cuts[-1] + 1 :]
        if len(cuts) > 2:
            return before, [text[cuts[at] + 1 : cuts[at + 1]] for at in range(len(cuts) - 1)], after
        if not marked and (span := _RANGE.fullmatch(text, start + 1, cuts[-1])):
            return before, _range(span[1], span[2]), after
        if marked:
            return before, [text[start + 1 : cuts[-1]]], after
    return None


def _range(first: str, last: str) -> list[str]:
    letters = first.isalpha() and last.isalpha()
    if not letters and (first.isalpha() or last.isalpha()):
        return [UNKNOWN]
    low, high = (ord(first), ord(last)) if letters else (int(first), int(last))
    if abs(high - low) > MAX_FIELDS:
        return [UNKNOWN]
    step = 1 if high >= low else -1
    numbers = range(low, high + step, step)
    return [chr(number) for number in numbers] if letters else [str(number) for number in numbers]
