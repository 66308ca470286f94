"""The words of a filter as they are typed: `[-]key[sign]value`, quotes, and where in the text each one stands."""

from __future__ import annotations

import re
from typing import NamedTuple

from bk.engine.errors import USAGE, BkError

MAX_WORDS = 64
MAX_LENGTH = 1000
_WORD = re.compile(
    r"(?P<not>-)?(?:(?P<key>[A-Za-z][A-Za-z0-9_-]*+)(?P<sign>>=|<=|!=|[:=<>])(?!//))?(?P<value>(?:\"[^\"]*\"|[^\s\"])*)"
)


class QueryError(BkError):
    """A filter that cannot be understood. `at` and `length` are the place in the text, counted from 0."""

    def __init__(self, title: str, detail: str, next_step: str, at: int, length: int) -> None:
        super().__init__(title, f"{detail} (at character {at + 1})", next_step, code=USAGE)
        self.at = at
        self.length = length


class Word(NamedTuple):
    """One word of the filter, or text when `key` is ""; `at` is where it begins."""

    shown: str
    negated: bool
    key: str
    sign: str
    value: str
    quoted: bool
    at: int


def bad(word: Word, title: str, next_step: str) -> QueryError:
    """What is wrong with a word."""
    return QueryError(title, word.shown, next_step, word.at, len(word.shown))


def words(text: str) -> list[Word]:
    """The words of a filter, quotes taken off."""
    for at, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise QueryError("the filter holds a character that no entry can", repr(text[:80]), "leave it out", at, 1)
    found: list[Word] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _WORD.match(text, at)
        end = match.end() if match else at
        if match is None or end == at or (end < len(text) and not text[end].isspace()):
            said = text[at : at + 80]
            raise QueryError("a quote in the filter is not closed", said, 'close it with "', at, len(text) - at)
        found.append(_word(match, at))
        if len(found) > MAX_WORDS:
            over = f"{MAX_WORDS + 1} or more, and {MAX_WORDS} are allowed"
            raise QueryError("the filter has too many words", over, "use fewer", at, len(text) - at)
        at = end
    return found


def _word(match: re.Match[str], at: int) -> Word:
    shown, value = match.group(), match["value"]
    if len(shown) > MAX_LENGTH:
        said = f"{shown[:60]}…: over {MAX_LENGTH} characters"
        raise QueryError("a word of the filter is too long", said, "shorten it", at, len(shown))
    key = (match["key"] or "").lower()
    bare = value.replace('"', "")
    if not bare:
        step = f"write {key}:VALUE" if key else "leave it out"
        raise QueryError("a word of the filter has no value", shown, step, at, len(shown))
    return Word(shown, bool(match["not"]), key, match["sign"] or "", bare, '"' in value, at)
