"""The full size, with bounds that a busy machine keeps too; `make bench` holds the real ones."""

from __future__ import annotations

import pytest

from bench import index as bench
from bk.engine.state import State

SLACK = 4.0
FIRM = {"build, peak resident memory, MiB": 512.0, "size of the index, MB": 250.0}


@pytest.mark.long
def test_half_a_million_packages_within_bounds() -> None:
    figures = bench.measure(bench.FULL, rounds=10)
    assert len([figure for figure in figures if figure.bound is not None]) >= 8
    over = [
        figure.row()
        for figure in figures
        if figure.bound is not None and figure.value > FIRM.get(figure.what, figure.bound * SLACK)
    ]
    assert not over
    assert FIRM.keys() <= {figure.what for figure in figures}


def test_claims_are_not_kept_in_memory_while_an_index_is_built(state: State) -> None:
    few, many = (bench.building(state, count)[-1] for count in (1_000, 20_000))
    assert many < few + 12
