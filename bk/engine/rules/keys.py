"""Short keys by which a command's words lead to the rules that could concern them.

A subcommand pattern is entered under the beginning (`1:delete` for `* delete-*`) or the end (`0<destroy` for
`*:destroy`) of its most telling word and that word's place; `*:delete` where the place may vary. A command asks for the
keys of its own first words.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLACES = 8
ASSIGNED = "="  # rules about variables that are set for a command
FLAGGED = "-"  # rules about options, whatever the first words
MAX_MARKS = 4000
_marks: dict[str, tuple[str, ...]] = {}
_SEPARATORS = "-_:./"
_WILD = "*?["


def key_of(pattern: Sequence[str]) -> str:
    """The key that every command matching this subcommand pattern asks for; "" when there is none."""
    floating = pattern.index("**") if "**" in pattern else PLACES
    for place in range(len(pattern) - 1, -1, -1):
        mark = _mark(pattern[place])
        if mark and (place < PLACES or place > floating):
            return f"*{mark}" if place > floating else f"{place}{mark}"
    return ""


def shelved(table: Mapping[str, Sequence[int]]) -> dict[str, list[tuple[int, Sequence[int]]]]:
    """A table by mark, each with its place (-1: any), so that a word asks once and without making keys."""
    shelves: dict[str, list[tuple[int, Sequence[int]]]] = {}
    for key, numbers in table.items():
        if key not in ("", ASSIGNED, FLAGGED):
            shelves.setdefault(key[1:], []).append((-1 if key[0] == "*" else int(key[0]), numbers))
    return shelves


def marks_of(word: str) -> tuple[str, ...]:
    """The marks that a word asks for: its beginning, and its end when it has parts."""
    known = _marks.get(word)
    if known is None:
        folded = word.lower()
        begins = ":" + _begins(folded)
        known = (begins, "<" + _ends(folded)) if len(begins) <= len(folded) else (begins,)
        if len(_marks) < MAX_MARKS:
            _marks[word] = known
    return known


def _mark(glob: str) -> str:
    """What a word's glob fixes of a word: how it begins, or how it ends."""
    wild = min((at for at in map(glob.find, _WILD) if at >= 0), default=len(glob))
    begins = _begins(glob)
    if begins and (len(begins) < wild or wild == len(glob)):
        return ":" + begins
    last = max(map(glob.rfind, _WILD))
    if max(map(glob.rfind, _SEPARATORS)) > last >= 0 and _ends(glob):
        return "<" + _ends(glob)
    return ""


def _begins(word: str) -> str:
    for at, char in enumerate(word):
        if char in _SEPARATORS:
            return word[:at]
    return word


def _ends(word: str) -> str:
    for at in range(len(word) - 1, -1, -1):
        if word[at] in _SEPARATORS:
            return word[at + 1 :]
    return word
