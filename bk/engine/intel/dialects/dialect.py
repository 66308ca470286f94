"""What every dialect answers, and the pieces its answers are made of."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Key: TypeAlias = tuple[Any, ...]
    Test: TypeAlias = Callable[[str, Key], bool | None]

ANY = ("*", "x", "X")


class Span:
    """From a lowest to a highest version; None is open."""

    __slots__ = ("high", "high_in", "low", "low_in")

    def __init__(
        self, low: Key | None = None, high: Key | None = None, *, low_in: bool = True, high_in: bool = False
    ) -> None:
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


class Choice:
    """One alternative of a request: a span, and tests that a version in it must pass as well.

    A test answers None where the request alone cannot tell: a pre-release that is taken only if nothing else fits.
    """

    __slots__ = ("span", "tests")

    def __init__(self, span: Span, tests: Sequence[Test] = ()) -> None:
        self.span = span
        self.tests = tests

    def admits(self, version: str, key: Key) -> bool | None:
        """Whether this version could be chosen; None is "perhaps"."""
        if not self.span.holds(key):
            return False
        answer: bool | None = True
        for test in self.tests:
            passed = test(version, key)
            if passed is False:
                return False
            if passed is None:
                answer = None
        return answer


class Dialect:
    """One ecosystem's rules. `canonical` makes equal versions equal text; a `key` sorts canonical texts."""

    __slots__ = ()
    writer = ""  # the manager whose bare version is a requirement: everybody else's names one version

    def canonical(self, version: str) -> str:
        """The one spelling of a version; what is none comes back untouched."""
        raise NotImplementedError

    def key(self, version: str) -> Key | None:
        """Something that sorts canonical versions as the ecosystem does; None for what is no version."""
        raise NotImplementedError

    def one(self, text: str) -> str:
        """The canonical version when the request can only mean that one, else ""."""
        raise NotImplementedError

    def choices(self, text: str) -> list[Choice] | None:  # noqa: ARG002 - the dialects with ranges read it
        """The alternatives of a request; None when it is not understood. Here: no ranges at all."""
        return None

    def understood(self, version: str) -> bool:
        """Whether a canonical text can be told apart from every other version."""
        return self.key(version) is not None


def plain_number(text: str) -> str:
    """Digits without leading zeros."""
    return text.lstrip("0") or "0"


def padded(numbers: str) -> str:
    """Numbers without leading zeros, without trailing zero parts beyond three, and with at least three."""
    parts = [part.lstrip("0") or "0" for part in numbers.split(".")]
    while len(parts) > 3 and parts[-1] == "0":
        parts.pop()
    while len(parts) < 3:
        parts.append("0")
    return ".".join(parts)


def point(key: Key) -> Span:
    """Exactly one version."""
    return Span(key, key, high_in=True)


def compared(op: str, key: Key) -> Span:
    """What a plain comparison with a version leaves."""
    if op[0] == ">":
        return Span(key, None, low_in=op[-1] == "=")
    return Span(None, key, high_in=op[-1] == "=")
