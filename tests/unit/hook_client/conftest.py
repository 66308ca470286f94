"""Every test here runs against both clients: they must not be told apart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.hook_client.stand import Installation, compiled, dead_end


@pytest.fixture(scope="session")
def binary() -> Iterator[Path | None]:
    target, _ = compiled()
    yield target
    if target is not None:
        shutil.rmtree(target.parent)


@pytest.fixture(params=["native", "python"])
def client(request: pytest.FixtureRequest, binary: Path | None) -> Iterator[Installation]:
    if request.param == "native" and binary is None:
        pytest.skip("needs a C compiler")
    folder = dead_end()
    yield Installation(request.param, folder, binary if request.param == "native" else None)
    shutil.rmtree(folder)


@pytest.fixture
def both(binary: Path | None) -> Iterator[list[Installation]]:
    """The two clients in turn on one home and one folder's name, so that even paths in reasons agree."""
    if binary is None:
        pytest.skip("needs a C compiler")
    folder = dead_end()
    yield [Installation("native", folder, binary), Installation("python", folder, None)]
    shutil.rmtree(folder)
