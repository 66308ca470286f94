"""A started engine, always stopped by its own pid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bk.engine.state import State
from tests.unit.service.driven import Engine


@pytest.fixture
def launch(state: State) -> Iterator[Callable[..., Engine]]:
    """Starts engines; whatever the test leaves running is killed."""
    made: list[Engine] = []

    def start(**options: Any) -> Engine:
        made.append(Engine(state, **options))
        return made[-1]

    yield start
    for engine in made:
        if engine.process.poll() is None:
            engine.process.kill()
            engine.process.wait()
        if engine.process.stderr:
            engine.process.stderr.close()


@pytest.fixture
def engine(launch: Callable[..., Engine]) -> Engine:
    """One engine that serves."""
    return launch().ready()
