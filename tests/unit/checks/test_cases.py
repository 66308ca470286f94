"""Every recorded case gets exactly the verdict that is recorded with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.checks import PROJECT, cases, decided

BOOKS = ("paths", "selfguard", "destroy", "exfiltration", "shells", "egress")
ALL = [case for book in BOOKS for case in cases(f"{book}.jsonl")]


@pytest.mark.parametrize("case", ALL, ids=[case["id"] for case in ALL])
def test_case(case: dict[str, Any]) -> None:
    verdict = decided(case["input"], case["tool"], case.get("cwd", PROJECT))
    assert verdict.level.word == case["expect"], f"{case['input']}: {case['why']}; {verdict.reason}"


def test_cases_are_many_and_distinct() -> None:
    assert len({case["id"] for case in ALL}) == len(ALL)
    assert sum(case["id"].startswith("path-") for case in ALL) >= 150
    assert sum(case["id"].startswith("self-") for case in ALL) >= 70
    assert {case["expect"] for case in ALL} == {"allow", "warn", "ask", "block"}


def test_what_is_not_allowed_says_why_and_what_to_do() -> None:
    for case in ALL:
        verdict = decided(case["input"], case["tool"], case.get("cwd", PROJECT))
        if verdict.level:
            assert verdict.reason, case
            assert verdict.instead, case
