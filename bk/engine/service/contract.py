"""What the server needs from a surface and from the world, named here because the engine imports neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bk.engine.model import Entry


class Policy(Protocol):
    """The effective configuration, as far as the service reads it."""

    values: Mapping[str, Any]
    digest: str
    problems: Sequence[str]


class World(Protocol):
    """One immutable snapshot of everything that a decision depends on."""

    policy: Any
    rules: Any
    failure: Any
    redact: Any

    @property
    def generation(self) -> str:
        """The name of the index generation in force."""


class WorldSource(Protocol):
    """Hands out the snapshot in force."""

    def current(self) -> Any:
        """The snapshot in force; never raises once there was a good one."""

    def refresh(self) -> list[Entry]:
        """Look at the sources again; the entries tell what changed or why it could not."""


class Pending(Protocol):
    """A decision that is not recorded yet."""

    entries: list[Entry]
    sync: bool

    def reply(self, stored: list[Entry]) -> bytes:
        """The framed answer, once `stored` is committed."""


class Surface(Protocol):
    """A protocol that requests arrive in."""

    def feed(self, buffer: bytearray) -> Any:
        """A complete request, None while bytes are missing; ValueError with the reason for a malformed frame."""

    def prepare(self, request: Any, world: Any) -> Pending:
        """Decide a request."""

    def failed(self, request: Any, cause: str, detail: str) -> bytes:
        """The framed answer when there is no recorded decision."""

    def refused(self, status: int) -> bytes:
        """A framed reply without an answer: the client then decides by itself."""


class Book(Protocol):
    """The ledger, as far as the service writes it."""

    def append(self, entries: Sequence[Entry], *, sync: bool = False) -> list[Entry]:
        """Commit entries in one transaction."""

    def sync(self) -> None:
        """Flush what was committed since the last time."""

    def head(self) -> tuple[int, bytes]:
        """The last sequence number and the chain's value there."""

    def checkpoint(self) -> Any:
        """Sign the head when there is something new."""

    def tidy(self, *, segment_entries: int, retention_days: int) -> None:
        """Close a segment that is long enough and drop files that are old enough."""

    def close(self) -> None:
        """Let go of the database."""
