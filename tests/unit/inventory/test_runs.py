"""Runs: what the next one may skip and what it may not, kills, two at once, and what two runs prove together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.inventory import proof, store
from bk.engine.inventory import walk as walking
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.place import GONE, stamp_of
from bk.engine.inventory.run import COMPLETE, ERROR, PARTIAL, RUNNING, Run
from bk.engine.inventory.scan import diff, scan
from tests.unit.inventory.layouts import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written just now count as settled, as they would two seconds later."""
    monkeypatch.setattr(proof, "SETTLED_NS", 0)


def look(home: Home, **more: object) -> Run:
    return scan(home.state, profile="project", roots=[str(home.path)], env={}, **more)  # type: ignore[arg-type]


def names(home: Home, run: Run) -> list[str]:
    return sorted(f"{item.name}@{item.version}" for item in store.items(home.state, run))


def package(home: Home, folder: str, name: str, version: str = "1.0.0") -> None:
    home.put(f"{folder}/package.json", {"name": name, "version": version})


def planted(home: Home, count: int = 3) -> None:
    for number in range(count):
        package(home, f"work/app{number}/node_modules/p{number}", f"p{number}")


@pytest.mark.usefixtures("settled")
def test_an_unchanged_tree_is_not_read_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(home)
    first = look(home)
    read: list[str] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: (read.append(os.fspath(path)), real(path, *a, **k))[1])
    second = look(home)
    monkeypatch.undo()
    assert (first.reused, second.reused) == (0, first.directories)
    assert not [path for path in read if path.endswith("package.json")]
    assert names(home, second) == names(home, first) == ["p0@1.0.0", "p1@1.0.0", "p2@1.0.0"]
    assert second.counts == first.counts == {"npm/installed": 3}


def test_what_changed_a_moment_ago_is_read_again(home: Home) -> None:
    planted(home)
    assert look(home).reused == 0
    assert look(home).reused == 0  # two seconds have not gone by: the file system's clock may not tell two writes apart


@pytest.mark.usefixtures("settled")
def test_a_rewrite_that_hides_its_size_and_times_is_seen(home: Home) -> None:
    planted(home)
    look(home)
    path = home.at("work/app1/node_modules/p1/package.json")
    info = os.stat(path)
    package(home, "work/app1/node_modules/p1", "p1", "6.6.6")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert (os.stat(path).st_size, os.stat(path).st_mtime_ns) == (info.st_size, info.st_mtime_ns)
    run = look(home)
    assert names(home, run) == ["p0@1.0.0", "p1@6.6.6", "p2@1.0.0"]
    assert run.reused == run.directories - 1


def _removed(home: Home) -> None:
    os.rename(home.at("work/app1"), home.at(".gone"))
    for folder, folders, files in os.walk(home.at(".gone"), topdown=False):
        for name in files:
            os.unlink(f"{folder}/{name}")
        for name in folders:
            os.rmdir(f"{folder}/{name}")
    os.rmdir(home.at(".gone"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda home: package(home, "work/new/deep/node_modules/n", "n"),
            ["n@1.0.0", "p0@1.0.0", "p1@1.0.0", "p2@1.0.0"],
        ),
        (_removed, ["p0@1.0.0", "p2@1.0.0"]),
        (lambda home: os.rename(home.at("work"), home.at("moved")), ["p0@1.0.0", "p1@1.0.0", "p2@1.0.0"]),
        (
            lambda home: (os.rename(home.at("work/app0"), home.at("x")), os.symlink("../x", home.at("work/app0"))),
            ["p0@1.0.0", "p1@1.0.0", "p2@1.0.0"],
        ),
    ],
)
@pytest.mark.usefixtures("settled")
def test_changes_between_directories_are_seen(
    home: Home, change: Callable[[Home], object], expected: list[str]
) -> None:
    planted(home)
    look(home)
    change(home)
    assert names(home, look(home)) == expected


@pytest.mark.parametrize("jump", [-10 * 365 * 86_400, 10 * 365 * 86_400])
@pytest.mark.usefixtures("settled")
def test_a_clock_that_jumps_costs_a_reading_and_no_truth(
    home: Home, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    planted(home)
    real = time.time_ns
    monkeypatch.setattr(walking, "time_ns", lambda: real() + jump * 10**9)
    first = look(home)
    package(home, "work/app1/node_modules/p1", "p1", "2.0.0")
    second = look(home)
    assert names(home, second) == ["p0@1.0.0", "p1@2.0.0", "p2@1.0.0"]
    third = look(home)
    assert names(home, third) == names(home, second)
    if jump < 0:  # everything on disk is from the future, so nothing is settled
        assert (first.reused, second.reused, third.reused) == (0, 0, 0)
    monkeypatch.undo()
    assert names(home, look(home)) == names(home, second)


@pytest.mark.usefixtures("settled")
def test_a_bound_that_is_met_leaves_no_proof_behind(home: Home) -> None:
    for number in range(8):
        package(home, f"work/node_modules/p{number}", f"p{number}")
    cut = look(home, limits=Limits(items=3))
    assert (cut.status, cut.total) == (PARTIAL, 3)
    whole = look(home)
    assert (whole.status, whole.total) == (COMPLETE, 8)


@pytest.mark.usefixtures("settled")
def test_problems_are_told_again_by_a_run_that_reads_nothing(home: Home) -> None:
    home.put("work/node_modules/broken/package.json", "{")
    first, second = look(home), look(home)
    assert first.status == second.status == PARTIAL
    assert first.problems == second.problems != []
    assert second.reused == second.directories


def test_a_proof_covers_what_lies_beside_its_directory(tmp_path: Path) -> None:
    for name in ("place", "place-beside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    own, beside = str(tmp_path / "place"), str(tmp_path / "place-beside/file")
    paths = (own, f"{own}/file", beside, f"{own}/missing")
    stamps = {path: stamp_of(os.lstat(path)) if os.path.exists(path) else GONE for path in paths}
    made = proof.Proof.of(own, stamps, time.time_ns() + 10 * proof.SETTLED_NS)
    assert made.holds(own, stamps[own])
    with open(beside, "a", encoding="ascii") as file:
        file.write("!")
    assert not made.holds(own, stamps[own])


_KILLED = """
import os, signal, sys
from bk.engine.inventory import proof, store, walk
from bk.engine.inventory.scan import scan
from bk.engine.state import State
proof.SETTLED_NS = 0
store.COMMIT_EVERY = walk.TOLD_EVERY = 2
home, after = sys.argv[1], int(sys.argv[2])
def tell(directories, found, path):
    if directories >= after:
        os.kill(os.getpid(), signal.SIGKILL)
scan(State(home + "/.bk", home, os.geteuid()), profile="project", roots=[home], env={}, tell=tell)
"""


@pytest.mark.parametrize("after", [1, 9, 21])
@pytest.mark.usefixtures("settled")
def test_the_run_after_a_killed_one_goes_on_from_there(home: Home, after: int) -> None:
    planted(home, 20)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(home.path), str(after)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    [left] = store.runs(home.state)
    assert left.status == RUNNING
    assert store.latest(home.state) is None
    run = look(home)
    assert (run.status, run.total) == (COMPLETE, 20)
    assert run.reused >= after - 4
    assert [(one.id, one.status) for one in store.runs(home.state)] == [(run.id, COMPLETE), (left.id, ERROR)]


def test_an_interrupted_run_says_so(home: Home) -> None:
    planted(home)

    def stop(_directories: int, _found: int, _path: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(home, tell=stop)
    [run] = store.runs(home.state)
    assert (run.status, run.why) == (ERROR, "it was interrupted")
    assert look(home).status == COMPLETE


def test_two_scans_at_once_take_turns(home: Home) -> None:
    planted(home, 40)
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(look(home))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [(run.status, run.total) for run in runs] == [(COMPLETE, 40)] * 3


def test_a_scan_that_waits_too_long_says_for_what(home: Home) -> None:
    planted(home)
    inside: list[str] = []

    def tell(_directories: int, _found: int, _path: str) -> None:
        with pytest.raises(BkError) as caught:
            look(home, wait=0.1)
        inside.append(caught.value.title)

    assert look(home, tell=tell).status == COMPLETE
    assert set(inside) == {"another scan is running"}


@pytest.mark.usefixtures("settled")
def test_what_two_runs_differ_in(home: Home) -> None:
    planted(home)
    a = look(home)
    package(home, "work/app0/node_modules/p0", "p0", "2.0.0")
    package(home, "work/app1/node_modules/new", "new")
    home.put("work/app2/package.json", {"name": "app2", "dependencies": {"p2": "1"}})
    b = look(home)
    told = diff(home.state, a, b)
    assert sorted((item.name, item.version) for item in told.added) == [("new", "1.0.0"), ("p0", "2.0.0")]
    assert [(item.name, item.version) for item in told.gone] == [("p0", "1.0.0")]
    assert [(was.direct, now.direct) for was, now in told.changed if was.name == "p2"] == [(None, True)]
    assert told.proven
    same = diff(home.state, b, b)
    assert (same.added, same.gone, same.changed) == ([], [], [])


@pytest.mark.usefixtures("settled")
def test_only_a_complete_run_over_the_same_roots_proves_absence(home: Home) -> None:
    planted(home)
    a = look(home)
    narrow = scan(home.state, profile="project", roots=[home.at("work/app1")], env={})
    assert narrow.status == COMPLETE
    assert len(diff(home.state, a, narrow).gone) == 2
    assert not diff(home.state, a, narrow).proven
    cut = look(home, limits=Limits(seconds=0))
    assert cut.status == PARTIAL
    assert not diff(home.state, a, cut).proven
    assert store.latest(home.state) is not None
    assert [run.id for run in (store.latest(home.state), store.latest(home.state, complete=True)) if run] == [
        cut.id,
        narrow.id,
    ]


@pytest.mark.usefixtures("settled")
def test_old_runs_are_forgotten_and_what_new_ones_share_with_them_is_not(home: Home) -> None:
    planted(home)
    for number in range(store.KEEP_RUNS + 5):
        package(home, "work/app0/node_modules/p0", "p0", f"{number}.0.0")
        run = look(home)
    assert len(store.runs(home.state, 100)) == store.KEEP_RUNS
    assert names(home, run) == [f"p0@{number}.0.0", "p1@1.0.0", "p2@1.0.0"]
    oldest = store.runs(home.state, 100)[-1]
    assert len(names(home, oldest)) == 3
    with store.opened(home.state) as book:
        kept = book.execute("SELECT count(*) FROM snapshots").fetchone()[0]
    assert kept == store.KEEP_RUNS + 2


def test_items_come_back_as_they_were_and_by_name(home: Home) -> None:
    planted(home, 5)
    run = look(home)
    assert [item.name for item in store.items(home.state, run, name="p3")] == ["p3"]
    assert list(store.items(home.state, run, name="p")) == []
    [item] = store.items(home.state, run.id, name="p3")
    assert item.plain()["artifact"] == {
        "kind": "dir",
        "path": home.at("work/app3/node_modules/p3"),
        "files": [],
        "pointer": "",
        "also": [],
    }


def test_a_file_that_is_no_inventory_is_said_to_be_none(home: Home) -> None:
    home.put(".bk/inventory.db", "these are no rows")
    with pytest.raises(BkError, match="the inventory cannot be opened"):
        look(home)


def test_the_inventory_is_its_owners_alone(home: Home) -> None:
    look(home)
    assert os.stat(store.path(home.state)).st_mode & 0o777 == 0o600


def test_a_project_scan_needs_a_root_and_profiles_have_names(home: Home) -> None:
    with pytest.raises(BkError, match="needs a root"):
        scan(home.state, profile="project", env={})
    with pytest.raises(BkError, match="no such profile"):
        scan(home.state, profile="everything", env={})
