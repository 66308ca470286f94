"""A move leaves no trace in the times of the folders around it, and hides no trace of anybody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.state import State
from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import extension, extension_wish, package, photograph, state_in, wish

LONG_AGO = 1_500_000_000_123_456_789


@pytest.fixture(params=["rename", "copy"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[State, Path]]:
    """A state directory and a place for projects, on one file system or on two."""
    state = state_in(tmp_path / "home")
    if request.param == "rename":
        yield state, tmp_path / "home"
        return
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    away = other / f"bk-times-{os.getpid()}"
    away.mkdir()
    yield state, away
    shutil.rmtree(away)


def aged(folder: Path) -> int:
    """A folder that was last changed long ago."""
    os.utime(folder, ns=(LONG_AGO, LONG_AGO))
    return folder.stat().st_mtime_ns


def test_the_folder_around_keeps_its_time(places: tuple[State, Path]) -> None:
    state, root = places
    folder = package(root / "project")
    time = aged(folder.parent)
    held = hold(state, wish(folder))
    assert folder.parent.stat().st_mtime_ns == time
    restore(state, held.ident)
    assert folder.parent.stat().st_mtime_ns == time


def test_a_project_is_what_it_was_to_the_last_time(places: tuple[State, Path]) -> None:
    state, root = places
    folder = package(root / "project")
    before = photograph(root / "project")
    restore(state, hold(state, wish(folder)).ident)
    assert photograph(root / "project") == before


def test_the_folder_of_a_registry_keeps_its_time(places: tuple[State, Path]) -> None:
    state, root = places
    folder = extension(root)
    time = folder.parent.stat().st_mtime_ns
    held = hold(state, extension_wish(folder))
    assert folder.parent.stat().st_mtime_ns == time
    restore(state, held.ident)
    assert folder.parent.stat().st_mtime_ns == time


@pytest.mark.parametrize("step", ["planned", "moving", "before 0", "moved 0", "copied 0", "aside 0", "removed 0"])
def test_what_somebody_writes_during_a_hold_keeps_its_time(places: tuple[State, Path], step: str) -> None:
    state, root = places
    folder = package(root / "project")
    old, wrote = aged(folder.parent), [0]

    def told(now: str) -> None:
        if now == step:
            (folder.parent / "theirs").write_text("x")
            wrote.append(folder.parent.stat().st_mtime_ns)

    held = hold(state, wish(folder), told=told)
    assert folder.parent.stat().st_mtime_ns == max(old, *wrote)
    restore(state, held.ident)
    assert folder.parent.stat().st_mtime_ns == max(old, *wrote)


@pytest.mark.parametrize("step", ["restoring", "before 0", "copied 0", "placed 0", "put 0", "dressed"])
def test_what_somebody_writes_during_a_restore_keeps_its_time(places: tuple[State, Path], step: str) -> None:
    state, root = places
    folder = package(root / "project")
    old, wrote = aged(folder.parent), [0]
    held = hold(state, wish(folder))

    def told(now: str) -> None:
        if now == step:
            (folder.parent / "theirs").write_text("x")
            wrote.append(folder.parent.stat().st_mtime_ns)

    restore(state, held.ident, told=told)
    assert folder.parent.stat().st_mtime_ns == max(old, *wrote)


def test_what_was_written_while_it_was_held_keeps_its_time(places: tuple[State, Path]) -> None:
    state, root = places
    folder = package(root / "project")
    aged(folder.parent)
    held = hold(state, wish(folder))
    (folder.parent / "theirs").mkdir()
    time = folder.parent.stat().st_mtime_ns
    restore(state, held.ident)
    assert folder.parent.stat().st_mtime_ns == time > LONG_AGO
