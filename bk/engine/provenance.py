"""How we know who said something: a type, so that a claim cannot be called proven by writing a word into a file.

`Signature` is made where an Ed25519 signature over exact bytes was verified, `PinnedOrigin` where bytes came from a
host that the source is pinned to, over TLS, or have a digest that a person named. Whatever else there is, is
`Unproven`: it may be shown and may warn, and it never counts as a voice.
"""

from __future__ import annotations


class Provenance:
    """Who vouches for a claim; `by` names the key, the host or the digest."""

    __slots__ = ("by",)
    word = ""
    real = False

    def __init__(self, by: str = "") -> None:
        self.by = by

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Provenance) and self.word == other.word and self.by == other.by

    def __hash__(self) -> int:
        return hash((self.word, self.by))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.by!r})"


class Signature(Provenance):
    """Signed by a pinned key."""

    __slots__ = ()
    word = "signature"
    real = True


class PinnedOrigin(Provenance):
    """Came from the one place that it can come from."""

    __slots__ = ()
    word = "pinned_origin"
    real = True


class Unproven(Provenance):
    """Anybody may have written it."""

    __slots__ = ()
    word = "none"


KINDS: tuple[type[Provenance], ...] = (Signature, PinnedOrigin, Unproven)  # best first
_BY_WORD = {kind.word: kind for kind in KINDS}


def stored(word: str) -> Provenance:
    """The provenance that our own files carry on from when it was established; ValueError for any other word."""
    kind = _BY_WORD.get(word)
    if kind is None:
        raise ValueError(f"not a provenance: {word!r}")
    return kind()
