"""npm: versions and ranges as its own reader takes them when it is told to be loose, which npm always tells it."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span, compared, plain_number
from bk.engine.intel.dialects.semantic import PLAIN, bumped, gate, key, made, perhaps, term

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key

_IDENTIFIER = r"(?:\d*[A-Za-z-][0-9A-Za-z-]*|\d+)"
_PRE = rf"(?:-?({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_FULL = re.compile(rf"[vV=\s]*(\d+)\.(\d+)\.(\d+){_PRE}", re.ASCII)
_SHORT = re.compile(r"[vV=\s]*(\d+(?:\.\d+)?)", re.ASCII)
_X = r"(\d+|[xX*])"
_PARTIAL = rf"{_X}(?:\.{_X}(?:\.{_X}{_PRE})?)?"
_TERM = re.compile(rf"\s*([<>]=?|=|\^|~>?)?\s*([v=]*){_PARTIAL}(?=\s|\Z)", re.ASCII)
_HYPHEN = re.compile(rf"\s*[v=]*{_PARTIAL}\s+-\s+[v=]*{_PARTIAL}\s*", re.ASCII)
_LOWEST = made((0, 0, 0))
_LARGEST = (1 << 53) - 1
_ALTERNATIVES_MAX = 64


class Npm(Dialect):
    """The rules of npm, pnpm, Yarn, Bun and Deno."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """Without prefix, leading zeros and build metadata; a list's `1.0` can only mean 1.0.0."""
        if PLAIN.fullmatch(version) is not None:
            return version
        found = _FULL.fullmatch(version)
        if found is None:
            short = _SHORT.fullmatch(version)
            if short is None:
                return version
            numbers = [plain_number(part) for part in short[1].split(".")]
            return ".".join([*numbers, "0", "0"][:3])
        text = ".".join(map(plain_number, found.groups()[:3]))
        if found[4] is None:
            return text
        return text + "-" + ".".join(plain_number(one) if one.isdigit() else one for one in found[4].split("."))

    def key(self, version: str) -> Key | None:
        """Semantic order."""
        return key(version)

    def one(self, text: str) -> str:
        """Three numbers are one version, fewer are a range."""
        return self.canonical(text) if _FULL.fullmatch(text) is not None else ""

    def choices(self, text: str) -> list[Choice] | None:
        """Alternatives between bars, each a set of comparisons that must all hold."""
        made_: list[Choice] = []
        for part in text.split("||"):
            choice = _alternative(part)
            if choice is None or len(made_) == _ALTERNATIVES_MAX:
                return None
            made_.append(choice)
        # an alternative that is everything swallows the others; the tag `latest` may then be a pre-release
        return next(([choice] for choice in made_ if _anything(choice.span)), made_)


def _alternative(part: str) -> Choice | None:
    named: set[tuple[int, ...]] = set()
    hyphen = _HYPHEN.fullmatch(part)
    if hyphen is not None:
        spans = _hyphen(hyphen.groups(), named)
        return None if spans is None else Choice(spans, (gate(named),))
    whole = Span()
    at, end = 0, len(part.rstrip())
    while at < end:
        found = _TERM.match(part, at, end)
        if found is None:
            return None
        at = found.end()
        numbers = _numbers(found.groups()[2:5])
        if numbers is None:
            return None
        pre = found[6] or "" if len(numbers) == 3 else ""
        if pre:
            named.add((*numbers, 0))
        op = found[1] or ""
        span = term(op + "=" if op in ("<", ">") and found[2][:1] == "=" else op, numbers, pre)
        if span.low_in and span.low == _LOWEST and (span.high != _LOWEST):
            span.low = None  # npm forgets `>=0.0.0`, so that named pre-releases of 0.0.0 are above it
        whole.cut(span)
    return Choice(whole, (perhaps if _anything(whole) else gate(named),))


def _anything(span: Span) -> bool:
    return span.high is None and (span.low is None or (span.low_in and span.low == _LOWEST))


def _numbers(parts: tuple[str | None, ...]) -> tuple[int, ...] | None:
    """The numbers before the first free one; None when one is larger than npm allows, or follows a free one."""
    found: list[int] = []
    free = False
    for part in parts:
        if part is None or not part.isdigit():
            free = True
        elif free or int(part) > _LARGEST:
            return None
        else:
            found.append(int(part))
    return tuple(found)


def _hyphen(groups: tuple[str | None, ...], named: set[tuple[int, ...]]) -> Span | None:
    """`1.2 - 2.3`: from the lowest 1.2 to the highest 2.3."""
    low, high = _numbers(groups[:3]), _numbers(groups[4:7])
    if low is None or high is None:
        return None
    whole = Span()
    for numbers, pre in ((low, groups[3]), (high, groups[7])):
        if pre and len(numbers) == 3:
            named.add((*numbers, 0))
    if low:
        whole.cut(Span(made(low, groups[3] or "" if len(low) == 3 else "")))
    if len(high) == 3:
        whole.cut(compared("<=", made(high, groups[7] or "")))
    elif high:
        whole.cut(Span(None, bumped(high, len(high) - 1)))
    return whole


DIALECT = Npm()
