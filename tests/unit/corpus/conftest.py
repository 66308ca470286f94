"""The house of the corpus's tests: made once, because compiling the rules takes longer than a test, and then copied."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.state import State
from tests.unit.corpus.house import House
from tests.unit.corpus.machine import Machine


@pytest.fixture(scope="session")
def built() -> Iterator[Path]:
    """An installation that has decided something, and whose ledger and corpus are empty of it."""
    home = Path(tempfile.mkdtemp(dir="/tmp", prefix="bk"))
    state = State(f"{home}/.bk", str(home), os.geteuid())
    state.ensure()
    House(state).judge("ls")
    yield Path(state.root)
    shutil.rmtree(home)


@pytest.fixture
def placed(built: Path, short_dir: Path) -> State:
    """A copy of it in a home of its own."""
    home = short_dir / "home"
    home.mkdir()
    shutil.copytree(built, home / ".bk")
    state = State(f"{home}/.bk", str(home), os.geteuid())
    state.ensure()
    return state


@pytest.fixture
def house(placed: State) -> House:
    """An installation whose index knows three sources that list nothing yet."""
    return House(placed)


@pytest.fixture
def machine(placed: State) -> Machine:
    """The same with a project."""
    return Machine(placed)
