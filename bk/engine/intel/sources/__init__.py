"""Feeds of threat intelligence, one module a format.

A module's `parse` takes the bytes of one file and a Batch, and adds what it understood: records, withdrawals, and what
it had to repair or leave out, with the reason. Nothing here opens files or connections.
"""

from __future__ import annotations

import re

from bk.engine.intel.names import UNVERSIONED, VERSIONLESS, possible
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
    "pip": "pypi",
    "mcp": "mcp",
    "browser-extension": "browser-extension",
    "homebrew": "homebrew",
    "brew": "homebrew",
    "agent-skill": "agent-skill",
}
NOTES_MAX = 2000
NOTE_MAX = 400
_NOT_ID = re.compile(r"[^!-~]+")
_SPAN = re.compile(r"[<>]=?[^,<>=]+(?:,[<>]=?[^,<>=]+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def known(ecosystem: str) -> str:
    """Our name of an ecosystem; "" for one that has no index."""
    return ECOSYSTEMS.get(ecosystem.lower().partition(":")[0].partition(".")[0], "")


def ident_of(text: str) -> str:
    """An id that can stand in our files and on a screen."""
    return _NOT_ID.sub("_", text)[:128]


class Withdrawn:
    """An entry that its source took back: which claims it undoes, by id and alias, or by what it had listed.

    It reaches the claims of its own `group`, and what others repeat under ids that begin with one of its `issues`;
    unless it is `proven`, only claims that are not proven either.
    """

    __slots__ = ("ecosystem", "every", "group", "idents", "issues", "name", "proven", "versions")

    def __init__(
        self,
        ecosystem: str,
        name: str,
        idents: Iterable[str],
        versions: Sequence[str],
        *,
        every: bool,
        group: str = "",
        issues: Sequence[str] = (),
        proven: bool = False,
    ) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.idents = frozenset(idents)
        self.versions = tuple(versions)
        self.every = every
        self.group = group
        self.issues = tuple(issues)
        self.proven = proven


class Batch:
    """What one source's files amount to, under the source's label, group and provenance."""

    __slots__ = ("date", "group", "issues", "label", "notes", "provenance", "records", "withdrawn")

    def __init__(self, label: str, group: str, provenance: Provenance, date: str, issues: Sequence[str] = ()) -> None:
        self.label = label
        self.group = group
        self.provenance = provenance
        self.date = date
        self.issues = tuple(issues)
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
        ours = known(ecosystem)
        bare = UNVERSIONED if ours in VERSIONLESS else ""
        told = [text for text in (version.strip() or bare for version in versions) if text]
        versions = list(dict.fromkeys(filter(_span if kind == "range" else _plain, told)))
        odd = [text for text in told if text not in versions] if len(versions) < len(told) else ()
        if odd:
            self.note(f"left out, {len(odd)} versions that no package can have: {ecosystem} {name}")
        if not ours:
            self.note(f"left out, no index for {ecosystem}: {name}")
        elif not possible(ours, name):
            self.note(f"left out, no such name can exist in {ours}: {name[:200]!r}")
        elif kind != "every" and not versions:
            self.note(f"left out, names no usable version: {ours} {name}")
        else:
            self.records.append(
                Record(
                    ours,
                    name,
                    kind,
                    versions,
                    severity,
                    (self.group,),
                    self.provenance,
                    ident=ident_of(ident),
                    date=date if _DATE.fullmatch(date) else self.date,
                    sources=(self.label,),
                )
            )

    def withdraw(
        self, ecosystem: str, name: str, idents: Iterable[str], versions: Sequence[str], *, every: bool
    ) -> None:
        """Take one withdrawal."""
        ours = known(ecosystem)
        if ours and possible(ours, name):
            named = filter(_plain, (version.strip() for version in versions))
            self.withdrawn.append(
                Withdrawn(
                    ours,
                    name,
                    map(ident_of, idents),
                    list(named),
                    every=every,
                    group=self.group,
                    issues=self.issues,
                    proven=self.provenance.real,
                )
            )

    def note(self, text: str) -> None:
        """Say what was repaired or left out; a feed that is all mistakes fills no memory with them."""
        if len(self.notes) < NOTES_MAX:
            self.notes.append(text[:NOTE_MAX])
        elif len(self.notes) == NOTES_MAX:
            self.notes.append("… and more that is not told here")


def _span(interval: str) -> bool:
    return _plain(interval) and _SPAN.fullmatch(interval) is not None


def _plain(version: str) -> bool:
    return 0 < len(version) <= 256 and version.isascii() and version.isprintable() and " " not in version
