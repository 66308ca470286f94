"""Python packages: PEP 440, and what poetry and pdm write beside it.

The local part of a version takes no part in the order here: every operator but `==` and `!=` ignores it.
"""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span, compared, padded, point
from bk.engine.intel.dialects.semantic import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key, Test

_VERSION = re.compile(
    r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)"
    r"(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?"
    r"(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?"
    r"(?:[-_.]?(dev)[-_.]?(\d*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.ASCII,
)
_TERM = re.compile(r"\s*(===|~=|==|!=|<=|>=|=|<|>|\^|~)?\s*((?:v?\d+!)?[^\s,|<>=!~^]+)(?:\s*,)?\s*")
_PREFIX = re.compile(r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)\.[*xX]", re.ASCII)
_PRE = {"alpha": "a", "a": "a", "beta": "b", "b": "b", "preview": "rc", "pre": "rc", "c": "rc", "rc": "rc"}
_STAGE = {"a": 0, "b": 1, "rc": 2}
_FLOOR, _DEV, _FINAL = -2, -1, 3
_LAST = 1 << 62
_TERMS_MAX = 32


class Python(Dialect):
    """The rules of pip, uv, poetry and their like."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """As PEP 440 normalises, and with three numbers at least."""
        if PLAIN.fullmatch(version) is not None:
            return version
        found = _VERSION.fullmatch(version.lower())
        if found is None:
            return version
        epoch, release, pre, pre_n, post_dash, post, post_n, dev, dev_n, local = found.groups()
        text = f"{int(epoch)}!" if epoch and int(epoch) else ""
        text += padded(release)
        if pre:
            text += f"{_PRE[pre]}{int(pre_n or 0)}"
        if post_dash or post:
            text += f".post{int(post_dash or post_n or 0)}"
        if dev:
            text += f".dev{int(dev_n or 0)}"
        if local:
            text += "+" + ".".join(str(int(p)) if p.isdigit() else p for p in re.split(r"[-_.]", local))
        return text

    def key(self, version: str) -> Key | None:
        """Epoch, numbers, stage, pre-release, post-release, development release."""
        found = _VERSION.fullmatch(version.lower())
        if found is None:
            return None
        epoch, release, pre, pre_n, post_dash, post, post_n, dev, dev_n, _ = found.groups()
        posted = bool(post_dash or post)
        return (
            int(epoch or 0),
            _trimmed(release),
            _STAGE[_PRE[pre]] if pre else _DEV if dev and not posted else _FINAL,
            int(pre_n or 0),
            int(post_dash or post_n or 0) if posted else -1,
            int(dev_n or 0) if dev else _LAST,
        )

    def one(self, text: str) -> str:
        """A bare version, or one after `==`: that some index has a local rebuild of it is told apart elsewhere."""
        text = text.removeprefix("===").removeprefix("==").strip()
        return self.canonical(text) if _VERSION.fullmatch(text.lower()) is not None else ""

    def choices(self, text: str) -> list[Choice] | None:
        """Specifiers between commas; poetry's alternatives between bars."""
        made: list[Choice] = []
        for part in text.replace("||", "|").split("|"):
            choice = self.alternative(part.strip())
            if choice is None or len(made) == _TERMS_MAX:
                return None
            made.append(choice)
        return made

    def alternative(self, part: str) -> Choice | None:
        """One set of specifiers that must all hold."""
        whole = Span()
        tests: list[Test] = []
        pre = False
        at = 0
        for _ in range(_TERMS_MAX):
            found = _TERM.match(part, at)
            if found is None:
                return None
            made = self.term(found[1] or "", found[2])
            if made is None:
                return None
            whole.cut(made.span)
            tests += made.tests
            named = self.key(found[2])
            pre = pre or (named is not None and found[1] != "!=" and _is_pre(named))
            at = found.end()
            if at == len(part):
                return Choice(whole, tests if pre else [*tests, _perhaps])
        return None

    def term(self, op: str, text: str) -> Choice | None:
        """One specifier; without an operator it is one version, or one prefix."""
        if text in ("*", "x", "X"):
            return Choice(Span()) if op in ("", "==", "=", ">=") else None
        prefix = _PREFIX.fullmatch(text)
        if prefix is not None:
            inside = _below(prefix[1], prefix[2])
            if op in ("", "=", "=="):
                return Choice(inside)
            return Choice(Span(), [lambda _, key: not inside.holds(key)]) if op == "!=" else None
        found = _VERSION.fullmatch(text.lower())
        key = self.key(text)
        if found is None or key is None:
            return None
        return _specified(op, key, found)


def _specified(op: str, key: Key, found: re.Match[str]) -> Choice | None:
    epoch, release, local = found[1], found[2], found[10]
    if op in ("", "=", "==", "==="):
        return Choice(point(key), [_unknown] if local else ())
    if op == "!=":
        return Choice(Span(), [lambda _, other: None if other == key and local else other != key])
    if op == "~=":
        if "." not in release:
            return None
        inside = _below(epoch, release.rpartition(".")[0])
        return Choice(Span(key, inside.high))
    if op in ("^", "~"):
        numbers = tuple(map(int, release.split(".")))
        last = len(numbers) - 1
        at = min(1, last) if op == "~" else next((n for n, number in enumerate(numbers) if number), last)
        return Choice(Span(key, (key[0], (*numbers[:at], numbers[at] + 1), _FLOOR)))
    if op == ">" and key[4] < 0 and key[5] == _LAST:
        return Choice(Span((*key[:4], _LAST, _LAST), low_in=False))  # nor any post-release of it
    if op == "<" and not _is_pre(key):
        first = (*key[:2], _FINAL if key[4] >= 0 else _DEV, 0, key[4], 0)  # nor any pre-release of it
        return Choice(Span(None, first))
    return Choice(compared(op, key))


def _trimmed(release: str) -> tuple[int, ...]:
    numbers = tuple(map(int, release.split(".")))
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers


def _below(epoch: str | None, release: str) -> Span:
    """Every version whose numbers begin so."""
    numbers = tuple(map(int, release.split(".")))
    past = (*numbers[:-1], numbers[-1] + 1)
    return Span((int(epoch or 0), _trimmed(release), _FLOOR), (int(epoch or 0), past, _FLOOR))


def _is_pre(key: Key) -> bool:
    return bool(key[2] < _FINAL or key[5] != _LAST)


def _perhaps(_version: str, key: Key) -> bool | None:
    """A pre-release that nothing names is taken when nothing else fits."""
    return None if _is_pre(key) else True


def _unknown(_version: str, _key: Key) -> None:
    """A local part decides, and no list knows it."""


DIALECT = Python()
