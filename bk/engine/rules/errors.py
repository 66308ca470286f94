"""What is wrong with a rule file, said so that the person who wrote it can put it right at once."""

from __future__ import annotations

from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SHOWN = 160


class RuleError:
    """One mistake: where it is (line and column count from 1), what was expected, and the nearest known word."""

    __slots__ = ("column", "file", "line", "message", "source", "suggestion")

    def __init__(
        self, file: str, line: int, column: int, message: str, suggestion: str = "", *, source: str = ""
    ) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.suggestion = suggestion
        self.source = source

    def __str__(self) -> str:
        hint = f" (did you mean {self.suggestion}?)" if self.suggestion else ""
        return f"{inert(self.file)}:{self.line}:{self.column}: {inert(self.message)}{inert(hint)}"

    @property
    def caret(self) -> str:
        """The line with a mark below the place, cut around it when it is long; empty when there is no line."""
        if not self.source.strip():
            return ""
        at = min(max(self.column - 1, 0), len(self.source))
        start = max(0, at - MAX_SHOWN // 2) if len(self.source) > MAX_SHOWN else 0
        before = inert(self.source[start:at])
        return f"{before}{inert(self.source[at : start + MAX_SHOWN])}\n{' ' * len(before)}^"

    @property
    def shown(self) -> str:
        """The error with its line and caret."""
        caret = self.caret
        if not caret:
            return str(self)
        return str(self) + "\n" + "\n".join(f"  {line}" for line in caret.split("\n"))


class RuleErrors(Exception):  # noqa: N818 - several errors in one
    """Every mistake of a file, in order: one bad rule makes the file invalid, and all of them are told at once."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.file, error.line, error.column)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)

    @property
    def shown(self) -> str:
        """All of them with their lines."""
        return "\n".join(error.shown for error in self.errors)


class PatternError(Exception):
    """A mistake inside one line; `column` counts from 1 in that line. `line` is 0 where the reader knows it anyway."""

    def __init__(self, column: int, message: str, suggestion: str = "", *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.suggestion = suggestion


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one, or nothing when none is near."""
    best, least = "", max(1, len(word) // 3) + 1
    folded = word.lower()
    for candidate in sorted(known):
        if abs(len(candidate) - len(word)) >= least:
            continue
        far = _distance(folded, candidate.lower(), least)
        if far < least:
            best, least = candidate, far
    return best


def _distance(one: str, two: str, most: int) -> int:
    """Edits between two words, a swap of neighbours counting once; at least `most` when they are further apart."""
    before: list[int] = []
    row = list(range(len(two) + 1))
    for at, char in enumerate(one, 1):
        older, before, row = before, row, [at]
        for to, other in enumerate(two, 1):
            cost = min(row[-1] + 1, before[to] + 1, before[to - 1] + (char != other))
            if older and to > 1 and char == two[to - 2] and one[at - 2] == other:
                cost = min(cost, older[to - 2] + 1)
            row.append(cost)
        if min(row) >= most:
            return most
    return row[-1]
