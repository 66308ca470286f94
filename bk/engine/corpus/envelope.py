"""The push envelope, version 1: what one installation may tell another about something that was confirmed.

It says what to look for and how sure we are. What it can ask for is one thing, to watch and to block: there is no
value of these types that says anything else, so that no envelope, however it was made, can have anything removed.
The wire form is Beekeeper's, with what it lacked added (docs/envelope.md); what is signed is every field of it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TypeVar

from bk.engine.canonical import canonical
from bk.engine.corpus import shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

VERSION = 1
BYTES_MAX = 16 * 1024
SOURCES_MAX = 1000
IOCS_MAX = 64
NAME_MAX = 300
_PART = r"[A-Za-z0-9_][A-Za-z0-9._~+-]*"  # no part of a name begins as a part of a path may
_PACKAGE = re.compile(rf"(?:[a-z][a-z0-9.+-]{{0,39}}:)?@?{_PART}(?:[/:]{_PART})*", re.ASCII)
_VERSION = re.compile(r"(?:\*|[A-Za-z0-9][A-Za-z0-9._+~:!-]{0,127})?", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9_*](?:[a-z0-9_.*-]{0,251}[a-z0-9_])?", re.ASCII)
_PATTERN_MAX = 256
_T = TypeVar("_T", bound=Enum)


class Action(Enum):
    """What an envelope may ask of who reads it: to watch for this, and to block new installs of it."""

    WATCH_AND_BLOCK = "watch_and_block"


class Truth(Enum):
    """What the thing turned out to be."""

    MALICIOUS = shapes.MALICIOUS
    BENIGN = shapes.BENIGN
    POLICY_CORRECT = shapes.POLICY_CORRECT
    UNRESOLVED = shapes.UNRESOLVED


class Tier(Enum):
    """How much weight the claim has: one source is worth watching, two independent ones are worth enforcing."""

    WATCH = shapes.WATCH
    ENFORCE = shapes.ENFORCE


class Scope(Enum):
    """How far the claim may be carried."""

    ORG_ONLY = shapes.ORG_ONLY
    COMMUNITY_SHAREABLE = shapes.COMMUNITY


class Envelope:
    """One claim. There is no parameter for the action: it has one value."""

    __slots__ = ("behaviour_v1", "behaviour_v2", "iocs", "package", "scope", "sources", "tier", "truth", "version")

    def __init__(
        self,
        package: str,
        version: str,
        *,
        behaviour_v1: str,
        behaviour_v2: str = "",
        truth: Truth,
        tier: Tier,
        sources: int,
        scope: Scope = Scope.ORG_ONLY,
        iocs: Mapping[str, Json] | None = None,
    ) -> None:
        _fits(_PACKAGE, package, "package_or_extension_id")
        if len(package) > NAME_MAX:
            raise ValueError(f"package_or_extension_id is longer than {NAME_MAX} characters")
        _fits(_VERSION, version, "version")
        _fits(_DIGEST, behaviour_v1, "behavior_signature_hash")
        if behaviour_v2:
            _fits(_DIGEST, behaviour_v2, "behavior_signature_hash_v2")
        if type(sources) is not int or not 0 <= sources <= SOURCES_MAX:
            raise ValueError(f"source_count is not a whole number up to {SOURCES_MAX}")
        if tier is Tier.ENFORCE and sources < shapes.ENFORCE_GROUPS:
            raise ValueError(
                f"confidence_tier enforce needs {shapes.ENFORCE_GROUPS} sources, source_count says {sources}"
            )
        self.package = package
        self.version = version
        self.behaviour_v1 = behaviour_v1
        self.behaviour_v2 = behaviour_v2
        self.truth = truth
        self.tier = tier
        self.sources = sources
        self.scope = scope
        self.iocs = _iocs({} if iocs is None else iocs)

    @property
    def action(self) -> Action:
        """The one thing it asks for."""
        return Action.WATCH_AND_BLOCK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Envelope) and self.wire() == other.wire()

    def __hash__(self) -> int:
        return hash(canonical(self.wire()))

    def wire(self) -> dict[str, Json]:
        """The claim as JSON, scope in its one spelling."""
        signature: dict[str, Json] = {
            "package_or_extension_id": self.package,
            "version": self.version,
            "behavior_signature_hash": self.behaviour_v1,
            "iocs": dict(self.iocs),
        }
        if self.behaviour_v2:
            signature["behavior_signature_hash_v2"] = self.behaviour_v2
        return {
            "signature": signature,
            "true_label": self.truth.value,
            "confidence_tier": self.tier.value,
            "source_count": self.sources,
            "scope": self.scope.value,
            "action_hint": self.action.value,
        }

    @classmethod
    def read(cls, said: Mapping[str, Json]) -> Envelope:
        """The claim in an object of exactly these keys; raises ValueError that names the first field that is wrong."""
        keys = ("signature", "true_label", "confidence_tier", "source_count", "scope", "action_hint")
        exactly(said, keys, where="the envelope")
        inner = said["signature"]
        if type(inner) is not dict:
            raise ValueError("signature is not an object")
        needed = ("package_or_extension_id", "version", "behavior_signature_hash", "iocs")
        exactly(inner, needed, ("behavior_signature_hash_v2",), where="signature")
        if "behavior_signature_hash_v2" in inner:
            _fits(_DIGEST, inner["behavior_signature_hash_v2"], "behavior_signature_hash_v2")
        if type(inner["iocs"]) is not dict:
            raise ValueError("iocs is not an object")
        action(said["action_hint"])
        return cls(
            inner["package_or_extension_id"],
            inner["version"],
            behaviour_v1=inner["behavior_signature_hash"],
            behaviour_v2=inner.get("behavior_signature_hash_v2", ""),
            truth=_one(Truth, said["true_label"], "true_label"),
            tier=_one(Tier, said["confidence_tier"], "confidence_tier"),
            sources=said["source_count"],
            scope=scope(said["scope"]),
            iocs=inner["iocs"],
        )


def action(word: Json) -> Action:
    """The action a word names; ValueError for every word but one."""
    return _one(Action, word, "action_hint")


def scope(word: Json) -> Scope:
    """The scope a word names; none is the narrowest. Done before anything is signed or verified."""
    return Scope.ORG_ONLY if word == "" else _one(Scope, word, "scope")


def signed_bytes(envelope: Envelope, *, issuer: str, issued_at: str, expires_at: str, nonce: str, key_id: str) -> bytes:
    """What the signature covers: the claim, who says it, from when to when, once, and with which key."""
    said = {"issuer": issuer, "issued_at": issued_at, "expires_at": expires_at, "nonce": nonce, "key_id": key_id}
    return canonical({"v": VERSION, "env": envelope.wire(), **said})


def exactly(said: Mapping[str, Json], needed: tuple[str, ...], more: tuple[str, ...] = (), *, where: str) -> None:
    """Raise ValueError unless an object has these keys, and besides them none but `more`."""
    missing = [key for key in needed if key not in said]
    if missing:
        raise ValueError(f"{where} has no {missing[0]}")
    unknown = sorted(set(said) - {*needed, *more})
    if unknown:
        raise ValueError(f"{where} has a key that version {VERSION} does not know: {unknown[0][:60]!r}")


def _one(kind: type[_T], word: Json, what: str) -> _T:
    for each in kind:
        if type(word) is str and word == each.value:
            return each
    raise ValueError(f"{what} is none of {', '.join(str(each.value) for each in kind)}")


def _fits(pattern: re.Pattern[str], text: Json, what: str) -> None:
    if type(text) is not str or pattern.fullmatch(text) is None:
        raise ValueError(f"{what} is not of its form")


def _iocs(said: Mapping[str, Json]) -> dict[str, Json]:
    """Traces of an attacker's own machines, as others may send them; what we send never holds any."""
    exactly(said, (), ("domains", "dns_tunnel_pattern", "dead_drop_pattern"), where="iocs")
    domains = said.get("domains", [])
    if type(domains) is not list or len(domains) > IOCS_MAX:
        raise ValueError(f"domains is not a list of at most {IOCS_MAX} names")
    for domain in domains:
        _fits(_DOMAIN, domain, "a domain")
    for name in ("dns_tunnel_pattern", "dead_drop_pattern"):
        text = said.get(name, "")
        if type(text) is not str or len(text) > _PATTERN_MAX or not (text.isprintable() or not text):
            raise ValueError(f"{name} is not one short line")
    return {key: list(value) if type(value) is list else value for key, value in said.items()}
