"""What a request such as `^1.2`, `>=1,<2` or `~> 3.1` would accept, by the rules of the manager that reads it.

Only needed when a name is listed. A request that is not understood is None: the caller then answers `maybe`.
"""

from __future__ import annotations

import re

from bk.engine.intel import order
from bk.engine.intel.versions import VERSION_MAX, canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.order import Key

_FULL = re.compile(r"[v=\s]*\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_LOOSE = re.compile(r"[v=\s]*(?:\d+!)?\d+(?:\.\d+)*[0-9A-Za-z]*(?:[-_.+][0-9A-Za-z]+)*", re.ASCII)
_TERM = re.compile(r"(~=|~>|===|==|!=|<=|>=|=|<|>|\^|~)?\s*[vV]?([^\s,|<>=!~^]+)")
_HYPHEN = re.compile(r"\s*[v=]*([^\s|]+)\s+-\s+[v=]*([^\s|]+)\s*")
_PARTIAL = re.compile(r"(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:[-+.@]?([0-9A-Za-z.+-]*))?")
_BRACKETS = re.compile(r"([\[(])\s*([^,\[\]()]*?)\s*(?:(,)\s*([^,\[\]()]*?)\s*)?([\])])")
_WHOLE = frozenset(("npm", "cargo", "editor-extension"))  # fewer than three numbers are a range there
_TERMS_MAX = 32


class Span:
    """From a lowest to a highest version; None is open."""

    __slots__ = ("high", "high_in", "low", "low_in")

    def __init__(self, low: Key | None, high: Key | None, *, low_in: bool = True, high_in: bool = False) -> None:
        self.low = low
        self.high = high
        self.low_in = low_in
        self.high_in = high_in

    def holds(self, key: Key) -> bool:
        """Whether a version lies inside."""
        if self.low is not None and (key < self.low or (key == self.low and not self.low_in)):
            return False
        return self.high is None or key < self.high or (key == self.high and self.high_in)

    def meets(self, other: Span) -> bool:
        """Whether some version could lie inside both."""
        for one, two in ((self, other), (other, self)):
            if one.low is None or two.high is None:
                continue
            if one.low > two.high or (one.low == two.high and not (one.low_in and two.high_in)):
                return False
        return True

    def cut(self, other: Span) -> None:
        """Keep only what lies in both."""
        if other.low is not None and (self.low is None or other.low >= self.low):
            self.low_in = other.low_in and (self.low != other.low or self.low_in)
            self.low = other.low
        if other.high is not None and (self.high is None or other.high <= self.high):
            self.high_in = other.high_in and (self.high != other.high or self.high_in)
            self.high = other.high


class Demand:
    """The versions that a request accepts: any of some spans, less some versions."""

    __slots__ = ("ecosystem", "excluded", "named", "spans")

    def __init__(self, ecosystem: str, spans: list[Span], excluded: list[Key], named: set[tuple[int, ...]]) -> None:
        self.ecosystem = ecosystem
        self.spans = spans
        self.excluded = excluded
        self.named = named

    def accepts(self, version: str) -> bool | None:
        """Whether this version could be chosen; None when it cannot be compared."""
        key = order.key(self.ecosystem, version)
        if key is None:
            return None
        if key in self.excluded:
            return False
        apart = self.ecosystem in ("npm", "cargo") and order.is_prerelease(self.ecosystem, version)
        if apart and order.numbers(key) not in self.named:
            return False
        return any(span.holds(key) for span in self.spans)


def pinned(ecosystem: str, text: str, manager: str = "") -> str:
    """The canonical version when the request can only mean one version, else ""."""
    text = text.strip()
    if not text or len(text) > VERSION_MAX:
        return ""
    if ecosystem == "pypi":
        text = text.removeprefix("===").removeprefix("==").strip()
    elif ecosystem == "cargo" and manager == "cargo" and not text.startswith("="):
        return ""  # `cargo add x@1.2.3` asks for ^1.2.3
    elif ecosystem == "rubygems":
        text = text.removeprefix("=").strip()
    shape = _FULL if ecosystem in _WHOLE else _LOOSE
    if shape.fullmatch(text) is None or text.endswith((".x", ".X")):
        return ""
    return canonical_version(ecosystem, text)


def demand(ecosystem: str, text: str) -> Demand | None:
    """Read a range in its ecosystem's dialect; None when it is none that we understand."""
    text = text.strip()
    if not text or len(text) > VERSION_MAX:
        return None
    if ecosystem in ("nuget", "maven") and text[0] in "[(":
        return _bracketed(ecosystem, text)
    spans: list[Span] = []
    excluded: list[Key] = []
    named: set[tuple[int, ...]] = set()
    for part in text.replace("||", "|").split("|"):
        span = _alternative(ecosystem, part.strip(), excluded, named)
        if span is None:
            return None
        spans.append(span)
    return Demand(ecosystem, spans, excluded, named)


def interval(ecosystem: str, text: str) -> Span | None:
    """Read an interval as records keep it: `>=a,<b`, either end inclusive or not, either end open."""
    whole = Span(None, None)
    for term in text.split(","):
        op = term[:2] if term[1:2] == "=" else term[:1]
        key = order.key(ecosystem, term[len(op) :])
        if key is None or op not in ("<", ">", "<=", ">="):
            return None
        inclusive = len(op) == 2
        one = Span(key, None, low_in=inclusive) if op[0] == ">" else Span(None, key, high_in=inclusive)
        whole.cut(one)
    return whole


def _alternative(ecosystem: str, part: str, excluded: list[Key], named: set[tuple[int, ...]]) -> Span | None:
    whole = Span(None, None)
    hyphen = _HYPHEN.fullmatch(part)
    if hyphen is not None and ecosystem in ("npm", "packagist"):
        part = f">={hyphen[1]} <={hyphen[2]}"
    if part in ("", "*", "x", "X", "any"):
        return whole
    at = 0
    for _ in range(_TERMS_MAX):
        found = _TERM.match(part, at)
        if found is None:
            return None
        one = _term(ecosystem, found[1] or "", found[2], excluded, named)
        if one is None:
            return None
        whole.cut(one)
        at = found.end()
        while at < len(part) and part[at] in ", \t":
            at += 1
        if at == len(part):
            return whole
    return None


def _term(ecosystem: str, op: str, text: str, excluded: list[Key], named: set[tuple[int, ...]]) -> Span | None:
    shape = _PARTIAL.fullmatch(text)
    if shape is None:
        return None
    given = [part for part in shape.groups()[:4] if part is not None]
    numbers = tuple(
        int(part) for part in given[: next((n for n, p in enumerate(given) if not p.isdigit()), len(given))]
    )
    open_ended = len(numbers) < len(given)
    if not numbers:
        return Span(None, None) if op in ("", "=", "==", ">=", "^", "~") else None
    plain = ".".join(map(str, numbers)) if open_ended else text
    low = order.key(ecosystem, plain)
    if low is None:
        return None
    if shape[5] and not open_ended and ecosystem in ("npm", "cargo"):
        named.add(order.numbers(low))
    partial = open_ended or (ecosystem in ("npm", "cargo") and len(numbers) < 3)
    if op in ("", "=", "==", "==="):
        if ecosystem == "cargo" and op == "":
            return Span(low, _bumped(ecosystem, numbers, _caret(numbers)))
        return Span(low, _bumped(ecosystem, numbers, len(numbers) - 1)) if partial else Span(low, low, high_in=True)
    if op == "!=":
        if not open_ended:
            excluded.append(low)
        return Span(None, None)
    if op == "^":
        return Span(low, _bumped(ecosystem, numbers, _caret(numbers)))
    if op in ("~", "~>", "~="):
        return Span(low, _bumped(ecosystem, numbers, _tilde(ecosystem, op, numbers)))
    if op[0] == ">":
        if partial and op == ">":
            return Span(_bumped(ecosystem, numbers, len(numbers) - 1), None)
        return Span(low, None, low_in=op == ">=")
    if partial and op == "<=":
        return Span(None, _bumped(ecosystem, numbers, len(numbers) - 1))
    return Span(None, low, high_in=op == "<=")


def _caret(numbers: tuple[int, ...]) -> int:
    return next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)


def _tilde(ecosystem: str, op: str, numbers: tuple[int, ...]) -> int:
    """Which number may not change: npm's and Cargo's tilde keeps the minor, the others all but the last given."""
    if op == "~" and ecosystem != "packagist":
        return min(1, len(numbers) - 1)
    return max(0, len(numbers) - 2)


def _bumped(ecosystem: str, numbers: tuple[int, ...], at: int) -> Key | None:
    return order.floor(ecosystem, (*numbers[:at], numbers[at] + 1, *(0 for _ in range(max(0, 2 - at)))))


def _bracketed(ecosystem: str, text: str) -> Demand | None:
    """NuGet's and Maven's interval notation."""
    spans = []
    for found in _BRACKETS.finditer(text):
        low, high = found[2], found[4] if found[3] else found[2]
        keys = [order.key(ecosystem, end) if end else None for end in (low, high)]
        if (low and keys[0] is None) or (high and keys[1] is None):
            return None
        spans.append(Span(keys[0], keys[1], low_in=found[1] == "[", high_in=found[5] == "]"))
    return Demand(ecosystem, spans, [], set()) if spans else None
