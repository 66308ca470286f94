"""Commands inside other commands' arguments: lowered in place, with what they change put back."""

from __future__ import annotations

from bk.engine.lower import commands
from bk.engine.lower.scripts import shell_text
from bk.engine.lower.wrappers import glued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell


def run(
    shell: Shell, words: Sequence[str], via: tuple[str, ...], stdin: Stream | None = None, fed: Stream | None = None
) -> Stream | None:
    """A program and its arguments, started by another program on this machine."""
    if not _deeper(shell, words):
        return None
    scope = shell.scope
    before = scope.via
    state = scope.snapshot()
    scope.via += via
    shell.nesting += STEP
    try:
        return commands.simple(shell, words, stdin, fed) if words else None
    finally:
        shell.nesting -= STEP
        scope.via = before
        scope.restore(state)


def far(
    shell: Shell, where: str, what: str | Sequence[str], stdin: Stream | None, via: tuple[str, ...]
) -> Stream | None:
    """Shell text or words that run in another place."""
    if not _deeper(shell, what):
        return None
    shell.nesting += STEP
    try:
        return shell.elsewhere(where, what, stdin, via)
    finally:
        shell.nesting -= STEP


def _deeper(shell: Shell, what: str | Sequence[str]) -> bool:
    """Whether there is room for one more command in a command; without it that one stays dark."""
    if shell.nesting <= MAX_INNER:
        return True
    shell.dark("depth", what if isinstance(what, str) else glued(what))
    return False


def text(
    shell: Shell, text: str, via: tuple[str, ...], stdin: Stream | None = None, fed: Stream | None = None
) -> Stream | None:
    """Shell text that another program hands to a shell."""
    state = shell.scope.snapshot()
    try:
        return shell_text(shell, text, via, stdin, fed)
    finally:
        shell.scope.restore(state)


STEP = 2
MAX_INNER = 48


class Args:
    """An argument list split by a table: `options` are (name, value) pairs, `rest` starts at the first operand."""

    __slots__ = ("options", "rest")

    def __init__(self, options: list[tuple[str, str]], rest: Sequence[str]) -> None:
        self.options = options
        self.rest = rest

    def values(self, *names: str) -> list[str]:
        """Every value given for these options."""
        return [value for name, value in self.options if name in names]

    def value(self, *names: str) -> str:
        """The last value given for these options, or ""."""
        found = self.values(*names)
        return found[-1] if found else ""

    def has(self, *names: str) -> bool:
        """Whether one of these options was given."""
        return any(name in names for name, _ in self.options)


def split(words: Sequence[str], takes: Iterable[str]) -> Args:
    """Options up to the first operand; the next word is an option's value only when the table says so."""
    options: list[tuple[str, str]] = []
    at, end = 0, len(words)
    while at < end:
        word = words[at]
        if word == "--":
            at += 1
            break
        if word[:1] != "-" or len(word) < 2:
            break
        at += 1
        name, equals, value = word.partition("=")
        if equals and word[:2] == "--":
            options.append((name, value))
        elif word in takes:
            options.append((word, words[at] if at < end else ""))
            at += 1
        elif word[:2] == "--":
            options.append((word, ""))
        else:
            at += _cluster(word, words, at, takes, options)
    return Args(options, words[at:])


def _cluster(word: str, words: Sequence[str], at: int, takes: Iterable[str], options: list[tuple[str, str]]) -> int:
    """`-itv VALUE`, `-vVALUE`: letters up to the first that takes a value; how many more words that is."""
    for index in range(1, len(word)):
        letter = f"-{word[index]}"
        if letter in takes:
            rest = word[index + 1 :]
            options.append((letter, rest or (words[at] if at < len(words) else "")))
            return not rest
        options.append((letter, ""))
    return 0


def all_options(words: Sequence[str], takes: Iterable[str]) -> tuple[Args, list[str]]:
    """Options wherever they stand, and the operands between them; what follows `--` are operands."""
    found: list[tuple[str, str]] = []
    operands: list[str] = []
    rest = words
    while rest:
        part = split(rest, takes)
        found.extend(part.options)
        done = len(rest) - len(part.rest)
        if done and rest[done - 1] == "--" and not (part.options and part.options[-1][1] == "--"):
            operands.extend(part.rest)
            break
        if not part.rest:
            break
        operands.append(part.rest[0])
        rest = part.rest[1:]
    return Args(found, ()), operands
