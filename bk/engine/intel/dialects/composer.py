"""Composer: stabilities, development branches, and constraints as its own reader takes them.

Order is that of PHP's version comparison over normalised versions. A branch has no place in it: it equals only itself.
"""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Choice, Dialect, Span, compared, padded, point
from bk.engine.intel.dialects.semantic import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key, Test

_MODIFIER = r"[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d+)*))?([.-]?dev)?"
_CLASSIC = re.compile(rf"v?(\d{{1,5}}(?:\.\d+){{0,3}}){_MODIFIER}", re.ASCII)
_DATED = re.compile(rf"v?(\d{{4}}(?:[.:-]?\d{{2}}){{1,6}}(?:[.:-]?\d{{1,3}}){{0,2}}){_MODIFIER}", re.ASCII)
_BRANCH = re.compile(r"v?(\d+(?:\.(?:\d+|[xX*])){0,3})[.-]?dev", re.ASCII)
_NORMAL = re.compile(r"(\d+(?:\.(?:\d+|x)){0,3}|\d{4,}(?:-\d+)*)(?:-(alpha|beta|rc|patch)([\d.-]*))?(-dev)?", re.ASCII)
_FLAG = re.compile(r"@(stable|rc|beta|alpha|dev)$", re.ASCII | re.IGNORECASE)
_ALIAS = re.compile(r"([^,\s]+)\s+as\s+[^,\s]+", re.ASCII)
_META = re.compile(r"([^,\s+]+)\+\S+", re.ASCII)
_REFERENCE = re.compile(r"(dev-[^,\s@]+?|[^,\s@]+?\.x-dev)#.+", re.ASCII)
_ANYTHING = re.compile(r"v?[xX*](?:\.[xX*])*", re.ASCII)
_RANGED = re.compile(
    rf"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?(?:{_MODIFIER}|\.([x*][.-]?dev))(?:\+\S+)?", re.ASCII
)
_WILD = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.[xX*])+", re.ASCII)
_OPERATOR = re.compile(r"(<>|!=|>=?|<=?|==?)?\s*(\S+)", re.ASCII)
_SUFFIXED = re.compile(r"-(?:stable|beta|b|alpha|a|patch|pl|p)?(?:[.-]?\d+)*(?:[.-]?dev)?$", re.ASCII)
_SPACED = re.compile(r"(<>|!=|>=?|<=?|==?)\s+([^\s,@]+)(?:@([A-Za-z]+))?", re.ASCII)
_STABILITY = {"b": "beta", "a": "alpha", "p": "patch", "pl": "patch", "stable": ""}
_PLACES = {"dev": 0, "alpha": 1, "beta": 2, "rc": 3, "patch": 6}
_END, _NUMBER = 4, 5
_CLASSIC_DIGITS, _CLASSIC_MAX = 5, 99_999
_ENDLESS = 9_999_999
_BLANK = "\0"
_TERMS_MAX = 32


class Composer(Dialect):
    """The rules of Composer 2."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """As Composer normalises, with three numbers where the fourth is nothing."""
        if PLAIN.fullmatch(version) is not None and version.index(".") <= _CLASSIC_DIGITS:
            return version
        text = _FLAG.sub("", version)
        alias = _ALIAS.fullmatch(text)
        text = alias[1] if alias else text
        if text in ("master", "trunk", "default"):
            return f"dev-{text}"
        if text[:4].lower() == "dev-":
            return "dev-" + text[4:]
        meta = _META.fullmatch(text)
        lowered = (meta[1] if meta else text).lower()
        found = _CLASSIC.fullmatch(lowered)
        if found is not None:
            return padded(found[1]) + _suffix(found)
        found = _DATED.fullmatch(lowered)
        if found is not None:
            first, *parts = re.split(r"\D", found[1])
            if len(parts) == 3 and len(first) == 4:  # what is four numbers long is a version like any other
                return padded(".".join([first, *parts])) + _suffix(found)
            return "-".join([first, *(f"{int(part):02}" for part in parts)]) + _suffix(found)
        found = _BRANCH.fullmatch(lowered)
        if found is None:
            return version
        parts = [part.lstrip("0") or "0" for part in found[1].replace("*", "x").split(".")] + ["x"]
        while parts[-2:] == ["x", "x"]:
            parts.pop()
        return ".".join(parts[:4]) + "-dev"

    def key(self, version: str) -> Key | None:
        """PHP's tokens: words of stability, the end, numbers, patches."""
        found = _NORMAL.fullmatch(version)
        if found is None or ("x" in found[1] and not found[4]):
            return None
        parts = found[1].replace("-", ".").split(".")
        if "-" not in found[1] and int(parts[0]) <= _CLASSIC_MAX:  # a date is compared as long as it is
            parts += (["x"] if parts[-1] == "x" else ["0"]) * (4 - len(parts))
        tokens = [(_NUMBER, _ENDLESS if part == "x" else int(part)) for part in parts]
        if found[2]:
            tokens.append((_PLACES[found[2]], 0))
            tokens += [(_NUMBER, int(part)) for part in re.findall(r"\d+", found[3])]
        if found[4]:
            tokens.append((_PLACES["dev"], 0))
        return (*tokens, (_END, 0))

    def one(self, text: str) -> str:
        """A bare version, or one branch."""
        reference = _REFERENCE.fullmatch(text)
        text = _FLAG.sub("", (reference[1] if reference else text).lstrip("= "))
        version = self.canonical(text)
        return version if self.understood(version) and not _ANYTHING.fullmatch(text) and "," not in text else ""

    def understood(self, version: str) -> bool:
        """A branch can be told apart, though it has no place in the order."""
        return version[:4] == "dev-" or self.key(version) is not None

    def choices(self, text: str) -> list[Choice] | None:
        """Alternatives between bars, each of constraints between commas or blanks."""
        made: list[Choice] = []
        for part in text.replace("||", "|").split("|"):
            choice = self._alternative(part.strip())
            if choice is None or len(made) == _TERMS_MAX:
                return None
            made.append(choice)
        return made

    def _alternative(self, part: str) -> Choice | None:
        alias = _ALIAS.fullmatch(part)
        words = [word for word in _SPACED.sub(_closed, alias[1] if alias else part).replace(",", " ").split() if word]
        whole = Span()
        tests: list[Test] = []
        at = 0
        while at < len(words):
            if words[at + 1 : at + 2] == ["-"] and at + 2 < len(words):
                one = self._hyphen(words[at].lower(), words[at + 2].lower())
                at += 3
            else:
                one = self._constraint(words[at])
                at += 1
            if one is None or at > 3 * _TERMS_MAX:
                return None
            whole.cut(one.span)
            tests += one.tests
        return Choice(whole, tests) if words else None

    def _constraint(self, word: str) -> Choice | None:
        word, blank, _ = word.partition(_BLANK)
        flag = _FLAG.search(word)
        word = _FLAG.sub("", word) or "*"
        reference = _REFERENCE.fullmatch(word)
        word = reference[1] if reference else word
        if _ANYTHING.fullmatch(word) is not None:
            return Choice(Span())
        wild = _WILD.fullmatch(word)
        if wild is not None:
            numbers = tuple(int(part) for part in wild.groups() if part is not None)
            return Choice(Span(_floor(numbers), _bumped(numbers, len(numbers) - 1)))
        if word[0] in "~^":
            return self._ranged(word[0], word[1:].lower())
        return self._basic(word, flag[1].lower() if flag else "", plain=bool(blank))

    def _ranged(self, op: str, text: str) -> Choice | None:
        found = _RANGED.fullmatch(text)
        if found is None:
            return None
        numbers = tuple(int(part) for part in found.groups()[:4] if part is not None)
        low = self._low(text, found.groups(), plain="+" not in text)
        if low is None:
            return None
        if op == "~":
            last = len(numbers) + (1 if found[8] else 0)
            return Choice(Span(low, _bumped(numbers, max(1, last - 1) - 1)))
        at = 0 if numbers[0] or len(numbers) < 2 else 1 if numbers[1] or len(numbers) < 3 else 2
        return Choice(Span(low, _bumped(numbers, at)))

    def _low(self, text: str, groups: tuple[str | None, ...], *, plain: bool = True) -> Key | None:
        """Where a range begins: at the first development version, unless a stability is given."""
        plain = plain and not (groups[4] or groups[6] or groups[7])
        return self.key(self.canonical(text.partition("+")[0] + ("-dev" if plain else "")))

    def _hyphen(self, low_text: str, high_text: str) -> Choice | None:
        low, high = _RANGED.fullmatch(low_text), _RANGED.fullmatch(high_text)
        if low is None or high is None:
            return None
        low_key = self._low(low_text, low.groups())
        if high[3] is not None or high[5] or high[7] or high[8]:
            high_key = self.key(self.canonical(high_text))
            return Choice(Span(low_key, high_key, high_in=True)) if low_key and high_key else None
        numbers = tuple(int(part) for part in high.groups()[:2] if part is not None)
        return Choice(Span(low_key, _bumped(numbers, len(numbers) - 1))) if low_key else None

    def _basic(self, word: str, flag: str, *, plain: bool) -> Choice | None:
        found = _OPERATOR.fullmatch(word)
        if found is None:
            return None
        op, text = found[1] or "=", found[2]
        version = self.canonical(text)
        key = self.key(version)
        if key is None:
            return _branch(op, version)
        if op in ("=", "=="):
            return Choice(point(key))
        if flag not in ("", "stable") and all(token[0] in (_NUMBER, _END, _PLACES["patch"]) for token in key):
            key = self.key(f"{version}-{flag}") or key
        elif op in ("<", ">=") and (plain or _SUFFIXED.search(text.lower()) is None):
            key = (*key[:-1], (_PLACES["dev"], 0), (_END, 0))
        if op in ("!=", "<>"):
            return Choice(Span(), [lambda _, other: other != key])
        return Choice(compared(op, key))


def _closed(found: re.Match[str]) -> str:
    """An operator next to its version. Behind a blank a stability flag only hides the version's own."""
    return f"{found[1]}{found[2]}" + (_BLANK if found[3] else "")


def _branch(op: str, version: str) -> Choice | None:
    """A branch by its name."""
    if version[:4] != "dev-" or (op[0] in "<>" and op != "<>"):
        return None
    same = op in ("=", "==")
    return Choice(Span(), [lambda other, _: (other == version) == same])


def _suffix(found: re.Match[str]) -> str:
    word = _STABILITY.get(found[2] or "", found[2] or "")
    counted = re.sub(r"\d+", lambda digits: digits[0].lstrip("0") or "0", (found[3] or "").strip(".-")).replace(
        "-", "."
    )
    return (f"-{word}{counted}" if word else "") + ("-dev" if found[4] and found[2] != "stable" else "")


def _floor(numbers: tuple[int, ...]) -> Key:
    filled = numbers + (0,) * (4 - len(numbers))
    return (*((_NUMBER, number) for number in filled), (_PLACES["dev"], 0), (_END, 0))


def _bumped(numbers: tuple[int, ...], at: int) -> Key:
    """Where the development of the next number at this position begins."""
    return _floor((*numbers[:at], numbers[at] + 1))


DIALECT = Composer()
