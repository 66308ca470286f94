"""The gate opens for a person alone, closes by itself, and asks again before it opens again."""

from __future__ import annotations

from bk.tui.gate import ADMIN, LOCKED, READ_ONLY, Gate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_locks_after_a_while_without_a_key() -> None:
    clock = Clock()
    gate = Gate("", clock=clock, idle=600)
    assert gate.state == ADMIN
    clock.now = 500
    gate.touch()
    clock.now = 1099
    assert not gate.tick()
    clock.now = 1100
    assert gate.tick()
    assert not gate.tick(), "it is said once"
    assert (gate.state, gate.open) == (LOCKED, False)
    assert "L" in gate.sentence
    assert gate.unlock() == ""
    assert gate.open


def test_touching_a_locked_gate_does_not_open_it() -> None:
    gate = Gate("")
    gate.lock()
    gate.touch()
    assert not gate.open


def test_whoever_may_not_act_is_told_why_and_stays_out() -> None:
    gate = Gate("there is no controlling terminal")
    gate.lock()
    assert gate.state == READ_ONLY
    assert gate.unlock() == "there is no controlling terminal"
    assert "no controlling terminal" in gate.sentence
    assert not gate.open


def test_the_engine_is_asked_again_at_each_unlocking() -> None:
    answers = iter(["an agent started this", ""])
    gate = Gate("", again=lambda: next(answers))
    gate.lock()
    assert gate.unlock() == "an agent started this"
    assert gate.state == READ_ONLY
    assert gate.unlock() == ""
    assert gate.open
