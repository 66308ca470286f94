"""What the tests of the web share: a feed server, a folder, and a way to ask that shows its failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.client import Got, Web
from tests.feeds.server import FeedServer

MAX = 1 << 20


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def web(feed: FeedServer, folder: Path, **more: Any) -> Web:
    settings: dict[str, Any] = {"ca_file": feed.ca_file, "deadline_s": 10.0, "patience_s": 2.0, **more}
    return Web(str(folder), settings.pop("hosts", [feed.host]), **settings)


def got(feed: FeedServer, folder: Path, path: str = "/x.json", *, max_bytes: int = MAX, **more: Any) -> Got:
    with web(feed, folder, **more) as asked:
        return asked.get(feed.url(path), "x.json", max_bytes=max_bytes)


def failure(act: Callable[[], object]) -> FeedError:
    with pytest.raises(FeedError) as caught:
        act()
    return caught.value
