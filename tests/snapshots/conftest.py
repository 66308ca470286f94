"""The wider pictures take the longest and change least: they belong to the long run."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

WIDER = ("100x30", "200x50")
PATIENCE_S = 60.0


async def until(pilot: Pilot[str], true: Callable[[], bool]) -> None:
    """Wait for what the picture needs; a test that waits in vain fails and holds nobody up."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it did not come true"
        await pilot.pause(0.01)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them; a hook of a folder sees the items of the whole run."""
    for item in items:
        if "tests/snapshots/" in item.nodeid and any(size in item.nodeid for size in WIDER):
            item.add_marker(pytest.mark.long)
