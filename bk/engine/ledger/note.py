"""Checkpoints as signed notes (C2SP tlog-checkpoint), and the Ed25519 key that signs them.

The signing key's name is `bk/<ledger id>` for every segment, so that one public key verifies all of them.
"""

from __future__ import annotations

import base64
import binascii
import os

from bk.engine import notes
from bk.engine.errors import BkError
from bk.engine.notes import PublicKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacl.signing import SigningKey

_KINDS = {"malformed": "bad-checkpoint", "broken": "bad-checkpoint", "foreign": "foreign-key"}


class BadNote(Exception):  # noqa: N818 - it is a finding of the verifier, which names it
    """A note that is not well formed, or not signed by the key that should have signed it."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Note:
    """A checkpoint's text, read: origin, size, root, and our extension lines."""

    __slots__ = ("at", "epoch", "origin", "root", "seal", "sealed", "seq", "size", "text")

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        if len(lines) != 7 or lines[6]:
            raise BadNote("bad-checkpoint", "it does not have six lines")
        self.text = text
        self.origin = lines[0]
        try:
            self.size = int(lines[1])
            self.root = base64.b64decode(lines[2], validate=True)
            self.at = int(lines[3].removeprefix("time "))
            self.seq = int(lines[4].removeprefix("seq "))
            word, epoch, seal = lines[5].split(" ")
            self.epoch = int(epoch)
            self.seal = base64.b64decode(seal, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadNote("bad-checkpoint", f"a line of it is malformed: {error}") from error
        self.sealed = "\n".join(lines[:5]) + "\n"
        rebuilt = body(self.origin, self.size, self.root, at=self.at, seq=self.seq) + _seal_line(self.epoch, self.seal)
        numbers = (self.size, self.at, self.seq, self.epoch)
        if word != "seal" or rebuilt != text or len(self.root) != 32 or min(numbers) < 0:
            raise BadNote("bad-checkpoint", "a line of it is not in its one form")

    @property
    def segment(self) -> int:
        """The segment that the origin names."""
        tail = self.origin.rpartition("/")[2]
        return int(tail) if tail.isdecimal() else 0


def body(origin: str, size: int, root: bytes, *, at: int, seq: int) -> str:
    """The lines that the seal covers."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\ntime {at}\nseq {seq}\n"


def _seal_line(epoch: int, seal: bytes) -> str:
    return f"seal {epoch} {base64.b64encode(seal).decode()}\n"


def sign(lines: str, epoch: int, seal: bytes, key: SigningKey, name: str) -> str:
    """The whole note: text, empty line, signature line."""
    text = lines + _seal_line(epoch, seal)
    return f"{text}\n{notes.line(text.encode(), key, name).decode()}"


def opened(note: str, public: PublicKey) -> Note:
    """The note's contents if this key signed it; raises BadNote that tells a foreign key from a broken signature."""
    try:
        return Note(notes.verified(note.encode(errors="surrogatepass"), public).decode())
    except notes.BadSignature as bad:
        raise BadNote(_KINDS[bad.kind], bad.detail) from bad


def unverified(note: str) -> Note:
    """The note's contents when there is no key to check its signature with."""
    text, gap, _ = note.rpartition("\n\n")
    if not gap:
        raise BadNote("bad-checkpoint", "it is not a signed note")
    return Note(text + "\n")


def split_notes(text: str) -> list[str]:
    """The notes of a file that holds one after the other, each followed by an empty line."""
    parts = text.split("\n\n")
    return [f"{body}\n\n{signatures}\n" for body, signatures in zip(parts[::2], parts[1::2], strict=False)]


def signing_key(keys: str, name: str) -> SigningKey:
    """The installation's signing key, made when there is none; the public half lies beside it."""
    from nacl.signing import SigningKey

    path = f"{keys}/ledger"
    try:
        with open(path, encoding="ascii") as file:
            key = SigningKey(base64.b64decode(file.read().strip(), validate=True))
    except FileNotFoundError:
        key = SigningKey.generate()
        _write_once(path, base64.b64encode(bytes(key)) + b"\n", 0o600)
    except (ValueError, OSError) as error:
        raise BkError(
            "the signing key cannot be read", f"{path}: {error}", "restore keys/ledger from a copy"
        ) from error
    public = str(PublicKey(name, bytes(key.verify_key))).encode() + b"\n"
    if not os.path.exists(f"{path}.pub"):
        _write_once(f"{path}.pub", public, 0o644)
    return key


def public_key(keys: str) -> PublicKey | None:
    """The installation's public key; None before the first checkpoint."""
    try:
        with open(f"{keys}/ledger.pub", encoding="utf-8") as file:
            return PublicKey.parse(file.read())
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise BkError("the public key cannot be read", f"{keys}/ledger.pub: {error}") from error


def _write_once(path: str, data: bytes, mode: int) -> None:
    """Whole or not at all, and on disk."""
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(f"{path}.new", path)
