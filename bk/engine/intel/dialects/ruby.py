"""RubyGems: letters make a pre-release, zeros at the end of numbers carry nothing, the platform is no version."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span, compared, padded, plain_number, point
from bk.engine.intel.dialects.semantic import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key, Test

_PLATFORM = re.compile(
    r"-(?:(?:x86_64|x86|x64|i[3-6]86|amd64|aarch64|arm64|armv?[0-9a-z]*|powerpc[0-9a-z]*|ppc[0-9a-z]*|s390x?"
    r"|sparc[0-9a-z]*|riscv64|mips[0-9a-z]*|universal|all)(?:-[0-9a-z_.]+){1,3}"
    r"|java|jruby|dalvik|mswin(?:32|64)?|mingw(?:32|64)?|mswin[0-9a-z-]+)$",
    re.ASCII,
)
_VERSION = re.compile(r"\d+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)
_SEGMENT = re.compile(r"\d+|[a-zA-Z]+", re.ASCII)
_TERM = re.compile(r"\s*(=|!=|>=|<=|~>|>|<)?\s*(\S+)\s*", re.ASCII)
_LETTER, _END, _NUMBER = 0, 1, 2
_TERMS_MAX = 32


class Ruby(Dialect):
    """The rules of RubyGems and Bundler."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """Three numbers at least, then what follows the first letter, in one way of joining."""
        if PLAIN.fullmatch(version) is not None:
            return version
        version = _PLATFORM.sub("", version)
        if _VERSION.fullmatch(version) is None:
            return version
        numbers, rest = _segments(version)
        text = padded(".".join(numbers) or "0")
        for before, segment in zip(("", *rest), rest, strict=False):
            text += segment if segment.isdigit() and before and not before.isdigit() else f".{segment}"
        return text

    def key(self, version: str) -> Key | None:
        """Segment by segment: a letter lies below the end, the end below a number; how many zeros come first counts."""
        if _VERSION.fullmatch(version) is None:
            return None
        numbers, rest = _segments(version)
        tokens: list[tuple[int, int, int | str]] = []
        zeros = 0
        for segment in (*numbers, *rest):
            if not segment.isdigit():
                tokens.append((_LETTER, zeros, segment))
            elif int(segment):
                tokens.append((_NUMBER, -zeros, int(segment)))
            else:
                zeros += 1
                continue
            zeros = 0
        return (*tokens, (_END, 0, 0))

    def one(self, text: str) -> str:
        """A bare version, with or without its equals sign."""
        version = self.canonical(text.removeprefix("=").strip())
        return version if _VERSION.fullmatch(version) is not None else ""

    def choices(self, text: str) -> list[Choice] | None:
        """Requirements between commas."""
        whole = Span()
        tests: list[Test] = []
        pre = False
        parts = text.split(",")
        if len(parts) > _TERMS_MAX:
            return None
        for part in parts:
            found = _TERM.fullmatch(part.strip("[]\"' "))
            version = self.canonical(found[2]) if found else ""
            key = self.key(version)
            if found is None or key is None:
                return None
            pre = pre or _is_pre(key)
            op = found[1] or "="
            if op == "!=":
                tests.append(_other(key))
            elif op == "~>":
                whole.cut(Span(key, _bumped(found[2])))
            else:
                whole.cut(point(key) if op == "=" else compared(op, key))
        return [Choice(whole, tests if pre else [*tests, _perhaps])]


def _segments(version: str) -> tuple[list[str], list[str]]:
    """The numbers before the first letter, and everything after, each without zeros at its end."""
    found = _SEGMENT.findall(version.replace("-", ".pre."))
    found = [plain_number(segment) if segment.isdigit() else segment for segment in found]
    at = next((n for n, segment in enumerate(found) if not segment.isdigit()), len(found))
    parts = (found[:at], found[at:])
    for part in parts:
        while part and part[-1] == "0":
            part.pop()
    return parts


def _bumped(version: str) -> Key:
    """Below every pre-release of the first version that a pessimistic requirement excludes."""
    numbers = []
    for segment in _SEGMENT.findall(version.replace("-", ".pre.")):
        if not segment.isdigit():
            break
        numbers.append(int(segment))
    if len(numbers) > 1:
        numbers.pop()
    numbers[-1] += 1
    tokens: list[tuple[int, int, int | str]] = []
    zeros = 0
    for number in numbers:
        if number:
            tokens.append((_NUMBER, -zeros, number))
        zeros = 0 if number else zeros + 1
    return (*tokens, (_LETTER, -1, ""))


def _is_pre(key: Key) -> bool:
    return any(token[0] == _LETTER for token in key)


def _perhaps(_version: str, key: Key) -> bool | None:
    """A pre-release that nothing names is taken when nothing else fits."""
    return None if _is_pre(key) else True


def _other(key: Key) -> Test:
    return lambda _, other: other != key


DIALECT = Ruby()
