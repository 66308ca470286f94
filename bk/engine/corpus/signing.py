"""Signing envelopes: the installation's own key for it, and the signed document."""

from __future__ import annotations

import base64
import binascii
import os
import re
from datetime import UTC, datetime
from hashlib import sha256

from bk.engine import notes
from bk.engine.corpus import once
from bk.engine.corpus.envelope import VERSION, Envelope, signed_bytes
from bk.engine.notes import PublicKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from bk.engine.model import Json
    from bk.engine.state import State

DAY_MS = 86_400_000
LIFE_MS = 30 * DAY_MS
LIFE_MAX_MS = 90 * DAY_MS
NONCE = 16
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


class Signer:
    """Who says it: a key and the name that goes with it."""

    __slots__ = ("_key", "public")

    def __init__(self, key: SigningKey, name: str) -> None:
        self._key = key
        self.public = PublicKey(name, bytes(key.verify_key))

    def sign(self, envelope: Envelope, now_ms: int, *, life_ms: int = LIFE_MS, nonce: str = "") -> dict[str, Json]:
        """The envelope as it goes out, good from this second on; ValueError for a lifetime that no reader accepts."""
        if not 1000 <= life_ms <= LIFE_MAX_MS:
            raise ValueError(f"an envelope lives between a second and {LIFE_MAX_MS // DAY_MS} days")
        said = {
            "issuer": self.public.name,
            "issued_at": moment(now_ms),
            "expires_at": moment(now_ms + life_ms),
            "nonce": nonce or os.urandom(NONCE).hex(),
            "key_id": key_id(self.public),
        }
        signature = self._key.sign(signed_bytes(envelope, **said)).signature.hex()
        return {**envelope.wire(), "signing": {"v": VERSION, **said, "signature": signature}}


def signer(state: State) -> Signer:
    """This installation's key, made on the first call; its name says nothing of the machine or its user."""
    path = f"{state.keys}/envelope"

    def make() -> bytes:
        return notes.mint(f"bk-{os.urandom(6).hex()}")[0].encode() + b"\n"

    try:
        key, name = notes.secret(once.kept(path, make, state.owner).decode("ascii"))
    except (ValueError, binascii.Error) as error:
        raise once.unfit(path, "it holds no signing key") from error
    return Signer(key, name)


def key_id(public: PublicKey) -> str:
    """What names a key in an envelope: the first 16 bytes of the SHA-256 of its 32, as hexadecimal digits."""
    return sha256(public.key).hexdigest()[:32]


def moment(at_ms: int) -> str:
    """A second as the wire has it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: Json) -> int:
    """The milliseconds of a moment on the wire; ValueError for any other text."""
    if type(text) is not str or _MOMENT.fullmatch(text) is None:
        raise ValueError("not a moment (YYYY-MM-DDThh:mm:ssZ)")
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * 1000


def raw(public: PublicKey) -> str:
    """The 32 bytes of a public key in base64, for those who verify without bk."""
    return base64.b64encode(public.key).decode()
