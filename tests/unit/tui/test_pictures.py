"""Pictures tell the truth of their numbers at any width, and not by colour alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bk.tui.widgets.agreement import agreement
from bk.tui.widgets.sparkline import BARS, NONE, grouped, spark
from bk.tui.widgets.timeline import timeline


@given(st.lists(st.integers(0, 10**6), max_size=200), st.integers(1, 120))
def test_a_sparkline_is_as_wide_as_it_is_told_and_shows_the_peak(values: list[int], width: int) -> None:
    drawn = spark(values, width).plain
    assert len(drawn) == width
    assert (BARS[-1] in drawn) == any(values)
    assert drawn.count(NONE) + sum(drawn.count(bar) for bar in BARS) == width


def test_grouping_loses_no_peak() -> None:
    values = [0.0] * 100
    values[37] = 5.0
    assert max(grouped(values, 7)) == 5.0
    assert len(grouped(values, 7)) == 7


@given(
    st.lists(st.dictionaries(st.sampled_from(["allow", "block", "warn"]), st.integers(0, 9)), min_size=24, max_size=24)
)
def test_a_timeline_marks_the_hours_in_which_something_was_stopped(hours: list[dict[str, int]]) -> None:
    bars, signs, axis = timeline(hours, [f"{at:02}" for at in range(24)], 72)
    assert bars.cell_length == signs.cell_length == axis.cell_length == 72
    assert signs.plain.count("■") == sum(bool(hour.get("block")) for hour in hours)


def test_agreement_says_in_words_what_it_draws() -> None:
    told = agreement(["ossf", "osv[/"], ["vendor\x1b[31m"], needed=2).plain
    assert told.startswith("2 of 3 ■■□")
    assert "ossf, osv[/" in told
    assert "nothing from vendor" in told
    assert "\x1b" not in told
