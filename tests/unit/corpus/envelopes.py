"""Claims, a key that signs them, and JSON that says the same in other bytes."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import strategies as st
from nacl.signing import SigningKey

from bk.engine.corpus.envelope import Envelope, Scope, Tier, Truth
from bk.engine.corpus.signing import Signer

NOW = 1_780_000_000_000
SIGNER = Signer(SigningKey(b"\1" * 32), "bk-test")
OTHER = Signer(SigningKey(b"\2" * 32), "bk-other")
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.from_regex(r"\A(npm:|pypi:|)@?[A-Za-z0-9_][A-Za-z0-9._-]{0,20}(/[A-Za-z0-9_][A-Za-z0-9_-]{0,9})?\Z").filter(
    lambda name: ".." not in name
)
IOCS = st.fixed_dictionaries(
    {},
    optional={
        "domains": st.lists(st.sampled_from(["evil.example", "*.evil.example", "_dns.evil.example"]), max_size=3),
        "dns_tunnel_pattern": st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20),
        "dead_drop_pattern": st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20),
    },
)


@st.composite
def claims(draw: st.DrawFn) -> Envelope:
    """Any claim that there can be."""
    sources = draw(st.integers(0, 1000))
    return Envelope(
        draw(NAMES),
        draw(st.sampled_from(["", "*", "1.0.0", "2.0.0-rc.1+build", "v1!2"])),
        behaviour_v1=draw(DIGESTS),
        behaviour_v2=draw(st.one_of(st.just(""), DIGESTS)),
        truth=draw(st.sampled_from(Truth)),
        tier=draw(st.sampled_from(Tier)) if sources > 1 else Tier.WATCH,
        sources=sources,
        scope=draw(st.sampled_from(Scope)),
        iocs=draw(IOCS),
    )


def claim(**changes: Any) -> Envelope:
    """An ordinary claim, but for what is changed."""
    said: dict[str, Any] = {
        "package": "npm:invented-evil",
        "version": "1.0.0",
        "behaviour_v1": "a" * 64,
        "behaviour_v2": "b" * 64,
        "truth": Truth.MALICIOUS,
        "tier": Tier.WATCH,
        "sources": 1,
        **changes,
    }
    return Envelope(said.pop("package"), said.pop("version"), **said)


def signed(**changes: Any) -> dict[str, Any]:
    """An ordinary signed envelope."""
    return SIGNER.sign(claim(**changes), NOW)


def rewritten(value: Any, rng: random.Random) -> str:
    """The same JSON in other bytes: keys in another order, spaces, letters as escapes."""

    def gap() -> str:
        return "".join(rng.choice(" \t\r\n") for _ in range(rng.randrange(3)))

    if isinstance(value, dict):
        pairs = list(value.items())
        rng.shuffle(pairs)
        inner = ",".join(
            f"{gap()}{rewritten(key, rng)}{gap()}:{gap()}{rewritten(item, rng)}{gap()}" for key, item in pairs
        )
        return "{" + inner + gap() + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{gap()}{rewritten(item, rng)}{gap()}" for item in value) + "]"
    if isinstance(value, str):
        return '"' + "".join(_letter(char, rng) for char in value) + '"'
    return json.dumps(value)


def _letter(char: str, rng: random.Random) -> str:
    plain = json.dumps(char, ensure_ascii=False)[1:-1]
    if rng.random() < 0.6:
        return plain
    units = char.encode("utf-16-be")
    spelled = rng.choice(("04x", "04X"))
    return "".join("\\u" + format(int.from_bytes(units[at : at + 2], "big"), spelled) for at in range(0, len(units), 2))
