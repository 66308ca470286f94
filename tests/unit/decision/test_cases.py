"""The case book of the decision path: every row gets the verdict that the book says bk must give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.decision import House, rows

ROWS = list(rows("decision.jsonl"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_row(house: House, row: dict[str, Any]) -> None:
    verdict = house.decide(row["tool"], row["input"]).verdict
    # a warning may be a question where the client can ask one
    wanted = {"warn": {"warn", "ask"}}.get(row["expect"], {row["expect"]})
    assert verdict.level.word in wanted, f"{row['input']}: {row['why']}; {verdict.reason or 'nothing found'}"


def test_the_book_is_whole() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS) >= 600
