"""A claim as the index files it: the key, and text in which what many claims share is a number.

What could not be read back is refused here: the index's delimiters in a name, a version that is none, an empty field.
"""

from __future__ import annotations

from bk.engine.intel.index import CODES, FIELD, ITEM, KIND_CODES, key_of
from bk.engine.intel.names import canonical_name
from bk.engine.intel.record import SEVERITIES
from bk.engine.intel.versions import canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from bk.engine.intel.record import Record

    _Shared: TypeAlias = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Encoder:
    """Turns records into text for one file; `profiles` are the texts that its numbers stand for, in order."""

    __slots__ = ("_numbers", "profiles")

    def __init__(self) -> None:
        self.profiles: dict[str, str] = {}
        self._numbers: dict[_Shared, str] = {}

    def encoded(self, record: Record) -> tuple[bytes, bytes]:
        """The key and the text of a record; ValueError or KeyError for one that cannot be filed."""
        ecosystem = record.ecosystem
        name = canonical_name(ecosystem, record.name)
        versions = ITEM.join(_versions(record))
        if ecosystem not in CODES and not ecosystem.replace("-", "").isalnum():
            raise ValueError(f"not an ecosystem: {ecosystem!r}")
        if not name or not record.groups:
            raise ValueError(f"a record needs a name and a group: {record!r}")
        told = f"{name}{record.ident}{record.date}"
        if not told.isprintable() and any(char < " " for char in told):
            raise ValueError(f"control characters in a record of {record.name!r}")
        text = f"{self._number(record)}{FIELD}{versions}{FIELD}{record.ident}{FIELD}{record.date}"
        return key_of(ecosystem, name), text.encode(errors="surrogatepass")

    def _number(self, record: Record) -> str:
        """The number of what this record shares with others."""
        shared = (record.kind, record.severity, record.provenance.word, record.groups, record.sources)
        number = self._numbers.get(shared)
        if number is None:
            for text in (*record.groups, *record.sources):
                if any(char < " " for char in text):
                    raise ValueError(f"control characters in a record of {record.name!r}")
            profile = FIELD.join(
                (
                    KIND_CODES[record.kind],
                    str(SEVERITIES.index(record.severity)),
                    record.provenance.word,
                    ITEM.join(sorted(set(record.groups))),
                    ITEM.join(sorted(set(record.sources))),
                )
            )
            number = self.profiles.setdefault(profile, _base36(len(self.profiles)))
            self._numbers[shared] = number
        return number


def _versions(record: Record) -> list[str]:
    """Canonical versions or interval ends; a kind that names versions must have some."""
    if record.kind == "every":
        return []
    if not record.versions:
        raise ValueError(f"a record of kind {record.kind} names no versions: {record!r}")
    told = "".join(record.versions)
    if not told.isprintable() and any(char < " " for char in told):
        raise ValueError(f"control characters in the versions of {record.name!r}")
    if record.kind == "exact":
        return list(dict.fromkeys([canonical_version(record.ecosystem, version) for version in record.versions]))
    return [",".join([_end(record.ecosystem, end) for end in text.split(",")]) for text in record.versions]


def _end(ecosystem: str, end: str) -> str:
    op = end[:2] if end[1:2] == "=" else end[:1]
    if op not in ("<", ">", "<=", ">="):
        raise ValueError(f"not an interval: {end!r}")
    return op + canonical_version(ecosystem, end[len(op) :])


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text
