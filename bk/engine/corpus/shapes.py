"""The nouns of the corpus: an event in its four layers, a label that says what it was, and what is kept of both.

An event never changes. What it was is said by labels, which are only ever added; the one that counts now follows from
all of them (`labels.current`).
"""

from __future__ import annotations

import json
from hashlib import sha256

from bk.engine.noun import Noun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json

ACTOR = "corpus"  # who the ledger says it was, when the corpus acts by itself
SCHEMA = "1"

MALICIOUS, BENIGN, POLICY_CORRECT, UNRESOLVED = "malicious", "benign", "policy_correct", "unresolved"
TRUE_LABELS = (MALICIOUS, BENIGN, POLICY_CORRECT, UNRESOLVED)

HIGH, MEDIUM, WEAK = "high", "medium", "weak"
CONFIDENCES = (HIGH, MEDIUM, WEAK)  # strongest first
WEIGHTS = {HIGH: 1.0, MEDIUM: 0.6, WEAK: 0.25}

FORENSIC, BREACH, EXPLAINED, OVERRIDE = "forensic_review", "breach_confirmation", "benign_explained", "user_override"
CONFIRMATION, CLEAN, WITHDRAWN = "catalog_confirmation", "downstream_clean", "catalog_withdrawn"
IMPORTED = "import"  # the word of another installation: shown, and nothing ever follows from it
SOURCES = {
    FORENSIC: HIGH, BREACH: HIGH, CONFIRMATION: MEDIUM, EXPLAINED: MEDIUM, CLEAN: WEAK, OVERRIDE: WEAK, WITHDRAWN: WEAK,
    IMPORTED: WEAK,
}  # fmt: skip
HUMAN_SOURCES = (FORENSIC, BREACH, EXPLAINED, OVERRIDE)
AUTOMATIC_SOURCES = (CONFIRMATION, CLEAN, WITHDRAWN, IMPORTED)
UNDO = "undo"  # no source of truth: it takes another label back and claims nothing itself

WATCH, ENFORCE = "watch", "enforce"
TIERS = (WATCH, ENFORCE)
ENFORCE_GROUPS = 2  # independent voices, whatever a label weighs

ORG_ONLY, COMMUNITY = "org_only", "community_shareable"
SCOPES = (ORG_ONLY, COMMUNITY)

HOOK, GATEWAY, SENTRY, SCAN, ENGINE, CONSOLE, IMPORT = (
    "hook", "gateway", "sentry", "scan", "engine", "console", "import",
)  # fmt: skip
SURFACES = (HOOK, GATEWAY, SENTRY, SCAN, ENGINE, CONSOLE, IMPORT)

ACTIVE, EXPIRED, REVOKED = "active", "expired", "revoked"
OVERLAY_STATES = (ACTIVE, EXPIRED, REVOKED)


class Event(Noun):
    """One security-relevant thing that happened, in four layers.

    `behaviour` is what was done, `decision` what was answered and on whose word, `context` where it belongs;
    `outcome` is what it turned out to be (`true_label`, and of the label that says so `label source confidence human
    tier`), filled in when it is read and never stored with the event. `purls` are the packages it is about.
    """

    __slots__ = ("at_ms", "behaviour", "cluster", "context", "decision", "id", "outcome", "purls", "surface")

    def __init__(  # noqa: PLR0917 - the columns of a row, in order
        self,
        id: str,  # noqa: A002 - the column's name
        at_ms: int,
        surface: str,
        behaviour: Mapping[str, Json],
        decision: Mapping[str, Json],
        context: Mapping[str, Json],
        purls: Sequence[str] = (),
        cluster: str = "",
        *,
        outcome: Mapping[str, Json] | None = None,
    ) -> None:
        self.id = id
        self.at_ms = at_ms
        self.surface = surface
        self.behaviour = dict(behaviour)
        self.decision = dict(decision)
        self.context = dict(context)
        self.purls = tuple(purls)
        self.cluster = cluster or id
        self.outcome: dict[str, Json] = dict(outcome or {"true_label": UNRESOLVED})

    @property
    def level(self) -> str:
        """The word of the verdict: allow, warn, ask, block or quarantine."""
        return str(self.decision.get("level", "")) or "allow"

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {
            "id": self.id, "at_ms": self.at_ms, "surface": self.surface, "cluster": self.cluster,
            "purls": list(self.purls), "behaviour": self.behaviour, "decision": self.decision,
            "outcome": self.outcome, "context": self.context,
        }  # fmt: skip


class Label(Noun):
    """One word on what the events of a cluster were. `event` is the one that was looked at, "" for all of them.

    `evidence` may name the `purls` it speaks of (else all of the cluster's), and of each what was `found`: `groups`
    that say so, `ids`, `kinds`, `severity`. `supersedes` takes another label back. `id` follows from the rest when it
    is "".
    """

    __slots__ = (
        "actor", "at_ms", "cluster", "confidence", "event", "evidence", "human", "id", "source", "supersedes",
        "true_label",
    )  # fmt: skip

    def __init__(
        self,
        id: str,  # noqa: A002 - the column's name
        event: str,
        cluster: str,
        true_label: str,
        source: str,
        *,
        at_ms: int,
        actor: str,
        confidence: str = "",
        evidence: Mapping[str, Json] | None = None,
        human: bool | None = None,
        supersedes: str = "",
    ) -> None:
        self.event = event
        self.cluster = cluster
        self.true_label = true_label
        self.source = source
        self.confidence = confidence or (HIGH if source == UNDO else SOURCES.get(source, ""))
        self.evidence = dict(evidence or {})
        self.actor = actor
        self.human = source in HUMAN_SOURCES or source == UNDO if human is None else human
        self.at_ms = at_ms
        self.supersedes = supersedes
        self.id = id or self._ident()

    @property
    def tier(self) -> str:
        """How much may follow from it, for all that it speaks of."""
        purls = self.evidence.get("found") or {"": {}}
        return ENFORCE if all(self.tier_of(purl) == ENFORCE for purl in purls) else WATCH

    def tier_of(self, purl: str) -> str:
        """The same for one package: `enforce` on a person's review, or on two independent groups."""
        if self.human:
            return ENFORCE if self.source in (FORENSIC, BREACH) and self.true_label == MALICIOUS else WATCH
        groups = self.evidence.get("found", {}).get(purl, {}).get("groups", ())
        return ENFORCE if len(groups) >= ENFORCE_GROUPS else WATCH

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {name: getattr(self, name) for name in self.__slots__} | {"tier": self.tier}

    def _ident(self) -> str:
        said = [self.event, self.cluster, self.true_label, self.source, self.evidence, self.actor, self.at_ms,
                self.supersedes]  # fmt: skip
        return ident("label", said)


class Cluster(Noun):
    """Events that are one matter, and how far adjudication has come with it.

    `true_label` and `label` are the outcome that counts now; `generation` is the newest one it was judged with,
    `due_ms` when the clock alone may change something (0: never), `gone` since when (ms) everybody who asserted a
    package has withdrawn it, `note` what speaks against it without being enough.
    """

    __slots__ = (
        "due_ms", "first_ms", "generation", "gone", "id", "judged_ms", "key", "label", "last_ms", "n", "note", "purls",
        "surface", "true_label",
    )  # fmt: skip

    def __init__(
        self,
        id: str,  # noqa: A002 - the column's name
        surface: str,
        *,
        key: str = "",
        first_ms: int = 0,
        last_ms: int = 0,
        n: int = 0,
        true_label: str = UNRESOLVED,
        label: str = "",
        generation: int = 0,
        judged_ms: int = 0,
        due_ms: int = 0,
        gone: Mapping[str, int] | None = None,
        note: str = "",
        purls: Sequence[str] = (),
    ) -> None:
        self.id = id
        self.surface = surface
        self.key = key
        self.first_ms = first_ms
        self.last_ms = last_ms
        self.n = n
        self.true_label = true_label
        self.label = label
        self.generation = generation
        self.judged_ms = judged_ms
        self.due_ms = due_ms
        self.gone = dict(gone or {})
        self.note = note
        self.purls = tuple(purls)

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {name: getattr(self, name) for name in self.__slots__} | {"purls": list(self.purls)}


class OverlayEntry(Noun):
    """One package version that this machine confirmed for itself. `version` "" means every version; `ended_by` is who
    had it end before its time, or nobody."""

    __slots__ = (
        "created_by", "created_ms", "ecosystem", "ended_by", "ended_ms", "expires_ms", "id", "label", "name", "purl",
        "reason", "severity", "state", "tier", "version",
    )  # fmt: skip

    def __init__(
        self,
        id: str,  # noqa: A002 - the column's name
        purl: str,
        ecosystem: str,
        name: str,
        version: str,
        *,
        severity: str,
        reason: str,
        label: str,
        tier: str,
        created_ms: int,
        expires_ms: int,
        created_by: str,
        state: str = ACTIVE,
        ended_by: str = "",
        ended_ms: int = 0,
    ) -> None:
        self.id = id
        self.purl = purl
        self.ecosystem = ecosystem
        self.name = name
        self.version = version
        self.severity = severity
        self.reason = reason
        self.label = label
        self.tier = tier
        self.created_ms = created_ms
        self.expires_ms = expires_ms
        self.created_by = created_by
        self.state = state
        self.ended_by = ended_by
        self.ended_ms = ended_ms

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {name: getattr(self, name) for name in self.__slots__}


class Sealed(Noun):
    """One envelope that was made here, as its exact bytes."""

    __slots__ = ("at_ms", "body", "id", "issuer", "key_id", "label", "nonce", "until_ms")

    def __init__(
        self,
        id: str,  # noqa: A002 - the column's name
        *,
        label: str,
        issuer: str,
        key_id: str,
        nonce: str,
        at_ms: int,
        until_ms: int,
        body: bytes,
    ) -> None:
        self.id = id
        self.label = label
        self.issuer = issuer
        self.key_id = key_id
        self.nonce = nonce
        self.at_ms = at_ms
        self.until_ms = until_ms
        self.body = body


def ident(kind: str, said: Json) -> str:
    """A short id that follows from what is said: the same thing written twice is one row."""
    whole = json.dumps([kind, said], sort_keys=True, separators=(",", ":"), default=str)
    return sha256(whole.encode(errors="surrogatepass")).hexdigest()[:24]
