"""Signed feeds: a small note that names files by size and digest, verified over the exact bytes that were received.

    bk-feed/1
    feed NAME
    serial N
    issued 2026-01-31T12:00:00Z
    expires 2026-03-31T12:00:00Z
    payload FILENAME SIZE SHA256

Then an empty line and the signature lines. A serial below the highest that was ever accepted is a roll-back, whoever
signed it; a feed that has expired says nothing any more, so that an old one cannot be held up for ever.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from hashlib import sha256

from bk.engine import notes
from bk.engine.intel.sources.source import FeedError
from bk.engine.notes import PublicKey, mint
from bk.engine.provenance import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("NOTE_MAX", "SKEW_MS", "Payload", "SignedFeed", "mint", "opened", "read", "sign")

NOTE_MAX = 64 * 1024
PAYLOADS_MAX = 256
SKEW_MS = 86_400_000
_MAGIC = "bk-feed/1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_CHUNK = 1 << 20


class Payload:
    """One file that the signature covers by its size and digest."""

    __slots__ = ("digest", "name", "size")

    def __init__(self, name: str, size: int, digest: str) -> None:
        self.name = name
        self.size = size
        self.digest = digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"payload {self.name} {self.size} {self.digest}"


class SignedFeed:
    """What a verified note says; `provenance` is the proof that it was verified, and goes with every payload."""

    __slots__ = ("expires_ms", "feed", "issued_ms", "payloads", "provenance", "serial")

    def __init__(
        self, feed: str, serial: int, *, issued_ms: int, expires_ms: int, payloads: tuple[Payload, ...], by: str
    ) -> None:
        self.feed = feed
        self.serial = serial
        self.issued_ms = issued_ms
        self.expires_ms = expires_ms
        self.payloads = payloads
        self.provenance = Signature(by)

    def payload(self, name: str) -> Payload:
        """The payload of this name; FeedError when the signature covers none."""
        for each in self.payloads:
            if each.name == name:
                return each
        raise FeedError("malformed", f"the signed feed {self.feed} names no file {name}")

    def checked(self, name: str, data: bytes) -> bytes:
        """`data`, if it is the payload of this name to the byte; else FeedError `signature`."""
        self._same(name, len(data), sha256(data).hexdigest())
        return data

    def check_file(self, name: str, path: str) -> None:
        """Raise FeedError `signature` unless the file at `path` is the payload of this name to the byte."""
        digest, size = sha256(), 0
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        self._same(name, size, digest.hexdigest())

    def _same(self, name: str, size: int, digest: str) -> None:
        told = self.payload(name)
        if size != told.size or digest != told.digest:
            raise FeedError("signature", f"{name} is not the file that was signed in {self.feed}, serial {self.serial}")


def read(note: bytes, key_text: str) -> SignedFeed:
    """What a note says if this key signed it, whatever its serial and age; raises FeedError."""
    try:
        public = PublicKey.parse(key_text)
    except ValueError as error:
        raise FeedError("signature", "the pinned key is no Ed25519 verifier key (NAME+ID+BASE64)") from error
    if len(note) > NOTE_MAX:
        raise FeedError("malformed", f"the note is longer than {NOTE_MAX} bytes")
    try:
        text = notes.verified(note, public)
    except notes.BadSignature as bad:
        kind = "malformed" if bad.kind == "malformed" else "signature"
        raise FeedError(kind, f"the note cannot be trusted: {bad.detail}") from bad
    return _said(text.decode(), public.short)


def opened(note: bytes, key_text: str, *, feed: str, now_ms: int, least_serial: int) -> SignedFeed:
    """The feed, if the pinned key signed exactly these bytes and they are in force now; raises FeedError."""
    said = read(note, key_text)
    if said.feed != feed:
        raise FeedError("wrong-feed", f"the note is of the feed {said.feed!r}, not of {feed!r}")
    if said.serial < least_serial:
        raise FeedError("rolled-back", f"serial {said.serial} was offered after {least_serial} had been accepted")
    if said.issued_ms > now_ms + SKEW_MS:
        raise FeedError("not-yet", f"it was issued on {_moment(said.issued_ms)}, which this clock has not reached")
    if said.expires_ms <= now_ms:
        raise FeedError("expired", f"it expired on {_moment(said.expires_ms)}")
    return said


def sign(
    *secrets: str, feed: str, serial: int, issued_ms: int, expires_ms: int, payloads: Mapping[str, bytes]
) -> bytes:
    """The note over these payloads, signed by each of the secret keys; raises ValueError for what no note can say."""
    listed = [Payload(name, len(data), sha256(data).hexdigest()) for name, data in payloads.items()]
    head = (
        _MAGIC,
        f"feed {feed}",
        f"serial {serial}",
        f"issued {_moment(issued_ms)}",
        f"expires {_moment(expires_ms)}",
    )
    text = "\n".join((*head, *map(str, listed))) + "\n"
    try:
        _said(text, "")
    except FeedError as wrong:
        raise ValueError(wrong.detail) from wrong
    keys = [notes.secret(each) for each in secrets]
    made = text.encode() + b"\n" + b"".join(notes.line(text.encode(), key, name) for key, name in keys)
    if not keys or len(keys) > notes.SIGNATURES_MAX or len(made) > NOTE_MAX:
        raise ValueError("a note has between one and sixteen signatures, and an end")
    return made


def _said(text: str, by: str) -> SignedFeed:
    """The lines in their one order and spelling; anything else is malformed."""
    lines = text.split("\n")
    if lines[0] != _MAGIC or len(lines) < 6 or lines[-1]:
        raise FeedError("malformed", f"the note does not begin as a feed ({_MAGIC}, feed, serial, issued, expires)")
    feed = _after("feed ", lines[1], _NAME)
    serial = int(_after("serial ", lines[2], _NUMBER))
    issued = _instant(_after("issued ", lines[3], _MOMENT))
    expires = _instant(_after("expires ", lines[4], _MOMENT))
    payloads = tuple(_payload(line) for line in lines[5:-1])
    if expires <= issued:
        raise FeedError("malformed", "it expires before it was issued")
    if len(payloads) > PAYLOADS_MAX or len({each.name for each in payloads}) != len(payloads):
        raise FeedError("malformed", "it names a file twice, or too many files")
    return SignedFeed(feed, serial, issued_ms=issued, expires_ms=expires, payloads=payloads, by=by)


def _after(word: str, line: str, shape: re.Pattern[str]) -> str:
    rest = line.removeprefix(word)
    if rest == line or shape.fullmatch(rest) is None:
        raise FeedError("malformed", f"the line that should say {word.strip()!r} says {line[:80]!r}")
    return rest


def _payload(line: str) -> Payload:
    parts = line.split(" ")
    if len(parts) != 4 or parts[0] != "payload":
        raise FeedError("malformed", f"a line that is no payload: {line[:80]!r}")
    _, name, size, digest = parts
    if not (_NAME.fullmatch(name) and _NUMBER.fullmatch(size) and _DIGEST.fullmatch(digest)):
        raise FeedError("malformed", f"a payload that cannot be: {line[:80]!r}")
    return Payload(name, int(size), digest)


def _instant(text: str) -> int:
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * 1000
    except (ValueError, OverflowError) as error:
        raise FeedError("malformed", f"no such moment: {text}") from error


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
