"""The signed list of compromised releases: a key of its own, a folder that is published, a machine that reads it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bk import __version__
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.own import artifact, publish, verify
from bk.engine.own.listing import Listed
from bk.engine.own.refresh import Outcome, refresh
from bk.engine.own.standing import Standing, read
from bk.engine.state import State

DAY = 86_400_000
REASON = "its wheel was built on a machine that was not ours"


def listed(ident: str = "BK-1", *, version: str = "", digest: str = "") -> Listed:
    """An entry; without a version or a digest it means this release."""
    if not digest and not version:
        version = __version__
    return Listed(ident, version=version, digest=digest, reason=REASON, date="2026-02-01")


class Publisher:
    """Who has the release key, and the folder that is served."""

    def __init__(self, root: Path, name: str = "bk-release") -> None:
        self.secret = root / f"{name}.key"
        self.key = publish.mint(name, str(self.secret))
        self.folder = root / f"{name}-published"

    def publish(self, *entries: Listed, withdraw: tuple[str, ...] = (), days: int = 30, at: int = 0) -> int:
        made = publish.publish(
            str(self.folder), [str(self.secret)], add=entries, withdraw=withdraw, days=days, now_ms=at
        )
        return made.serial

    def kept(self, name: str) -> Path:
        """A copy of the folder as it is now."""
        to = self.folder.parent / name
        shutil.copytree(self.folder, to)
        return to


class Machine:
    """An installation that trusts one key."""

    def __init__(self, state: State, key: str, **values: Any) -> None:
        self.state = state
        self.values: dict[str, Any] = {"self_catalog.key": key, "self_catalog.url": "", **values}
        self.own = Path(state.root, "own")

    def take(self, folder: Path, at: int = 0) -> Outcome:
        return refresh(self.state, self.values, at or verify.now(), source=str(folder))

    def read(self) -> Standing:
        """What a call reads."""
        return read(self.state, self.values)

    def prove(self) -> Standing:
        """What an engine finds at its start."""
        return verify.prove(self.state, self.values)

    def settle(self) -> Standing:
        """What `bk self verify` finds."""
        return verify.settle(self.state, self.values)

    def lists(self) -> list[Path]:
        return sorted(self.own.glob("list-*"))

    def entries(self, *outcomes: str) -> list[Entry]:
        """What is on record of the list."""
        ledger = Ledger.open(self.state)
        try:
            found = ledger.entries(limit=10_000)
        finally:
            ledger.close()
        mine = [entry for entry in found if entry.data.get("event") == "self"]
        return [entry for entry in mine if not outcomes or entry.data["outcome"] in outcomes]


def ours() -> str:
    """The digest of the files that run these tests."""
    return artifact.installed()
