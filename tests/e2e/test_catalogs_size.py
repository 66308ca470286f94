"""The real world's size: half a million packages through the real worker, within a gigabyte, beside a deciding call."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.intel import compact
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse
from tests.feeds.server import FeedServer

PACKAGES = 500_000
GIGABYTE_KB = 1 << 20


def everything(path: Path) -> None:
    """Facts of half a million packages with four versions each, split like the real data."""
    dice = random.Random(1)
    lines = []
    for number in range(PACKAGES):
        ecosystem = "npm" if dice.random() < 0.93 else "pypi"
        scope = f"@scope{number % 999}/" if ecosystem == "npm" and number % 3 == 0 else ""
        listed = sorted({f"{dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(90)}" for _ in range(4)})
        columns = (ecosystem, f"{scope}pkg-{number}", "exact", "critical", "ossf", "pinned_origin",
                   f"MAL-2026-{number}", "2026-05-01", "osv", " ".join(listed))  # fmt: skip
        lines.append("\t".join(columns))
    path.write_text("\n".join((compact.HEAD, *sorted(lines), "")))


@pytest.mark.long
def test_half_a_million_packages_twice_within_a_gigabyte(state: State, tmp_path: Path) -> None:
    with FeedServer() as feed:
        house = CatalogHouse(state, feed)
        house.settings()
    path = tmp_path / "all.facts"
    everything(path)
    for turn in (1, 2):
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "bk.engine.catalogs.worker", "import", str(path), "--vouch", "a test"],
            env=house.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        assert used.ru_maxrss <= GIGABYTE_KB, turn
        with path.open() as file:
            lines = file.readlines()
        columns = next(line for line in lines if line.startswith("npm\tpkg-")).split("\t")
        assert house.install(f"{columns[1]}@{columns[-1].split()[-1]}") == "block"
        path.write_text("".join(line for line in lines if f"\t{columns[1]}\t" not in line))
    assert house.row("import-facts-all").packages["npm"] > 460_000
