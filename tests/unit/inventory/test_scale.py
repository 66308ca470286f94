"""The whole of a planted tree is found and nothing else; the full size, with its bounds, runs with the long tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator

import pytest

from bench import inventory


@pytest.fixture
def ground() -> Iterator[str]:
    """A folder that is gone afterwards: kept trees of this size would fill a disk."""
    folder = tempfile.mkdtemp(dir=inventory.roomy(inventory.FULL), prefix="bkinventory")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_everything_that_is_planted_is_found_and_nothing_else(ground: str) -> None:
    figures, wrong = inventory.measured(ground, 2_500, 1)
    assert wrong == []
    told = {figure.what: figure.value for figure in figures}
    assert told["packages planted"] > 2_400
    assert told["peak resident memory, MB"] <= 200


@pytest.mark.long
def test_two_hundred_thousand_packages_within_their_bounds(ground: str) -> None:
    figures, wrong = inventory.measured(ground, inventory.FULL, 2)
    assert wrong == []
    assert [figure.row() for figure in figures if not figure.holds] == []
