from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.index import records as synthetic
from bk.engine.errors import BkError, Refusal
from bk.engine.intel import bundle, generations
from bk.engine.intel.index import Index
from bk.engine.intel.record import Record
from bk.engine.state import State

from .samples import record


def made(state: State, name: str, origin: str = "live") -> generations.Generation:
    return generations.activate(state, [record(name)], {"sources": {}}, origin)


def numbers(state: State) -> list[int]:
    return [each.number for each in generations.listed(state)]


def listed(state: State, name: str) -> bool:
    index = Index.open(bundle.ensure(state))
    try:
        return bool(index.lookup("npm", name))
    finally:
        index.close()


def test_a_generation_says_what_it_is(state: State) -> None:
    assert generations.in_force(state) is None
    assert generations.listed(state) == []
    bundle.ensure(state)
    one = made(state, "one")
    assert (one.number, one.origin, one.damage) == (2, "live", "")
    assert one.built.endswith("Z")
    found = generations.in_force(state)
    assert found is not None
    assert (found.number, found.path, found.built) == (2, one.path, one.built)
    assert [each.origin for each in generations.listed(state)] == ["bundled", "live"]
    assert listed(state, "one")


def test_three_are_kept(state: State) -> None:
    paths = [bundle.ensure(state), *(made(state, name).path for name in "abcd")]
    assert [os.path.exists(path) for path in paths] == [False, False, True, True, True]
    assert numbers(state) == [3, 4, 5]
    assert sorted(os.listdir(state.intel)) == ["current", *map(os.path.basename, paths[2:]), "lock"]


def test_going_back_and_forth(state: State) -> None:
    for name in "abc":
        made(state, name)
    back = generations.rollback(state)
    assert back.number == 2
    assert listed(state, "b")
    assert not listed(state, "c")
    assert generations.rollback(state).number == 1
    assert generations.rollback(state, 3).number == 3
    assert listed(state, "c")
    with pytest.raises(BkError, match="no such generation"):
        generations.rollback(state, 9)
    assert numbers(state) == [1, 2, 3]


def test_going_back_from_the_first_is_an_error(state: State) -> None:
    made(state, "a")
    with pytest.raises(BkError, match="no whole generation"):
        generations.rollback(state)
    assert listed(state, "a")


def test_what_was_gone_back_from_is_dropped_and_its_number_not_given_again(state: State) -> None:
    for name in "abc":
        made(state, name)
    generations.rollback(state, 2)
    assert made(state, "d").number == 4
    assert numbers(state) == [1, 2, 4]
    for name in "efg":  # generations that fail their self-check one after the other cost no good one
        made(state, name)
        generations.rollback(state, 4)
    assert numbers(state)[:3] == [1, 2, 4] or numbers(state)[:2] == [2, 4]
    assert listed(state, "d")


def test_a_damaged_generation_is_named_and_passed_over(state: State) -> None:
    paths = [made(state, name).path for name in "abc"]
    with open(paths[1], "r+b") as file:
        file.truncate(os.path.getsize(paths[1]) - 1)
    assert [bool(each.damage) for each in generations.listed(state)] == [False, True, False]
    with pytest.raises(Refusal):
        generations.rollback(state, 2)
    assert listed(state, "c")
    assert generations.rollback(state).number == 1
    assert listed(state, "a")


def test_damage_in_force_blocks_and_going_back_mends_it(state: State) -> None:
    good, bad = made(state, "a"), made(state, "b")
    data = Path(bad.path).read_bytes()
    Path(bad.path).write_bytes(data[:-3] + b"???")
    with pytest.raises(Refusal) as caught:
        generations.verify(bad)
    assert "bk catalogs rollback" in caught.value.next_step
    assert "bk catalogs rebuild" in caught.value.next_step
    assert generations.rollback(state).number == good.number
    Path(good.path).write_bytes(b"")
    found = generations.in_force(state)
    assert found is not None
    assert "empty" in found.damage


def test_going_back_works_without_a_pointer(state: State) -> None:
    for name in "ab":
        made(state, name)
    os.unlink(f"{state.intel}/current")
    with pytest.raises(Refusal):
        bundle.ensure(state)
    assert generations.rollback(state).number == 2
    assert listed(state, "b")


def test_an_upgrade_does_not_compile_the_bundle_over_what_a_person_went_back_to(state: State) -> None:
    first = bundle.ensure(state)
    made(state, "a")
    assert generations.rollback(state).path == first
    assert bundle.ensure(state) == first


def test_a_build_that_fails_leaves_what_was_in_force(state: State) -> None:
    made(state, "a")

    def broken() -> Iterator[Record]:
        yield record("fine")
        raise ValueError("a source is broken")

    with pytest.raises(ValueError, match="a source is broken"):
        generations.activate(state, broken(), {}, "live")
    assert numbers(state) == [1]
    assert sorted(os.listdir(state.intel)) == ["current", "generation-000001.index", "lock"]
    assert listed(state, "a")


def test_leftovers_of_killed_builds_are_cleaned_and_running_builds_are_not(state: State) -> None:
    made(state, "a")
    left = [f"{state.intel}/next.{pid}.0.new" for pid in (1, 2, 3)]
    for path in left:
        Path(path).write_bytes(bytes(100))
    victim = Path(state.root, "victim")
    victim.write_text("kept")
    os.symlink(victim, f"{state.intel}/next.4.0.new")
    os.symlink(victim, f"{state.intel}/current.new")
    Path(state.intel, "generation-000009.index").write_bytes(b"half")
    with open(left[1], "rb") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        new = made(state, "b")
    assert new.number == 10
    assert numbers(state) == [1, 10], "what was never in force is no generation to keep"
    assert [os.path.lexists(path) for path in left] == [False, True, False]
    assert victim.read_text() == "kept"
    assert not any(os.path.islink(f"{state.intel}/{name}") for name in os.listdir(state.intel))


def test_a_planted_name_is_neither_followed_nor_a_way_to_stop_builds(state: State) -> None:
    made(state, "a")
    victim = Path(state.root, "victim")
    victim.write_text("kept")
    for again in range(3):
        os.symlink(victim, f"{state.intel}/next.{os.getpid()}.{again}.new")
    os.mkfifo(f"{state.intel}/next.77.0.new")
    assert made(state, "b").number == 2
    assert victim.read_text() == "kept"
    assert listed(state, "b")
    assert not [name for name in os.listdir(state.intel) if name.endswith(".new")]


def test_a_lock_that_is_a_link_is_refused(state: State) -> None:
    made(state, "a")
    os.unlink(f"{state.intel}/lock")
    os.symlink("/etc/passwd", f"{state.intel}/lock")
    with pytest.raises(BkError):
        made(state, "b")
    assert listed(state, "a")
    assert not [name for name in os.listdir(state.intel) if name.endswith(".new")]


def test_builders_at_once_all_end_in_whole_generations(state: State) -> None:
    builder = """
import os, sys
from bench.index import records
from bk.engine.intel import generations
from bk.engine.state import State
state = State(sys.argv[1], sys.argv[2], os.geteuid())
for _ in range(3):
    print(generations.activate(state, records(400), {}, "live").number)
"""
    running = [
        subprocess.Popen([sys.executable, "-c", builder, state.root, state.home], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    given = [int(number) for process in running for number in process.communicate(timeout=60)[0].split()]
    assert sorted(given) == list(range(1, 13))
    assert numbers(state) == [10, 11, 12]
    for each in generations.listed(state):
        generations.verify(each)
    assert len(os.listdir(state.intel)) == 5


def test_a_build_holds_nobody_up(state: State) -> None:
    """Calls, an upgrade of the bundle and going back go on while a generation is being built."""
    bundle.ensure(state)
    made(state, "a")
    started, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Record]:
        yield record("slow")
        started.set()
        assert go_on.wait(30)

    thread = threading.Thread(target=lambda: generations.activate(state, slow(), {}, "live"))
    thread.start()
    assert started.wait(30)
    before = time.monotonic()
    generations.rollback(state)
    Path(state.intel, "current").write_text(f"generation-000001.index\n{bundle.BUNDLED}\n1.1\n")
    assert listed(state, "axios")
    assert time.monotonic() - before < 10
    go_on.set()
    thread.join()
    assert listed(state, "slow")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_leaves_what_was_in_force(short_dir: Path) -> None:
    place = short_dir / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place)], check=True)
    try:
        state = State(f"{place}/.bk", str(place), os.geteuid())
        state.ensure()
        made(state, "a")
        ballast = Path(state.root, "ballast")
        failed, said = 0, set()
        for free in range(0, 320, 16):  # in KiB: no room for anything, for what is spilled, the index, the pointer
            room = os.statvfs(place)
            ballast.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - free * 1024)))
            try:
                generations.activate(state, synthetic(2_000), {}, "live")
            except BkError as error:
                said.add(error.next_step.split(" or")[0])
                assert listed(state, "a")
                failed += 1
            else:
                generations.rollback(state, 1)
            ballast.unlink()
            assert not [name for name in os.listdir(state.intel) if name.startswith("next")]
        assert 2 < failed < 20
        assert said == {"free the disk"}
        for number in numbers(state)[1:]:
            os.unlink(f"{state.intel}/generation-{number:06}.index")
        room = os.statvfs(place)
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize))
        made_before = numbers(state)
        with pytest.raises(BkError):
            made(state, "b")
        assert numbers(state) == made_before
        ballast.unlink()
        assert made(state, "b").number == 2
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a disk that cannot be written")
def test_a_disk_that_cannot_be_written_leaves_what_was_in_force(short_dir: Path) -> None:
    place = short_dir / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(place)], check=True)
    try:
        state = State(f"{place}/.bk", str(place), os.geteuid())
        state.ensure()
        made(state, "a")
        made(state, "b")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        for attempt in (lambda: made(state, "c"), lambda: generations.rollback(state)):
            with pytest.raises(BkError):
                attempt()
        assert listed(state, "b"), "calls need no writing"
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
