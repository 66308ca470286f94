"""What the engine puts on record: each thing once, however often it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.ledger.store import Ledger
from bk.engine.own import verify
from bk.engine.own.news import news
from bk.engine.state import State
from tests.unit.own import DAY, Machine, Publisher, listed


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


@pytest.fixture
def machine(state: State, publisher: Publisher) -> Machine:
    return Machine(state, publisher.key)


def recorded(machine: Machine, at: int = 0) -> list[str]:
    """What an engine that starts now adds to the ledger."""
    made = news(machine.state, machine.prove(), at or verify.now())
    ledger = Ledger.open(machine.state)
    try:
        if made:
            ledger.append(made, sync=True)
    finally:
        ledger.close()
    return [f"{entry.level}:{entry.data['incident']}" for entry in made]


def test_nothing_is_told_of_a_release_that_is_not_listed(machine: Machine, publisher: Publisher) -> None:
    assert recorded(machine) == []
    publisher.publish()
    machine.take(publisher.folder)
    assert recorded(machine) == []


def test_a_listing_is_told_once_and_a_new_one_again(machine: Machine, publisher: Publisher) -> None:
    publisher.publish(listed("A"))
    machine.take(publisher.folder)
    assert recorded(machine) == ["block:self-listed"]
    assert recorded(machine) == []
    publisher.publish(listed("B"))
    machine.take(publisher.folder)
    assert recorded(machine) == ["block:self-listed"]


def test_a_copy_that_cannot_be_trusted_is_told_once(machine: Machine, publisher: Publisher) -> None:
    publisher.publish()
    machine.take(publisher.folder)
    (machine.own / "bk-self.note").write_bytes(b"x")
    assert recorded(machine) == ["block:self-refused"]
    assert recorded(machine) == []
    (machine.own / "bk-self.note").unlink()
    assert recorded(machine) == ["block:self-refused"], "missing is another matter than altered"


def test_an_expired_list_is_told_once_for_each_serial(machine: Machine, publisher: Publisher) -> None:
    now = verify.now()
    publisher.publish(days=3)
    machine.take(publisher.folder)
    assert recorded(machine, now + 2 * DAY) == []
    assert recorded(machine, now + 4 * DAY) == ["warn:self-expired"]
    assert recorded(machine, now + 5 * DAY) == []
