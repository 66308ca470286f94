"""The wider pictures take the longest and change least: they belong to the long run."""

from __future__ import annotations

import pytest

WIDER = ("100x30", "200x50")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them; a hook of a folder sees the items of the whole run."""
    for item in items:
        if "tests/snapshots/" in item.nodeid and any(size in item.nodeid for size in WIDER):
            item.add_marker(pytest.mark.long)
