"""Rows from memory and from pages: the same record stays the same, wherever it goes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.tui.widgets.rows import OLDER, PAGE, PAGES_KEPT, KeysetRows, ListRows


class Numbers:
    """A source of the numbers from `top` down to 1, that counts what is asked of it."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.asked = 0

    def page(self, anchor: int | None, direction: int, limit: int) -> Sequence[int]:
        self.asked += 1
        if direction == OLDER:
            start = self.top if anchor is None else anchor - 1
            return list(range(start, max(0, start - limit), -1))
        start = 1 if anchor is None else anchor + 1
        return list(range(start, min(self.top, start + limit - 1) + 1))

    def count(self) -> int:
        return self.top

    def newest(self) -> int | None:
        return self.top or None


def test_every_row_of_a_source_is_where_it_belongs() -> None:
    source = Numbers(PAGE * 5 + 17)
    rows = KeysetRows(source, key=int)
    for index in (0, PAGE * 5 + 16, PAGE * 2, 5, PAGE * 5, PAGE * 4 - 1):
        assert rows.at(index) == source.top - index
        assert rows.find(source.top - index) == index
    assert rows.at(source.top) is None


def test_the_end_is_one_page_away_and_little_is_held() -> None:
    source = Numbers(1_000_000)
    rows = KeysetRows(source, key=int)
    assert rows.at(999_999) == 1
    assert source.asked == 1
    for index in range(0, PAGE * 80, PAGE):
        rows.at(index)
    assert len(rows._pages) == PAGES_KEPT
    asked = source.asked
    rows.at(PAGE * 40)
    assert source.asked <= asked + 1, "the way back is remembered"


@given(st.integers(1, 2000), st.integers(0, 600), st.integers(0, 1999))
def test_a_record_is_found_again_after_growth(top: int, grown: int, index: int) -> None:
    source = Numbers(top)
    rows = KeysetRows(source, key=int)
    index %= top
    key = rows.key(index)
    source.top += grown
    assert rows.look_again(find=key, near=index) == index + grown


RECORDS = [{"id": n, "state": "held" if n % 2 else "open", "name": f"pkg-{n}"} for n in range(20)]


WORDS = {
    "": 20,
    "state:held": 10,
    "-state:held": 10,
    "state:held,open": 20,
    "pkg-1": 11,
    "state:held pkg-1": 6,
    "PKG-19": 1,
}


@pytest.mark.parametrize(("words", "count"), WORDS.items())
def test_words_and_fields_narrow_a_list(words: str, count: int) -> None:
    rows = ListRows(RECORDS, key=lambda one: int(one["id"]), record=lambda one: one)
    rows.filter(words)
    assert rows.count() == count
    assert rows.total == 20


def test_order_and_filter_hold_when_the_records_are_replaced() -> None:
    rows = ListRows(RECORDS, key=lambda one: int(one["id"]), record=lambda one: one)
    rows.filter("state:held")
    rows.sort(lambda one: one["id"], descending=True)
    rows.replace([*RECORDS, {"id": 99, "state": "held", "name": "x"}])
    assert [rows.key(at) for at in range(3)] == [99, 19, 17]
    assert rows.find(17) == 2
    assert rows.find(18) == -1
