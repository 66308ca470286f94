"""Which of two versions is newer, by each ecosystem's own rule: only needed when a name is listed.

A key compares with other keys of its ecosystem; None means that the text is not a version there.
"""

from __future__ import annotations

import re

from bk.engine.intel.versions import VERSION_MAX, canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Key: TypeAlias = tuple[Any, ...]

_SEMVER = re.compile(r"(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+.*)?", re.ASCII)
_PEP440 = re.compile(r"(?:(\d+)!)?(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?(?:\+.*)?", re.ASCII)
_COMPOSER = re.compile(r"(\d+(?:\.\d+)*)(?:-(alpha|beta|rc|patch)([\d.-]*))?(-dev)?", re.ASCII)
_TOKENS = re.compile(r"\d+|[a-z]+", re.ASCII | re.IGNORECASE)
_MAVEN = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "milestone": 2, "m": 2, "rc": 3, "cr": 3, "snapshot": 4, "sp": 6}
_STABILITY = {"alpha": 1, "beta": 2, "rc": 3, "": 4, "patch": 5}
_LAST = 1 << 62


def key(ecosystem: str, version: str) -> Key | None:
    """Something that sorts as the ecosystem sorts this version."""
    rule = _RULES.get(ecosystem)
    if rule is None or len(version) > VERSION_MAX:
        return None
    return rule(canonical_version(ecosystem, version))


def floor(ecosystem: str, numbers: tuple[int, ...]) -> Key | None:
    """The key below every pre-release of these numbers: an upper bound that keeps them all out."""
    return key(ecosystem, ".".join(map(str, numbers)) + _FLOORS.get(ecosystem, ""))


def is_prerelease(ecosystem: str, version: str) -> bool:
    """Whether a semantic-version ecosystem would call this a pre-release."""
    made = key(ecosystem, version)
    return made is not None and ecosystem in _SEMANTIC and made[1] == 0


def numbers(key_: Key) -> tuple[int, ...]:
    """The numeric part of a semantic version's key."""
    got: tuple[int, ...] = key_[0]
    return got


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def _semver(version: str) -> Key | None:
    found = _SEMVER.fullmatch(version.removeprefix("v"))
    if found is None:
        return None
    parts = [int(part) for part in found[1].split(".")]
    parts += [0] * (4 - len(parts))
    pre = found[2]
    return (tuple(parts), 0, tuple(map(_identifier, pre.split(".")))) if pre else (tuple(parts), 1, ())


def _pep440(version: str) -> Key | None:
    found = _PEP440.fullmatch(version)
    if found is None:
        return None
    epoch, release, pre, pre_n, post, dev = found.groups()
    stage = {"a": 0, "b": 1, "rc": 2}[pre] if pre else (-1 if dev and not post else 3)
    return (
        int(epoch or 0),
        tuple(int(part) for part in release.split(".")),
        stage,
        int(pre_n or 0),
        -1 if post is None else int(post),
        _LAST if dev is None else int(dev),
    )


def _trimmed(tokens: list[str]) -> list[str]:
    """Zero parts at the end of a run of numbers carry nothing."""
    kept: list[str] = []
    for at, token in enumerate(tokens):
        rest = tokens[at:]
        letters = next((n for n, other in enumerate(rest) if not other.isdigit()), len(rest))
        if token.isdigit() and not any(int(other) for other in rest[:letters]):
            continue
        kept.append(token)
    return kept


def _gem(version: str) -> Key | None:
    tokens = _TOKENS.findall(version)
    if not tokens or not tokens[0].isdigit():
        return None
    return (*((1, int(t), "") if t.isdigit() else (0, 0, t) for t in _trimmed(tokens)), (1, 0, ""))


def _composer(version: str) -> Key | None:
    found = _COMPOSER.fullmatch(version)
    if found is None:
        return None
    parts = [int(part) for part in found[1].split(".")]
    counted = tuple(int(part) for part in _TOKENS.findall(found[3] or ""))
    return (tuple(parts + [0] * (4 - len(parts))), 0 if found[4] else _STABILITY[found[2] or ""], counted)


def _maven(version: str) -> Key | None:
    tokens = _TOKENS.findall(version.lower())
    if not tokens or not tokens[0].isdigit():
        return None
    made = []
    for token in _trimmed(tokens):
        if token.isdigit():
            made.append((8, int(token), ""))
        elif token in _MAVEN:
            made.append((_MAVEN[token], 0, ""))
        else:
            made.append((7, 0, token))
    return (*made, (5, 0, ""))


_SEMANTIC = frozenset(("npm", "cargo", "go", "nuget", "editor-extension"))
_FLOORS = {
    **dict.fromkeys(_SEMANTIC, "-0"),
    "pypi": ".dev0",
    "rubygems": ".A",
    "packagist": "-dev",
    "maven": "-alpha",
}
_RULES: dict[str, Callable[[str], Key | None]] = {
    "npm": _semver,
    "cargo": _semver,
    "go": _semver,
    "nuget": _semver,
    "editor-extension": _semver,
    "pypi": _pep440,
    "rubygems": _gem,
    "packagist": _composer,
    "maven": _maven,
}
