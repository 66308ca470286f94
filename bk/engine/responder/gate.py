"""The one gate: may this artifact be taken out of use? Pure, total, and the same for every kind of evidence.

What it guards against is ourselves. A wrong list, a stale inventory, a half-read setting or a project's own file must
end in a question or a note, never in a move; so a move is what is left when nothing speaks against it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bk.engine.facts import Match
    from bk.engine.model import Json

NOTHING, WARN, WOULD, PENDING, ASK, STALE, MOVE = (
    "nothing", "warn", "would_quarantine", "pending_path", "ask", "stale", "move",
)  # fmt: skip
TOLD = "reported"  # ruled by nobody: a list of another scanner says it, and nothing follows
CATALOG, CORPUS = "catalog", "corpus"
SURE = ("exact", "range")
MOVABLE = ("dir", "file_set", "config_entry")
LEAST, MOST = 1, 3


class Evidence:
    """Who says that a package version is bad. `sure` are the independent groups with real provenance that name this
    version, exactly or within bounds; `wide` those that name every version; `rumours` counts what nobody vouches for.
    `labelled` is a person's high-confidence label of this version in the corpus; `approved` a person's word on this
    very artifact."""

    __slots__ = ("approved", "kind", "labelled", "rumours", "sure", "wide")

    def __init__(
        self,
        kind: str,
        *,
        sure: Iterable[str] = (),
        wide: Iterable[str] = (),
        rumours: int = 0,
        labelled: bool = False,
        approved: bool = False,
    ) -> None:
        self.kind = kind
        self.labelled = labelled
        self.sure = frozenset(sure)
        self.wide = frozenset(wide)
        self.rumours = rumours
        self.approved = approved

    @property
    def voices(self) -> int:
        """How many independent groups speak; a group counts once, however it says it."""
        return len(self.sure | self.wide)


class Artifact:
    """What would be moved, as far as judging it goes. `identity` is what reading it again just now gave: `same`,
    `changed`, `gone`, or `unread` while nobody has looked."""

    __slots__ = (
        "ecosystem", "excluded", "exempt", "identity", "locator", "moved", "nested", "private", "restored_days", "size",
    )  # fmt: skip

    def __init__(
        self,
        ecosystem: str,
        locator: str,
        *,
        identity: str = "unread",
        size: int = 0,
        private: bool = False,
        excluded: bool = False,
        exempt: bool = False,
        nested: bool = False,
        restored_days: int | None = None,
        moved: int = 0,
    ) -> None:
        self.ecosystem = ecosystem
        self.locator = locator
        self.identity = identity
        self.size = size
        self.private = private
        self.excluded = excluded
        self.exempt = exempt
        self.nested = nested
        self.restored_days = restored_days
        self.moved = moved


class Ruling:
    """What may be done, and why."""

    __slots__ = ("kind", "why")

    def __init__(self, kind: str, why: str) -> None:
        self.kind = kind
        self.why = why

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ruling) and (self.kind, self.why) == (other.kind, other.why)

    def __hash__(self) -> int:
        return hash((self.kind, self.why))

    def __repr__(self) -> str:
        return f"Ruling({self.kind!r}, {self.why!r})"


def evidence_of(matches: Iterable[Match], *, approved: bool = False) -> Evidence:
    """The evidence in what the index says of one installed version. What this machine confirmed adds no voice to those
    that it was confirmed by."""
    sure: set[str] = set()
    wide: set[str] = set()
    rumours = 0
    kind, labelled = CATALOG, False
    for match in matches:
        if match.tier:
            if match.kind != "maybe":
                kind, labelled = CORPUS, labelled or (match.labelled and match.kind in SURE)
        elif not match.provenance.real:
            rumours += 1
        elif match.kind in SURE:
            sure.update(match.groups)
        elif match.kind == "every":
            wide.update(match.groups)
        else:
            rumours += 1  # an installed version is known, so "maybe" is a version that could not be compared
    return Evidence(kind, sure=sure, wide=wide, rumours=rumours, labelled=labelled, approved=approved)


def may_move(evidence: Evidence, config: Mapping[str, Json], artifact: Artifact) -> Ruling:
    """Everything that must hold before a move, in the order in which it is asked."""
    voices, needed = evidence.voices, threshold(config)
    if artifact.exempt and not evidence.approved:
        return Ruling(NOTHING, "a person has exempted it")
    if not evidence.approved:
        early = _evidence(evidence, artifact, voices, needed)
        if early is not None:
            return early
        if config["auto_quarantine.enabled"] is not True:
            return Ruling(WARN, "auto_quarantine.enabled is false")
        if config["auto_quarantine.dry_run"] is not False:
            return Ruling(WOULD, "auto_quarantine.dry_run is true")
    if artifact.locator not in MOVABLE:
        return Ruling(PENDING, "where it lies is not known, and is not guessed")
    if artifact.identity in ("changed", "gone"):
        return Ruling(STALE, f"what lies there is not what the inventory saw: {artifact.identity}")
    if artifact.identity != "same":
        return Ruling(STALE, "it was not read again")
    if not evidence.approved:
        asked = _bounds(config, artifact)
        if asked:
            return Ruling(ASK, asked)
    if evidence.approved:
        return Ruling(MOVE, "a person approved it")
    return Ruling(
        MOVE, "a person labelled it malicious" if evidence.labelled else f"{voices} independent sources agree"
    )


def threshold(config: Mapping[str, Json]) -> int:
    """How many independent sources a move needs: what is set, clamped to 1–3; two when that is no number."""
    set_to = config["auto_quarantine.threshold"]
    if type(set_to) is not int or set_to <= 0:
        return 2
    return min(max(set_to, LEAST), MOST)


def _evidence(evidence: Evidence, artifact: Artifact, voices: int, needed: int) -> Ruling | None:
    """What the evidence alone allows; None when it would carry a move."""
    if evidence.kind == CORPUS:
        if not evidence.labelled and voices < needed:
            return Ruling(ASK, f"a label alone moves nothing: {voices} of {needed} independent sources")
    elif not voices:
        if evidence.rumours:
            return Ruling(WARN, "nobody vouches for the report")
        return Ruling(NOTHING, "nothing speaks against it")
    elif voices < needed:
        return Ruling(WARN, f"{voices} of {needed} independent sources")
    if not evidence.sure and not evidence.labelled:
        return Ruling(ASK, "every version of the name is listed, none in particular")
    if artifact.private:
        return Ruling(ASK, "it comes from a private registry, where the name may be another package")
    return None


def _bounds(config: Mapping[str, Json], artifact: Artifact) -> str:
    """Why a person must be asked first, though the evidence is there; "" when nothing does."""
    only = config["auto_quarantine.ecosystems"]
    if only and artifact.ecosystem not in only:
        return f"auto_quarantine.ecosystems leaves {artifact.ecosystem} to a person"
    if artifact.excluded:
        return "auto_quarantine.exclude_paths leaves it to a person"
    if artifact.nested:
        return "it lies inside something that is held already"
    if artifact.size > config["auto_quarantine.max_bytes"]:
        return "it is larger than auto_quarantine.max_bytes"
    if artifact.restored_days is not None and artifact.restored_days < config["auto_quarantine.grace_days"]:
        return "a person restored it not long ago"
    if artifact.moved >= config["auto_quarantine.max_moves"]:
        return "auto_quarantine.max_moves were made in this run"
    return ""
