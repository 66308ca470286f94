from __future__ import annotations

import pytest

from bk.engine.catalogs.backoff import after_failure, after_success, due

MINUTE, HOUR = 60_000, 3_600_000


@pytest.mark.parametrize(("failures", "minutes"), [(0, 5), (1, 5), (2, 10), (3, 20), (7, 320), (8, 360), (90, 360)])
def test_failures_double_the_wait_up_to_six_hours(failures: int, minutes: int) -> None:
    assert after_failure(failures, 0, 0.5) == minutes * MINUTE
    assert after_failure(failures, 0, 0.0) == int(minutes * MINUTE * 0.8)
    assert after_failure(failures, 0, 1.0) == int(minutes * MINUTE * 1.2)


def test_a_source_may_ask_for_patience_but_not_for_ever() -> None:
    assert after_failure(1, 3600, 0.5) == HOUR
    assert after_failure(1, 1, 0.5) == 5 * MINUTE
    assert after_failure(1, 10**9, 0.5) == 24 * HOUR
    assert after_failure(1, -5, 0.5) == 5 * MINUTE


def test_success_is_never_asked_again_too_early() -> None:
    assert after_success(2, 0.0) == 2 * HOUR
    assert 2 * HOUR < after_success(2, 0.9) <= 2.2 * HOUR


@pytest.mark.parametrize(
    ("next_ms", "last_ms", "expected"),
    [
        (0, 0, True),
        (1000, 500, True),
        (1001, 500, False),
        (1001, 1001, True),  # the last look lies ahead: the clock was set back
        (1000 + 24 * HOUR, 500, False),
        (1000 + 29 * HOUR, 500, True),  # no plan reaches so far: the clock was set back
    ],
)
def test_what_is_due_survives_clocks_that_are_set(next_ms: int, last_ms: int, expected: bool) -> None:
    assert due(next_ms, last_ms, 1000) is expected
