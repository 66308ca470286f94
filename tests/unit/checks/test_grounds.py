"""Which ground a path lies on, from every spelling, for every kind of working directory."""

from __future__ import annotations

import pytest

from bk.engine.checks.grounds import Land
from bk.engine.config.schema import REGENERABLE

HOME = "/home/dev"
PROJECT = "/home/dev/project"


@pytest.mark.parametrize(
    ("path", "ground"),
    [
        ("/", "root"), ("/*", "root"), ("/etc", "system"), ("/etc/x/y", "system"), ("/e?c", "system"),
        ("/*/passwd", "system"), ("/usr/local/bin/x", "system"), ("/proc/1/mem", "system"), ("/opt", "system"),
        ("/opt/shop", "outside"), ("/srv/app", "outside"), ("/var/www/site", "outside"), ("/data", "outside"),
        ("/home", "above"), ("/home/*", "above"), (HOME, "home"), (f"{HOME}/*", "home"), (f"{HOME}/.*", "home"),
        ("/home/bob", "home"), ("/Users/bob", "home"), ("/root", "home"), ("/h*/dev", "home"),
        ("/C:/Users/bob", "home"), ("/mnt/c/Users/bob", "home"), (f"{HOME}/Documents", "personal"),
        (f"{HOME}/projects/other", "personal"), ("/home/bob/x", "personal"), (f"{HOME}/.cache/pip", "cache"),
        ("/var/cache/apt", "cache"), ("/var/lib/apt/lists", "cache"), (f"{HOME}/Library/Caches/x", "cache"),
        (PROJECT, "project"), (f"{PROJECT}/*", "project"), (f"{PROJECT}/.*", "project"), (f"{HOME}/proj*", "project"),
        (f"{PROJECT}/src", "source"), (f"{PROJECT}/src/*", "source"), (f"{PROJECT}/.git", "history"),
        (f"{PROJECT}/sub/.git/refs", "history"), (f"{PROJECT}/.svn", "history"), (f"{PROJECT}/dist", "made"),
        (f"{PROJECT}/a/node_modules/b", "made"), (f"{PROJECT}/x.pyc", "made"), (f"{PROJECT}/*.log", "made"),
        (f"{PROJECT}/NODE_MODULES", "made"), (f"{PROJECT}/cmake-build-debug", "made"),
        (f"{PROJECT}/distribution", "source"), (f"{PROJECT}-other", "personal"), ("/tmp", "temp"), ("/tmp/*", "temp"),
        ("/private/tmp", "temp"), ("/var/tmp", "temp"), ("/dev/shm", "temp"), ("/var/folders/a/b/T", "temp"),
        ("/tmp/x", "scratch"), ("/tmp/x/*", "scratch"), ("/private/var/folders/a/b/T/x", "scratch"),
        ("/C:/Users/bob/AppData/Local/Temp/x", "scratch"), ("/tmpfiles", "outside"), ("/dev/sda", "device"),
        ("/dev/mapper/vg", "device"), ("/dev/null", "scratch"), ("/mnt/c", "mount"), ("/c", "mount"), ("/C:", "mount"),
        ("/mnt/backup", "mount"), ("/Volumes/Data", "mount"), ("/mnt/backup/x", "outside"), ("/C:/Windows", "system"),
        ("/**/x", "unknown"), ("/**", "unknown"), ("/**/tmp", "unknown"), ("/**/etc/x", "unknown"),
        ("/**/node_modules", "made"),
    ],
)  # fmt: skip
def test_ground(path: str, ground: str) -> None:
    assert Land(HOME, PROJECT, REGENERABLE).of(path) == ground


@pytest.mark.parametrize("cwd", ["/", "/etc", "/usr/lib", HOME, "/home/bob", "/home", "/root", "/tmp", "/mnt/c"])
def test_what_is_no_project(cwd: str) -> None:
    land = Land(HOME, cwd, REGENERABLE)
    assert not land.project
    assert land.of(f"{cwd.rstrip('/')}/dist") != "made"


@pytest.mark.parametrize("cwd", ["/app", "/workspace/shop", "/tmp/work", "/srv/app", "/home/bob/shop", "/var/www/site"])
def test_what_is_a_project(cwd: str) -> None:
    land = Land(HOME, cwd, REGENERABLE)
    assert land.project
    assert land.of(cwd) == "project"
    assert land.of(f"{cwd}/dist") == "made"
    assert land.of(cwd.rpartition("/")[0] or "/") in ("above", "root", "temp", "home", "system")


@pytest.mark.parametrize(
    ("path", "ground"),
    [("/~", "home"), ("/~/build", "outside"), ("/tmp/x", "outside"), (f"{PROJECT}/dist", "outside"), ("/", "root")],
)
def test_elsewhere_there_is_no_project_and_no_temporary_ground(path: str, ground: str) -> None:
    assert Land(HOME, PROJECT, REGENERABLE).of(path, "ssh:host") == ground


def test_the_person_says_what_is_made_again() -> None:
    assert Land(HOME, PROJECT, []).of(f"{PROJECT}/dist") == "source"
    assert Land(HOME, PROJECT, ["Artifacts", "*.gen", "out-*"]).of(f"{PROJECT}/artifacts") == "made"
    assert Land(HOME, PROJECT, ["*.gen"]).of(f"{PROJECT}/x.gen") == "made"
    assert Land(HOME, PROJECT, ["out-*"]).of(f"{PROJECT}/out-1/x") == "made"
    assert Land(HOME, PROJECT, ["*"]).of(f"{PROJECT}/src") == "source"
