"""One claim of threat intelligence about one package, as the index keeps it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.provenance import Provenance

KINDS = ("exact", "range", "every")
SEVERITIES = ("critical", "high", "medium", "low")


class Record:
    """What one or more sources say of a package: which versions, how bad, and on whose word.

    `versions` holds canonical versions for `exact`, intervals such as `>=1.95.6,<1.95.8` for `range`, nothing for
    `every`. `groups` are independence groups: two sources in one group count once. `sources` are labels for people.
    """

    __slots__ = (
        "date",
        "ecosystem",
        "groups",
        "ident",
        "kind",
        "name",
        "provenance",
        "severity",
        "sources",
        "versions",
    )
    tier = ""
    labelled = False

    def __init__(  # noqa: PLR0917 - the columns of a claim, in the order they are told
        self,
        ecosystem: str,
        name: str,
        kind: str,
        versions: Sequence[str],
        severity: str,
        groups: Sequence[str],
        provenance: Provenance,
        *,
        ident: str = "",
        date: str = "",
        sources: Sequence[str] = (),
    ) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.kind = kind
        self.versions = tuple(versions)
        self.severity = severity
        self.groups = tuple(groups)
        self.provenance = provenance
        self.ident = ident
        self.date = date
        self.sources = tuple(sources)

    def fields(self) -> tuple[str | tuple[str, ...], ...]:
        """Every field, in an order that also sorts records stably."""
        return (
            self.ecosystem,
            self.name,
            self.kind,
            self.versions,
            self.severity,
            self.groups,
            self.provenance.word,
            self.ident,
            self.date,
            self.sources,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash(self.fields())

    def __repr__(self) -> str:
        return f"Record{self.fields()!r}"


class Own(Record):
    """A claim of this machine itself: how much may follow from it, whether a person's review says it, how long.

    Only the overlay makes one, so that no feed can speak with its weight.
    """

    __slots__ = ("labelled", "tier", "until_ms")

    def __init__(self, record: Record, tier: str, *, labelled: bool, until_ms: int) -> None:
        for name in Record.__slots__:
            setattr(self, name, getattr(record, name))
        self.tier = tier
        self.labelled = labelled
        self.until_ms = until_ms

    def fields(self) -> tuple[str | tuple[str, ...], ...]:
        """Its weight is part of what it says."""
        return (*super().fields(), self.tier, "labelled" if self.labelled else "", str(self.until_ms))
