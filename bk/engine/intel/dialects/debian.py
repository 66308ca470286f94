"""Debian packages: epoch, upstream version, revision; a tilde lies below the end, letters below all other marks."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Dialect, plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key

_VERSION = re.compile(r"(?:(\d+):)?(\d[0-9A-Za-z.+~:-]*)(?<!-)", re.ASCII)
_PART = re.compile(r"(\D*)(\d*)", re.ASCII)
_NOTHING = ((0,), 0)


class Debian(Dialect):
    """The rules of dpkg."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """Without an epoch or a revision of nothing, and without zeros that carry nothing."""
        found = _split(version)
        if found is None:
            return version
        epoch, upstream, revision = found
        text = (f"{epoch}:" if epoch else "") + (_spelled(upstream) or "0")
        kept = _spelled(revision)
        return text + (f"-{kept}" if kept or "-" in text else "")

    def key(self, version: str) -> Key | None:
        """Marks and numbers by turns."""
        found = _split(version)
        return (found[0], _parts(found[1]), _parts(found[2])) if found else None

    def one(self, text: str) -> str:
        """`pkg=1.0-1` is one version; apt also takes patterns."""
        return self.canonical(text) if _VERSION.fullmatch(text) is not None else ""


def _split(version: str) -> tuple[int, str, str] | None:
    found = _VERSION.fullmatch(version)
    if found is None:
        return None
    upstream, dash, revision = found[2].rpartition("-")
    return int(found[1] or 0), upstream if dash else found[2], revision if dash else ""


def _order(mark: str) -> int:
    return -1 if mark == "~" else ord(mark) if mark.isalpha() else ord(mark) + 256


def _parts(text: str) -> Key:
    """Each run of marks ends in 0, each missing number is 0; behind the end lie only runs of nothing."""
    parts = [((*map(_order, marks), 0), int(number or 0)) for marks, number in _PART.findall(text) if marks or number]
    while parts and parts[-1] == _NOTHING:
        parts.pop()
    return (*(parts or (_NOTHING,)), _NOTHING)


def _spelled(text: str) -> str:
    """Numbers without leading zeros; a zero at the end is kept only behind punctuation, where it is always written."""
    made = ""
    last = ""
    for marks, number in _PART.findall(text):
        if marks or number:
            made += marks + plain_number(number or "0")
            last = marks
    if made.endswith("0") and not made[-2:-1].isdigit() and (not last or last[-1] not in ".-:"):
        made = made[:-1]
    return made


DIALECT = Debian()
