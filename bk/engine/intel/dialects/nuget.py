"""NuGet: four numbers, labels without regard to capitals, intervals in brackets, floating versions.

A bare `1.0` names a lowest version, and the lowest that fits is taken: so it means that one version.
"""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span, compared, padded, plain_number, point
from bk.engine.intel.dialects.semantic import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key, Test

_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,3})(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z.-]*)?", re.ASCII)
_BRACKETS = re.compile(r"([\[(])\s*([^,\[\]()]*?)\s*(?:(,)\s*([^,\[\]()]*?)\s*)?([\])])")
_FLOATING = re.compile(r"(\d+(?:\.\d+){0,2})?(?:(?:\.|^)(\*))?(?:-([0-9A-Za-z.-]*)\*)?", re.ASCII)
_FIXED_FLOATING = re.compile(r"(\d+(?:\.\d+){0,3})-([0-9A-Za-z.-]*)\*", re.ASCII)
_TERM = re.compile(r"\s*(>=|<=|==|=|>|<|~>)\s*([^\s,<>=~]+)(?:\s*,)?\s*", re.ASCII)
_NUMBER_MAX = (1 << 31) - 1
_TERMS_MAX = 8


class Nuget(Dialect):
    """The rules of NuGet, and paket's operators."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """Three numbers at least, no leading zeros, no metadata, small letters."""
        if PLAIN.fullmatch(version) is not None:
            return version
        found = _VERSION.fullmatch(version.lower())
        if found is None:
            return version
        if found[2] is None:
            return padded(found[1])
        labels = [plain_number(one) if _counts(one) else one for one in found[2].split(".")]
        return f"{padded(found[1])}-{'.'.join(labels)}"

    def key(self, version: str) -> Key | None:
        """Four numbers, then a release above its labels."""
        found = _VERSION.fullmatch(version.lower())
        if found is None:
            return None
        labels = found[2].split(".") if found[2] is not None else ()
        ranks = tuple((0, int(one), "") if _counts(one) else (1, 0, one) for one in labels)
        return (_four(tuple(map(int, found[1].split(".")))), 0 if labels else 1, ranks)

    def one(self, text: str) -> str:
        """A bare version, or one alone in square brackets."""
        if text[:1] == "[" and text[-1:] == "]" and "," not in text:
            text = text[1:-1].strip()
        text = text.removeprefix("==").removeprefix("=").strip()
        return self.canonical(text) if _VERSION.fullmatch(text.lower()) is not None else ""

    def choices(self, text: str) -> list[Choice] | None:
        """An interval, a floating version, or paket's comparisons."""
        if text[0] in "[(":
            return self._interval(text)
        if "*" in text:
            return _floating(text)
        whole = Span()
        pre = False
        at = 0
        for _ in range(_TERMS_MAX):
            found = _TERM.match(text, at)
            key = self.key(found[2]) if found else None
            if found is None or key is None:
                return None
            pre = pre or key[1] == 0
            whole.cut(_operated(found[1], key, found[2]))
            at = found.end()
            if at == len(text):
                return [Choice(whole, () if pre else (_perhaps,))]
        return None

    def _interval(self, text: str) -> list[Choice] | None:
        found = _BRACKETS.fullmatch(text)
        if found is None or (not found[3] and (found[1] != "[" or found[5] != "]")):
            return None
        whole = Span()
        pre = False
        for op, end in ((">", found[2]), ("<", found[4] if found[3] else found[2])):
            if not end:
                continue
            floating = _floating(end) if "*" in end else None
            key = floating[0].span.low if floating else self.key(end)
            if key is None:
                return None
            pre = pre or key[1] == 0
            whole.cut(compared(op + ("=" if (found[1] if op == ">" else found[5]) in "[]" else ""), key))
        return [Choice(whole, () if pre else (_perhaps,))]


def _counts(label: str) -> bool:
    """Whether a label is a number to NuGet, which holds it in 32 bits."""
    return label.isdigit() and int(label) <= _NUMBER_MAX


def _operated(op: str, key: Key, text: str) -> Span:
    if op in ("=", "=="):
        return point(key)
    if op != "~>":
        return compared(op, key)
    given = text.partition("-")[0].count(".") + 1
    at = max(0, given - 2)
    return Span(key, (_four((*key[0][:at], key[0][at] + 1)), 0, ()))


def _floating(text: str) -> list[Choice] | None:
    """`1.0.*` takes releases, `1.0.*-*` and `1.0.0-beta*` also pre-releases whose labels begin so."""
    fixed = _FIXED_FLOATING.fullmatch(text)
    found = fixed or _FLOATING.fullmatch(text)
    if found is None or (not fixed and not found[2]):
        return None
    numbers = tuple(map(int, found[1].split("."))) if found[1] else ()
    low = Span((_four(numbers), 0, ()))
    if fixed:
        low.cut(Span(None, (_four(numbers), 1, ()), high_in=True))
    elif numbers:
        low.cut(Span(None, (_four((*numbers[:-1], numbers[-1] + 1)), 0, ())))
    return [Choice(low, (_labelled(found[2] if fixed else found[3]),))]


def _four(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return numbers + (0,) * (4 - len(numbers))


def _labelled(labels: str | None) -> Test:
    start = labels.lower() if labels is not None else None

    def test(version: str, key: Key) -> bool:
        return bool(key[1] == 1) or (start is not None and version.partition("-")[2].startswith(start))

    return test


def _perhaps(_version: str, key: Key) -> bool | None:
    """Between releases a pre-release is taken only when a bound is one, or when nothing else fits."""
    return True if key[1] == 1 else None


DIALECT = Nuget()
