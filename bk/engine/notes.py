"""Signed notes (C2SP signed-note) and the Ed25519 keys behind them: one form for the ledger and for signed feeds.

A note is text, an empty line, and one line for each signature. What is verified is the bytes as they were received;
every line has one spelling, so that no byte of a note can change unseen.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacl.signing import SigningKey

ED25519 = b"\1"
DASH = "— "
SIGNATURES_MAX = 16
_SECRET = "PRIVATE+KEY+"  # noqa: S105 - the form's own beginning, no secret
_ID = 4


class BadSignature(Exception):  # noqa: N818 - it is a finding, which the reader of the note names in its own words
    """Why a note does not count: `malformed`, `foreign` (other keys signed it) or `broken` (the text was changed)."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class PublicKey:
    """Who may sign: `<name>+<key id>+<base64 of type and key>`."""

    __slots__ = ("key", "name")

    def __init__(self, name: str, key: bytes) -> None:
        self.name = name
        self.key = key

    @property
    def ident(self) -> bytes:
        """The four bytes that a signature line starts with."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:_ID]

    @property
    def short(self) -> str:
        """Name and id, for people: the id covers the name and the whole key."""
        return f"{self.name}+{self.ident.hex()}"

    def __str__(self) -> str:
        return f"{self.short}+{base64.b64encode(ED25519 + self.key).decode()}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key in a verifier-key line; raises ValueError for any other text."""
        name, ident, packed = [*text.strip().split("+", 2), "", ""][:3]
        raw = base64.b64decode(packed, validate=True)
        made = cls(name, raw[1:])
        if not named(name) or raw[:1] != ED25519 or len(raw) != 33 or made.ident.hex() != ident:
            raise ValueError("not an Ed25519 verifier key")
        return made


def named(name: str) -> bool:
    """Whether a key can be called so: a space or a plus sign would end the name where it is written."""
    return bool(name) and name.isprintable() and "+" not in name and not any(char.isspace() for char in name)


def mint(name: str) -> tuple[str, str]:
    """A new key as text: the secret half, to be kept off every machine that verifies, and the public half."""
    from nacl.signing import SigningKey

    if not named(name):
        raise ValueError(f"a key cannot be called {name!r}")
    key = SigningKey.generate()
    public = PublicKey(name, bytes(key.verify_key))
    return f"{_SECRET}{public.short}+{base64.b64encode(ED25519 + bytes(key)).decode()}", str(public)


def secret(text: str) -> tuple[SigningKey, str]:
    """The signing key and its name in a secret key's text; raises ValueError for any other text."""
    from nacl.signing import SigningKey

    text = text.strip()
    name, ident, packed = [*text.removeprefix(_SECRET).split("+", 2), "", ""][:3]
    raw = base64.b64decode(packed, validate=True)
    if not text.startswith(_SECRET) or not named(name) or raw[:1] != ED25519 or len(raw) != 33:
        raise ValueError("not an Ed25519 signing key")
    key = SigningKey(raw[1:])
    if PublicKey(name, bytes(key.verify_key)).ident.hex() != ident:
        raise ValueError("the signing key's id does not fit it")
    return key, name


def line(text: bytes, key: SigningKey, name: str) -> bytes:
    """The signature line of this key under this text."""
    public = PublicKey(name, bytes(key.verify_key))
    return f"{DASH}{name} {base64.b64encode(public.ident + key.sign(text).signature).decode()}\n".encode()


def split(note: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The signed text, and name and bytes of each signature line; raises BadSignature for what is no note."""
    text, gap, signatures = note.rpartition(b"\n\n")
    if not gap or not signatures.endswith(b"\n"):
        raise BadSignature("malformed", "it is not a signed note")
    text += b"\n"
    try:
        text.decode()
        lines = signatures.decode().split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise BadSignature("malformed", "it is not text") from error
    if len(lines) > SIGNATURES_MAX:
        raise BadSignature("malformed", f"it carries more than {SIGNATURES_MAX} signatures")
    if any(byte < 32 and byte != 10 for byte in text):
        raise BadSignature("malformed", "it holds control characters")
    return text, [_signature(each) for each in lines]


def _signature(text: str) -> tuple[str, bytes]:
    """Name and bytes of a signature line, which has one spelling."""
    name, _, packed = text.removeprefix(DASH).partition(" ")
    try:
        raw = base64.b64decode(packed, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if not text.startswith(DASH) or not named(name) or len(raw) <= _ID or base64.b64encode(raw).decode() != packed:
        raise BadSignature("malformed", "a line of it is no signature")
    return name, raw


def verified(note: bytes, public: PublicKey) -> bytes:
    """The text of a note that this key signed; signatures of other keys are not looked at. Raises BadSignature."""
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    text, signatures = split(note)
    mine = [raw[_ID:] for name, raw in signatures if name == public.name and raw[:_ID] == public.ident]
    if not mine:
        name, raw = signatures[0]
        raise BadSignature("foreign", f"it is signed by {name}+{raw[:_ID].hex()}, not by {public.short}")
    for signature in mine:
        try:
            VerifyKey(public.key).verify(text, signature)
        except (BadSignatureError, ValueError) as error:
            raise BadSignature("broken", "its signature does not fit its text") from error
    return text
