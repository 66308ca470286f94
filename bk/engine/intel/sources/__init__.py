"""Feeds of threat intelligence, one module a format.

A module's `parse` takes the bytes of one file and a Batch, and adds what it understood: records, withdrawals, and what
it had to repair or leave out, with the reason. Nothing here opens files or connections.
"""

from __future__ import annotations

from bk.engine.intel.names import possible
from bk.engine.intel.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.provenance import Provenance

ECOSYSTEMS = {
    "npm": "npm",
    "pypi": "pypi",
    "crates": "cargo",
    "cargo": "cargo",
    "rust": "cargo",
    "go": "go",
    "rubygems": "rubygems",
    "gem": "rubygems",
    "packagist": "packagist",
    "composer": "packagist",
    "nuget": "nuget",
    "maven": "maven",
    "vscode": "editor-extension",
    "openvsx": "editor-extension",
    "editor-extension": "editor-extension",
}


class Withdrawn:
    """An entry that its source took back: which claims it undoes, by id and alias, or by what it had listed."""

    __slots__ = ("ecosystem", "every", "idents", "name", "versions")

    def __init__(
        self, ecosystem: str, name: str, idents: Iterable[str], versions: Sequence[str], *, every: bool
    ) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.idents = frozenset(idents)
        self.versions = tuple(versions)
        self.every = every


class Batch:
    """What one source's files amount to, under the source's label, group and provenance."""

    __slots__ = ("date", "group", "label", "notes", "provenance", "records", "withdrawn")

    def __init__(self, label: str, group: str, provenance: Provenance, date: str) -> None:
        self.label = label
        self.group = group
        self.provenance = provenance
        self.date = date
        self.records: list[Record] = []
        self.withdrawn: list[Withdrawn] = []
        self.notes: list[str] = []

    def add(
        self,
        ecosystem: str,
        name: str,
        kind: str,
        versions: Sequence[str] = (),
        *,
        severity: str = "critical",
        ident: str = "",
        date: str = "",
    ) -> None:
        """Take one claim; an ecosystem without an index or an impossible name is noted instead."""
        known = ECOSYSTEMS.get(ecosystem.lower().partition(":")[0].partition(".")[0])
        versions = [version.strip() for version in versions if version.strip()]
        if known is None:
            self.notes.append(f"left out, no index for {ecosystem}: {name}")
        elif not possible(known, name):
            self.notes.append(f"left out, no such name can exist in {known}: {name!r}")
        elif kind != "every" and (not versions or not all(map(_plain, versions))):
            self.notes.append(f"left out, names no usable version: {known} {name} {versions}")
        else:
            self.records.append(
                Record(
                    known,
                    name,
                    kind,
                    versions,
                    severity,
                    (self.group,),
                    self.provenance,
                    ident=ident.replace(" ", "_"),
                    date=date or self.date,
                    sources=(self.label,),
                )
            )

    def withdraw(
        self, ecosystem: str, name: str, idents: Iterable[str], versions: Sequence[str], *, every: bool
    ) -> None:
        """Take one withdrawal."""
        known = ECOSYSTEMS.get(ecosystem.lower().partition(":")[0].partition(".")[0])
        if known is not None:
            self.withdrawn.append(Withdrawn(known, name, idents, versions, every=every))

    def note(self, text: str) -> None:
        """Say what was repaired or left out."""
        self.notes.append(text)


def _plain(version: str) -> bool:
    return len(version) <= 256 and version.isascii() and version.isprintable() and " " not in version
