"""An installation whose one source is a list on a feed server of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bk.engine.config.schema import SOURCES
from bk.engine.ledger.store import Ledger
from bk.engine.state import State
from tests.feeds.server import FeedServer
from tests.unit.cli_catalogs.typed import BK, catalogs, env_of
from tests.unit.config.terminal import as_person

EVIL = "ecosystem,name,version\nnpm,evil,1.0.0\n"


class House:
    """What a person types there, and what came of it."""

    def __init__(self, state: State, feed: FeedServer, folder: Path) -> None:
        self.state = state
        self.feed = feed
        self.folder = folder
        self.settings()

    def settings(self, *more: str) -> None:
        lines = [f"catalogs.{name}.enabled = {str(name == 'list').lower()}" for name in SOURCES]
        lines += [
            f'catalogs.list.url = "{self.feed.url("/list.csv")}"',
            f'catalog_sync.ca_file = "{self.feed.ca_file}"',
        ]
        path = Path(self.state.config)
        path.write_text("\n".join([*lines, *more, ""]))
        path.chmod(0o600)

    def publish(self, text: str) -> None:
        self.feed.serve("/list.csv", text.encode(), etag=str(hash(text)))

    def types(self, *words: str, code: int | None = 0) -> str:
        done = catalogs(self.state, *words)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def told(self, *words: str) -> dict[str, Any]:
        done = catalogs(self.state, *words, "--json")
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def person(self, *words: str, code: int | None = 0) -> str:
        done, shown = as_person([*BK, *words], env_of(self.state), self.folder)
        assert code is None or done == code, shown
        return shown

    def source(self) -> dict[str, Any]:
        (row,) = [row for row in self.told("status")["sources"] if row["name"] == "list"]
        return dict(row)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        ledger = Ledger.open(self.state)
        try:
            return [dict(entry.data) for entry in ledger.entries(limit=1000) if entry.kind == kind]
        finally:
            ledger.close()

    def verdict(self, package: str) -> str:
        return str(self.told("show", package)["verdict"])


@contextmanager
def house(state: State, folder: Path, publish: Sequence[str] = (EVIL,)) -> Iterator[House]:
    with FeedServer() as feed:
        made = House(state, feed, folder)
        for text in publish:
            made.publish(text)
        yield made
