"""Shared fixtures, and the rule that a test which could run here may not be skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.state import State
from tests import width

for _name in [n for n in os.environ if n == "NO_COLOR" or n.startswith(("TEXTUAL_", "BK_", "CLAUDE"))]:
    if not _name.startswith(("TEXTUAL_SNAPSHOT", "BK_LIVE")):  # set before workers start: the snapshots', the lab's
        del os.environ[_name]

MAVEN = ".m2/repository/org/apache/maven/maven-artifact/3.9.*/maven-artifact-3.9.*.jar"
# reason prefix -> whether this machine really lacks it
LACKS = {
    "needs root": lambda: os.geteuid() != 0,
    "needs a C compiler": lambda: not any(shutil.which(name) for name in ("cc", "gcc", "clang")),
    "needs npm's own semver": lambda: not all(shutil.which(name) for name in ("node", "npm")),
    "needs npm": lambda: shutil.which("npm") is None,
    "needs dpkg": lambda: shutil.which("dpkg") is None,
    "needs Maven 3.9": lambda: shutil.which("java") is None or not any(Path.home().glob(MAVEN)),
    "needs cargo": lambda: not all(shutil.which(name) for name in ("cargo", "cc")),
    "needs tmux": lambda: shutil.which("tmux") is None,
    "needs a headless browser": lambda: not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    "needs node": lambda: shutil.which("node") is None,
    "needs the client, which did not install": lambda: True,
    "needs network namespaces": lambda: os.geteuid() != 0 or shutil.which("unshare") is None,
    "needs an ordinary user": lambda: os.geteuid() == 0,
    "needs the address sanitizer": lambda: True,
}
_wrongly_skipped: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    if "not long" not in config.getoption("markexpr"):
        width.Search.everything = True


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Long values go by the name of their parameter.

    A made archive carries the time of day: as a name it would differ between the two workers, and a page of it
    tells nobody anything."""
    return argname if isinstance(val, str | bytes) and len(val) > 60 else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not any(reason.startswith(prefix) and lacks() for prefix, lacks in LACKS.items()):
            _wrongly_skipped.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _wrongly_skipped and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _wrongly_skipped:
        terminalreporter.write_line(f"skipped although it could run here: {line}", red=True)


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A directory with a path short enough for a Unix socket."""
    path = Path(tempfile.mkdtemp(dir="/tmp", prefix="bk"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; needs root."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def state(short_dir: Path) -> State:
    """A fresh installation in a short path, directories made."""
    home = short_dir / "home"
    home.mkdir()
    made = State(f"{home}/.bk", str(home), os.geteuid())
    made.ensure()
    return made
