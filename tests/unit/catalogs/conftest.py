from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bk.engine.catalogs.job import Job
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse
from tests.feeds.server import FeedServer


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def house(state: State, feed: FeedServer) -> CatalogHouse:
    """An installation without any feed switched on."""
    made = CatalogHouse(state, feed)
    made.settings()
    return made


Doing = Callable[..., dict[str, Any]]


@pytest.fixture
def doing(house: CatalogHouse) -> Doing:
    """Run a verb in this process: `doing(person.accept, "list")`."""

    def do(verb: Callable[..., dict[str, Any]], *words: Any, at_ms: int = 0, **more: Any) -> dict[str, Any]:
        clock = {"clock_ms": lambda: at_ms} if at_ms else {}
        with Job(house.state, verb=verb.__name__, by="person:1", say=lambda _line: None, **clock) as job:
            return verb(job, *words, **more)

    return do
