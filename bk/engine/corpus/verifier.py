"""Whether an envelope may be believed: read without trust, signed by a pinned key, in force now, and new."""

from __future__ import annotations

import re
import sqlite3

from bk.engine.corpus import reading
from bk.engine.corpus.envelope import BYTES_MAX, VERSION, Envelope, exactly, signed_bytes
from bk.engine.corpus.signing import LIFE_MAX_MS, instant, key_id
from bk.engine.errors import BkError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.corpus.replay import Replay
    from bk.engine.model import Json
    from bk.engine.notes import PublicKey

SKEW_MS = 5 * 60_000
ISSUER_MAX = 100
KINDS = {
    "oversize": "it is longer than an envelope can be",
    "not-utf8": "it is not text",
    "syntax": "it is not JSON",
    "not-object": "it is JSON, but not an object",
    "duplicate-key": "a key stands twice in one object",
    "number": "a number in it is none that JSON can carry",
    "depth": "it is nested too deeply",
    "nul": "a string in it holds a NUL",
    "surrogate": "a string in it is not text",
    "malformed": "a field is missing, unknown, or not of its form",
    "unsigned": "nobody signed it",
    "unknown-key": "no pinned key has this id",
    "bad-signature": "the signature does not fit what it says",
    "foreign-issuer": "it names another issuer than the pinned key",
    "not-yet": "it is from the future",
    "expired": "its time is over",
    "lifetime": "it claims to be good for longer than any envelope may",
    "replayed": "it was accepted before",
    "replay-cache": "what was accepted before cannot be looked up or kept",
}
_HEX = {size: re.compile(f"[0-9a-f]{{{size}}}", re.ASCII) for size in (32, 128)}
_SIGNING = ("v", "issuer", "issued_at", "expires_at", "nonce", "key_id", "signature")


class EnvelopeError(BkError):
    """An envelope that is not believed; `kind` is the word for why."""

    def __init__(self, kind: str, detail: str = "") -> None:
        told = f"{KINDS[kind]}: {inert(detail, 300)}" if detail else KINDS[kind]
        super().__init__("the envelope is refused", f"{kind}: {told}", "docs/envelope.md says what is checked")
        self.kind = kind


class Accepted:
    """An envelope that is believed, and who says it."""

    __slots__ = ("envelope", "expires_ms", "issued_ms", "issuer", "key_id", "nonce")

    def __init__(
        self, envelope: Envelope, *, issuer: str, key_id: str, nonce: str, issued_ms: int, expires_ms: int
    ) -> None:
        self.envelope = envelope
        self.issuer = issuer
        self.key_id = key_id
        self.nonce = nonce
        self.issued_ms = issued_ms
        self.expires_ms = expires_ms

    def told(self) -> dict[str, Json]:
        """For a program."""
        names = ("issuer", "key_id", "nonce", "issued_ms", "expires_ms")
        return {"envelope": self.envelope.wire(), **{name: getattr(self, name) for name in names}}


def verify(data: bytes, keys: Sequence[PublicKey], now_ms: int, replay: Callable[[], Replay] | None) -> Accepted:
    """What the bytes say, if they may be believed now; raises EnvelopeError.

    `replay` opens the cache that spends the nonce; it is asked last, so that nobody without a pinned key can fill it.
    Without one the same envelope is accepted again and again.
    """
    found, signing = _read(data)
    _signed(found, signing, keys)
    accepted = _timed(found, signing, now_ms)
    if replay is not None:
        _spend(accepted, now_ms, replay)
    return accepted


def _read(data: bytes) -> tuple[Envelope, dict[str, Json]]:
    try:
        said = reading.object_of(data, BYTES_MAX)
    except reading.Unreadable as wrong:
        raise EnvelopeError(wrong.kind, wrong.detail) from wrong
    if "signing" not in said:
        raise EnvelopeError("unsigned")
    signing = said.pop("signing")
    try:
        if type(signing) is not dict:
            raise ValueError("signing is not an object")
        exactly(signing, _SIGNING, where="signing")
        if type(signing["v"]) is not int or signing["v"] != VERSION:
            raise ValueError(f"v is not {VERSION}")
        issuer = signing["issuer"]
        if type(issuer) is not str or not 0 < len(issuer) <= ISSUER_MAX:
            raise ValueError(f"issuer is not a name of up to {ISSUER_MAX} characters")
        for name, size in (("nonce", 32), ("key_id", 32), ("signature", 128)):
            if type(signing[name]) is not str or not _HEX[size].fullmatch(signing[name]):
                raise ValueError(f"{name} is not {size} hexadecimal digits")
        for name in ("issued_at", "expires_at"):
            instant(signing[name])
        return Envelope.read(said), signing
    except ValueError as wrong:
        raise EnvelopeError("malformed", str(wrong)) from wrong


def _signed(envelope: Envelope, signing: dict[str, Json], keys: Sequence[PublicKey]) -> None:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    meant = [key for key in keys if key_id(key) == signing["key_id"]]
    if not meant:
        raise EnvelopeError("unknown-key", signing["key_id"])
    said = {name: signing[name] for name in _SIGNING[1:-1]}
    try:
        VerifyKey(meant[0].key).verify(signed_bytes(envelope, **said), bytes.fromhex(signing["signature"]))
    except (BadSignatureError, ValueError) as error:
        raise EnvelopeError("bad-signature") from error
    if signing["issuer"] not in [key.name for key in meant]:
        raise EnvelopeError("foreign-issuer", signing["issuer"])


def _timed(envelope: Envelope, signing: dict[str, Json], now_ms: int) -> Accepted:
    issued, expires = instant(signing["issued_at"]), instant(signing["expires_at"])
    if not issued < expires <= issued + LIFE_MAX_MS:
        raise EnvelopeError("lifetime", f"{signing['issued_at']} to {signing['expires_at']}")
    if issued > now_ms + SKEW_MS:
        raise EnvelopeError("not-yet", f"issued {signing['issued_at']}")
    if expires <= now_ms:
        raise EnvelopeError("expired", f"on {signing['expires_at']}")
    return Accepted(
        envelope,
        issuer=signing["issuer"],
        key_id=signing["key_id"],
        nonce=signing["nonce"],
        issued_ms=issued,
        expires_ms=expires,
    )


def _spend(accepted: Accepted, now_ms: int, replay: Callable[[], Replay]) -> None:
    try:
        with replay() as cache:
            why = cache.spend(accepted.key_id, accepted.nonce, accepted.expires_ms, now_ms)
    except (OSError, sqlite3.Error) as error:
        raise EnvelopeError("replay-cache", str(error)) from error
    if why:
        raise EnvelopeError(why)
