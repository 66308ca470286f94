"""The widest pictures take the longest and change least: they belong to the long run."""

from __future__ import annotations

import pytest

WIDEST = "200x50"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them; a hook of a folder sees the items of the whole run."""
    for item in items:
        if "tests/snapshots/" in item.nodeid and WIDEST in item.nodeid:
            item.add_marker(pytest.mark.long)
