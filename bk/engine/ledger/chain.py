"""How one entry is bound to the one before: the body's bytes, its leaf, its keyed link, and the key's evolution."""

from __future__ import annotations

import json

from blake3 import blake3

from bk.engine.canonical import canonical
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from hashlib import sha256

    from bk.engine.model import Json
else:
    try:  # hashlib loads all of OpenSSL, which costs a cold call more than its whole append
        from _sha256 import sha256
    except ImportError:
        from hashlib import sha256

ORIGIN = bytes(32)  # what the very first entry is linked to
_EVOLVE = "bk ledger seal v1"


def body_parts(entry: Entry, data: Json) -> tuple[bytes, bytes]:
    """The canonical bytes around `at` and `seq`, which are known only while the ledger is locked."""
    rest = canonical({"call": entry.call, "data": data, "kind": entry.kind, "level": entry.level})
    return b'{"actor":' + canonical(entry.actor) + b',"at":', b"," + rest[1:-1] + b',"seq":'


def body_of(parts: tuple[bytes, bytes], at: int, seq: int) -> bytes:
    """The whole canonical body; `seq` sorts last among the keys, so it can be added at the end."""
    return b"%b%d%b%d}" % (parts[0], at, parts[1], seq)


def entry_of(body: str | bytes) -> Entry:
    """The entry that a stored body holds."""
    held: Mapping[str, Json] = json.loads(body)
    return Entry(
        held["kind"],
        held["actor"],
        held["data"],
        level=held["level"],
        call=held["call"],
        at=held["at"],
        seq=held["seq"],
    )


def leaf_of(body: bytes) -> bytes:
    """RFC 6962's leaf hash."""
    return sha256(b"\0" + body).digest()


def link(key: bytes, before: bytes, leaf: bytes) -> bytes:
    """The chain value of an entry: nobody without the epoch's key can compute it."""
    return blake3(before + leaf, key=key).digest()


def evolve(key: bytes, steps: int = 1) -> bytes:
    """The key of a later epoch; the way back is closed, so what was sealed before stays sealed after a break-in."""
    for _ in range(steps):
        key = blake3(key, derive_key_context=_EVOLVE).digest()
    return key
