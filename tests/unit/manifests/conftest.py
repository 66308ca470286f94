from __future__ import annotations

import pytest

from bk.engine.state import State
from tests.unit.manifests import Project


@pytest.fixture
def project(state: State) -> Project:
    return Project(state)
