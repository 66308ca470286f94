"""Only where BK_LIVE is set: real clients cost gigabytes and minutes. Every result becomes a line of a file.

With several workers each client stays on one (`--dist loadgroup`): its runs without the guard are shared by its cases.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime

import pytest

from tests.live.cases import record
from tests.live.packages import TOOLS
from tests.live.stage import RUNS

collect_ignore = [] if os.environ.get("BK_LIVE") else ["test_live.py"]
RESULTS = TOOLS.parent / "results.jsonl"
BEGUN = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pytest_sessionstart(session: pytest.Session) -> None:
    wanted = os.environ.get("BK_LIVE") and not session.config.option.collectonly
    if wanted and "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(RUNS, ignore_errors=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    told = {"run": BEGUN, **dict(report.user_properties)}
    if "case" not in told or "PYTEST_XDIST_WORKER" in os.environ:
        return
    if report.when == "call" or (report.when == "setup" and not report.passed):
        row = {**told, "result": "passed" if report.passed else "not verified" if report.skipped else "failed"}
        row |= {"seconds": round(report.duration, 1), "date": datetime.now(UTC).strftime("%Y-%m-%d")}
        record(RESULTS, row)
