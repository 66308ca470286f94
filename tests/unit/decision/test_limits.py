"""Whatever a call holds, and whatever is wrong with us, there is an answer in time, and it is a no."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest

import bk.engine.decide
from bk.engine.facts import Facts
from bk.engine.model import Action, Finding, Level
from tests.unit.decision import House

DEADLINE_S = 4.7


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(
    "command",
    [
        "(" * 10_000 + "ls" + ")" * 10_000,
        "echo " + "$(" * 10_000 + "ls" + ")" * 10_000,
        "a;" * 524_288,
        "x" * (1 << 20) + " ; rm -rf ~",
        "if true; then " * 5_000 + "ls" + "; fi" * 5_000,
        "{ " * 10_000 + "ls" + "; }" * 10_000,
    ],
    ids=["parentheses", "substitutions", "one MiB of commands", "one MiB word", "conditions", "groups"],
)
def test_a_monster_is_refused_in_time(house: House, command: str) -> None:
    started = time.process_time()
    verdict = house.decide("Bash", {"command": command}).verdict
    assert time.process_time() - started < DEADLINE_S
    assert verdict.level.denies
    assert verdict.reason
    assert len(verdict.reason) < 4000


@pytest.mark.parametrize(
    "defect", [NameError("x"), AssertionError(), ZeroDivisionError(), RuntimeError("x"), KeyError(1)]
)
def test_a_defect_of_ours_denies(house: House, defect: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_actions: Sequence[Action], _facts: Facts) -> Iterator[Finding]:
        raise defect
        yield  # a check is a generator

    monkeypatch.setattr(bk.engine.decide, "CHECKS", (broken,))
    judgement = house.decide("Bash", {"command": "ls"})
    assert judgement.verdict.level == Level.BLOCK
    assert judgement.verdict.failure == "internal"
    assert type(defect).__name__ in judgement.verdict.reason
