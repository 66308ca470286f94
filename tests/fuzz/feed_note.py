"""Signed notes: nothing but what was signed opens."""

from __future__ import annotations

from bk.engine.intel.signed import SignedFeed, mint, opened, read, sign
from bk.engine.intel.sources.source import FeedError

NOW = 1_800_000_000_000
DAY = 86_400_000
SECRET, PUBLIC = mint("fuzz.example")
OTHER, _ = mint("other.example")


def _note(*secrets: str, serial: int = 7, **payloads: bytes) -> bytes:
    return sign(*secrets, feed="f", serial=serial, issued_ms=NOW, expires_ms=NOW + DAY, payloads=payloads)


SEEDS = [_note(SECRET), _note(OTHER, SECRET, a=b"1", b=b"2"), _note(OTHER), _note(SECRET, serial=8, c=b"")]
SIGNED = {note.rpartition(b"\n\n")[0] for note in SEEDS}


def one(data: bytes) -> None:
    """Open `data`: what opens has a text that was signed, and is read the same twice."""
    feed, kind = _opened(data)
    assert kind in ("", "signature", "malformed"), kind
    if feed is None:
        return
    assert data.rpartition(b"\n\n")[0] in SIGNED, "this text was never signed"
    assert read(data, PUBLIC).payloads == feed.payloads


def _opened(data: bytes) -> tuple[SignedFeed | None, str]:
    try:
        return opened(data, PUBLIC, feed="f", now_ms=NOW, least_serial=7), ""
    except FeedError as error:
        return None, error.kind
