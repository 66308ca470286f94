"""The fuzz target, briefly: on its seeds, on mutations of them, and on noise."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.fuzz.__main__ import inputs
from tests.fuzz.config_loader import SEEDS, one


def test_seeds_and_mutations() -> None:
    for count, data in enumerate(inputs(random.Random(2), SEEDS)):
        one(data)
        if count > 1500:
            break


@limits(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_noise(data: bytes) -> None:
    one(data)
