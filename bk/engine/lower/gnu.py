"""How GNU programs read long options: any unambiguous beginning will do, and the last of two opposites wins."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHORTEST = 4  # `--r` could be anything


def full(name: str, known: Iterable[str]) -> str:
    """The option that a beginning stands for; the beginning itself when none or several do."""
    if name[:2] != "--" or len(name) < SHORTEST:
        return name
    found = [one for one in known if one.startswith(name)]
    return name if name in found or not found else found[0]


def recursive(args: Sequence[str]) -> bool:
    """Whether `-R` is among the options, in a cluster or spelled out; `--no-recursive` after it takes it back."""
    deep = False
    for word in args:
        if word == "--":
            break
        if word[:2] == "--":
            deep = deep or (len(word) >= SHORTEST and "--recursive".startswith(word))
        elif word[:1] == "-" and "R" in word:
            deep = True
    return deep


def given(args: Sequence[str], letters: str, *names: str) -> bool:
    """Whether one of some options without a value is given, by letter in a cluster or by name."""
    for word in args:
        if word == "--":
            return False
        if word[:2] == "--":
            if any(name.startswith(word) and len(word) >= SHORTEST for name in names):
                return True
        elif word[:1] == "-" and any(letter in word[1:] for letter in letters):
            return True
    return False
