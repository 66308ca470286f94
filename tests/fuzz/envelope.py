"""The envelope verifier: any bytes give an envelope that says exactly what was signed, or an EnvelopeError."""

from __future__ import annotations

import json

from nacl.signing import SigningKey

from bk.engine.corpus.envelope import Action, Envelope, Scope, Tier, Truth
from bk.engine.corpus.signing import Signer
from bk.engine.corpus.verifier import KINDS, EnvelopeError, verify

NOW = 1_780_000_000_000
_SIGNER = Signer(SigningKey(b"\7" * 32), "bk-fuzz")
_OTHER = Signer(SigningKey(b"\x08" * 32), "bk-other")
_CLAIMS = [
    Envelope("npm:evil", "1.0.0", behaviour_v1="a" * 64, truth=Truth.MALICIOUS, tier=Tier.WATCH, sources=1),
    Envelope(
        "@o/p",
        "*",
        behaviour_v1="b" * 64,
        behaviour_v2="c" * 64,
        truth=Truth.BENIGN,
        tier=Tier.ENFORCE,
        sources=2,
        scope=Scope.COMMUNITY_SHAREABLE,
        iocs={"domains": ["evil.example"], "dns_tunnel_pattern": "é*"},
    ),
]
_SAID = [claim.wire() for claim in _CLAIMS]
SEEDS = [
    json.dumps(_SIGNER.sign(claim, NOW, nonce="0" * 32), indent=indent, ensure_ascii=plain).encode()
    for claim in _CLAIMS
    for indent, plain in ((None, True), (1, False))
] + [json.dumps(_OTHER.sign(_CLAIMS[0], NOW)).encode()]
_KEYS = [_SIGNER.public]


_PATHS = [
    *((key,) for key in _SAID[0] if key != "signature"),
    *(("signature", key) for key in _SAID[1]["signature"]),
    *(("signing", key) for key in ("v", "issuer", "issued_at", "expires_at", "nonce", "key_id", "signature", "more")),
    ("signing",),
    ("more",),
]


def one(data: bytes) -> None:
    """Nothing is believed but what the key signed, and nothing else than EnvelopeError is raised."""
    _tried(data)
    if len(data) > 2:
        _tried(_woven(data))


def _woven(data: bytes) -> bytes:
    """A signed envelope with one field replaced by what the input makes of it."""
    document = json.loads(SEEDS[data[0] % 4])
    *way, last = _PATHS[data[1] % len(_PATHS)]
    at = document[way[0]] if way else document
    rest = data[2:].decode(errors="replace")
    try:
        at[last] = json.loads(rest)
    except (ValueError, RecursionError):
        at[last] = rest if data[0] & 64 else str(at.get(last, ""))[: data[2]] + rest
    return json.dumps(document).encode()


def _tried(data: bytes) -> None:
    try:
        accepted = verify(data, _KEYS, NOW + 1000, None)
    except EnvelopeError as error:
        if error.kind not in KINDS:
            raise
        return
    assert accepted.envelope.wire() in _SAID
    assert accepted.envelope.action is Action.WATCH_AND_BLOCK
    assert accepted.nonce == "0" * 32
    assert accepted.issuer == "bk-fuzz"
