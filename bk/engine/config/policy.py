"""The effective configuration: one flat, immutable-by-custom table that every decision reads."""

from __future__ import annotations

from blake3 import blake3

from bk.engine.canonical import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json

SYSTEM = "/etc/bk/config.toml"
PROJECT = ".bk.toml"


class Policy:
    """Every key of the schema with its value, and the layer it came from.

    `origin` holds `built-in system user project environment`. `digest` identifies the values, so a ledger entry can
    say which configuration decided. `problems` are sentences that every surface shows. `locked` are the keys that the
    system layer keeps the user from loosening.
    """

    __slots__ = ("digest", "locked", "origin", "problems", "values")

    def __init__(
        self,
        values: Mapping[str, Json],
        origin: Mapping[str, str],
        problems: Sequence[str] = (),
        locked: Sequence[str] = (),
        digest: str = "",
    ) -> None:
        self.values = values
        self.origin = origin
        self.problems = tuple(problems)
        self.locked = tuple(locked)
        self.digest = digest or digest_of(values)


def digest_of(values: Mapping[str, Json]) -> str:
    """What identifies a configuration: 128 bits over its canonical form."""
    return blake3(canonical(values)).hexdigest(16)
