"""The real clients, each through every case that it can be put through."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.live.cases import CASES, lacking
from tests.live.clients import BY_NAME, CLIENTS
from tests.live.packages import missing

TIER = int(os.environ.get("BK_LIVE", "1"))
ROWS = [
    pytest.param(client.name, case, marks=pytest.mark.xdist_group(client.name), id=f"{client.name}-{case}")
    for client in sorted(CLIENTS, key=lambda each: each.weight, reverse=True)
    if client.tier <= TIER
    for case in CASES
    if not lacking(client, case)
]


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_the_client(name: str, case: str, record_property: Callable[[str, Any], None]) -> None:
    client = BY_NAME[name]
    for key, value in (("client", name), ("version", client.version), ("case", case)):
        record_property(key, value)
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs network namespaces of its own")
    if why := missing(client):
        pytest.skip(f"needs the client, which did not install: {why}")
    notes = CASES[case](client, case)
    record_property("notes", notes)
