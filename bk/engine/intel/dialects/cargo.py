"""Cargo: a bare requirement is a caret, commas join, and a lock or `cargo install` names one version."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span
from bk.engine.intel.dialects.semantic import PLAIN, bumped, gate, key, term

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key, Test

_PRE = r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_FULL = re.compile(rf"[v=\s]*\d+\.\d+\.\d+{_PRE}", re.ASCII)
_SHORT = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_X = r"(\d+|[xX*])"
_TERM = re.compile(rf"\s*([<>]=?|=|\^|~)?\s*{_X}(?:\.{_X}(?:\.{_X}{_PRE})?)?\s*", re.ASCII)
_TERMS_MAX = 32


class Cargo(Dialect):
    """The rules of Cargo's own requirement reader. `cargo add x@1.2.3` asks for ^1.2.3."""

    __slots__ = ()
    writer = "cargo"

    def canonical(self, version: str) -> str:
        """The registry knows no two versions that differ in build metadata alone."""
        if PLAIN.fullmatch(version) is not None:
            return version
        text = version.lstrip("v=V \t").partition("+")[0]
        return text + ".0" * (2 - text.count(".")) if _SHORT.fullmatch(text) is not None else text

    def key(self, version: str) -> Key | None:
        """Semantic order."""
        return key(version)

    def one(self, text: str) -> str:
        """Three numbers are one version."""
        return self.canonical(text) if _FULL.fullmatch(text) is not None else ""

    def choices(self, text: str) -> list[Choice] | None:
        """Comparisons between commas."""
        parts = text.split(",")
        if len(parts) > _TERMS_MAX:
            return None
        whole = Span()
        named: set[tuple[int, ...]] = set()
        tests: list[Test] = []
        for part in parts:
            found = _TERM.fullmatch(part)
            if found is None:
                return None
            given = [one for one in found.groups()[1:4] if one is not None]
            free = next((at for at, one in enumerate(given) if not one.isdigit()), len(given))
            if any(one.isdigit() for one in given[free:]):
                return None
            if not free and found[1]:
                return None
            numbers = tuple(map(int, given[:free]))
            pre = found[5] or "" if len(numbers) == 3 else ""
            if pre:
                named.add((*numbers, 0))
            op = found[1] or ("" if free < len(given) else "^")
            partial = 0 < len(numbers) < 3
            whole.cut(Span(bumped(numbers, len(numbers) - 1)) if partial and op == ">" else term(op, numbers, pre))
            if partial and op in ("", "=", "<=", ">=", "~"):
                tests.append(_released(numbers))
        return [Choice(whole, (gate(named), *tests))]


def _released(numbers: tuple[int, ...]) -> Test:
    """No pre-release equals a requirement that leaves numbers out."""

    def test(_version: str, key: Key) -> bool:
        return bool(key[1] == 1 or key[0][: len(numbers)] != numbers)

    return test


DIALECT = Cargo()
