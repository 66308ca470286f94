"""Patterns that a person writes run on RE2, in linear time; a plain search for text they need comes first."""

from __future__ import annotations

from bk.engine.rules.errors import PatternError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MAX_PATTERN = 2000
MAX_MEMORY = 8 << 20
MAX_NEEDED = 24
MAX_DEPTH = 20
_PLAIN_ESCAPES = frozenset("\\.+*?()|[]{}^$-/\"'# :;,<>=!@%&~`_")


def compiled(pattern: str) -> Any:
    """The RE2 object; raises PatternError with the column inside the pattern."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    if len(pattern) > MAX_PATTERN:
        raise PatternError(MAX_PATTERN + 1, f"a pattern may have {MAX_PATTERN:,} characters, this one has more")
    try:
        made = re2.compile(pattern, options)
        if made.search("") is not None:
            raise PatternError(1, "this pattern matches the empty text, so it would match every call")
    except re2.error as error:
        said = error.args[0] if error.args else b""
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        what, _, part = text.partition(": ")
        raise PatternError(_column(pattern, part), f"RE2: {text}" if part else f"RE2: {what}") from error
    except UnicodeEncodeError as error:
        raise PatternError(error.start + 1, "not a character") from error
    return made


def _column(pattern: str, part: str) -> int:
    """Where RE2's complaint is: it repeats the part it stumbled over."""
    at = pattern.find(part) if part else -1
    if at < 0:
        return 1
    return len(pattern) + 1 if part == pattern and pattern[:1] not in "*+?)" else at + 1


def needed(pattern: str) -> tuple[str, ...]:
    """Texts of which one must occur (case folded) wherever the pattern matches; empty when nothing is certain."""
    try:
        found = _Needs(pattern).alternatives(0)
    except _DeepError:
        return ()
    return tuple(sorted(found)) if found is not None else ()


def may_match(needs: Sequence[str], folded: str) -> bool:
    """Whether a text that is case folded could match a pattern with these needs."""
    for need in needs:
        if need in folded:
            return True
    return not needs


class _DeepError(Exception):
    """Groups in groups beyond what is worth reading."""


class _Needs:
    """Reads a pattern just far enough to know what it cannot do without. Whatever is unclear needs nothing."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def alternatives(self, depth: int) -> frozenset[str] | None:
        """`a|b`: one of the needs of each; None when a branch needs nothing."""
        branches = [self._branch(depth)]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            branches.append(self._branch(depth))
        merged: set[str] = set()
        for branch in branches:
            if branch is None:
                return None
            merged |= branch
        return frozenset(merged) if len(merged) <= MAX_NEEDED else None

    def _branch(self, depth: int) -> frozenset[str] | None:
        best: frozenset[str] | None = None
        run: list[str] = []

        def close() -> None:
            nonlocal best
            literal = "".join(run).casefold()
            run.clear()
            if len(literal) >= 2:
                best = _better(best, frozenset((literal,)))

        while self.at < len(self.text) and self.text[self.at] not in "|)":
            piece, group = self._piece(depth)
            optional = self._quantified()
            if piece is not None and optional is None:
                run.append(piece)
                continue
            close()
            if optional is False and piece is not None and len(piece.casefold()) >= 2:
                best = _better(best, frozenset((piece.casefold(),)))
            if group is not None and optional is not True:
                best = _better(best, group)
        close()
        return best

    def _quantified(self) -> bool | None:
        """None: no quantifier follows; False: one that keeps the piece (`+`); True: one that may drop it."""
        text = self.text
        if self.at >= len(text) or text[self.at] not in "*+?{":
            return None
        first = text[self.at]
        if first == "{":
            end = text.find("}", self.at)
            if end < 0 or not text[self.at + 1 : self.at + 2].isdigit():
                return None
            self.at = end + 1
        else:
            self.at += 1
        if self.at < len(text) and text[self.at] == "?":
            self.at += 1
        return first != "+"

    def _piece(self, depth: int) -> tuple[str | None, frozenset[str] | None]:
        """One atom: its literal text, or what a group needs."""
        text = self.text
        char = text[self.at]
        self.at += 1
        if char == "(":
            return None, self._group(depth)
        if char == "[":
            self._class()
            return None, None
        if char == "\\":
            escaped = text[self.at : self.at + 1]
            self.at += 1
            if escaped in ("b", "B"):
                return "", None
            if escaped in _PLAIN_ESCAPES and escaped:
                return escaped, None
            if escaped in "xpPQ" and escaped:
                self._skip_escape(escaped)
            return None, None
        return (None, None) if char in ".^$" else (char, None)

    def _skip_escape(self, kind: str) -> None:
        if kind == "Q":
            end = self.text.find("\\E", self.at)
            self.at = len(self.text) if end < 0 else end + 2
        elif self.text[self.at : self.at + 1] == "{":
            end = self.text.find("}", self.at)
            self.at = len(self.text) if end < 0 else end + 1
        else:
            self.at += 2 if kind == "x" else 1

    def _class(self) -> None:
        text = self.text
        if text[self.at : self.at + 1] == "^":
            self.at += 1
        first = True
        while self.at < len(text):
            char = text[self.at]
            self.at += 1
            if char == "\\":
                self.at += 1
            elif char == "[" and text[self.at : self.at + 1] == ":":
                end = text.find(":]", self.at)
                self.at = len(text) if end < 0 else end + 2
            elif char == "]" and not first:
                return
            first = False

    def _group(self, depth: int) -> frozenset[str] | None:
        text = self.text
        if text[self.at : self.at + 1] == "?":
            end = self.at + 1
            if text[end : end + 2] == "P<" or text[end : end + 1] == "<":
                end = text.find(">", end)
                self.at = len(text) if end < 0 else end + 1
            else:
                while end < len(text) and text[end] not in ":)":
                    end += 1
                self.at = end + 1
                if text[end : end + 1] == ")":
                    return None
        if depth > MAX_DEPTH:
            raise _DeepError
        inner = self.alternatives(depth + 1)
        if self.at < len(text) and text[self.at] == ")":
            self.at += 1
        return inner


def _better(one: frozenset[str] | None, two: frozenset[str] | None) -> frozenset[str] | None:
    """The needs that say more: the longest of the shortest."""
    if one is None or two is None:
        return one if two is None else two
    return two if min(map(len, two)) > min(map(len, one)) else one
