"""Killed at every step, within one file system and across two: afterwards everything is in exactly one place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.state import State
from bk.quarantine.back import restore
from bk.quarantine.listing import listed, one, verified
from bk.quarantine.record import Hold
from bk.quarantine.recovery import recover
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import REGISTRY, extension, extension_wish, package, photograph, state_in

STEPS_MAX = 60


def killed(state: State, verb: str, target: str, step: int, *files: str, ordinary: bool = False) -> bool:
    """Run a move that is killed at a step; False when it came to its end before.

    `ordinary` takes from root what it has over others: modes of files mean something then.
    """
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if ordinary and os.geteuid() == 0 else []
    argv = [*drop, sys.executable, "-m", "tests.unit.quarantine.crash", state.home, verb, target, str(step), *files]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9


@pytest.fixture(params=["rename", "copy"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[State, Path]]:
    """A state directory and a place for projects, on one file system or on two."""
    home = tmp_path / "home"
    state = state_in(home)
    if request.param == "rename":
        yield state, home
        return
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == home.stat().st_dev:
        pytest.skip("needs a second file system")
    away = other / f"bk-crash-{os.getpid()}"
    away.mkdir()
    yield state, away
    shutil.rmtree(away)


@pytest.fixture(params=[4, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])
def every(request: pytest.FixtureRequest) -> int:
    """How far the steps of a slow walk lie apart."""
    return int(request.param)


def environment(root: Path) -> tuple[Path, list[str]]:
    """A Python environment with one package of several files, one outside its folder, next to a stranger."""
    site = root / "venv" / "lib" / "python3.11" / "site-packages"
    for path in (
        "evil/__init__.py",
        "evil/sub/deep.py",
        "evil-1.0.0.dist-info/RECORD",
        "evil.pth",
        "other/__init__.py",
    ):
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(path)
    script = root / "venv" / "bin" / "evil"
    script.parent.mkdir()
    script.write_text("#!python\n")
    names = ["evil/__init__.py", "evil/sub/deep.py", "evil-1.0.0.dist-info/RECORD", "evil.pth"]
    return site, [str(script), *(str(site / name) for name in names)]


def settled(state: State) -> None:
    """Nothing is left half-way, and a second recovery finds nothing to do."""
    assert recover(state) == []
    items = f"{state.root}/quarantine/items"
    held = {item.ident for item in listed(state)}
    assert all(item.state == "held" and not verified(state, item) for item in listed(state))
    assert (set(os.listdir(items)) if os.path.isdir(items) else set()) == held


def test_a_hold_killed_at_any_step_leaves_the_artifact_where_it_was_or_held(places: tuple[State, Path]) -> None:
    state, root = places
    folder = package(root / "project")
    before = photograph(root / "project" / "node_modules" / "evil")
    ends = set()
    for step in range(STEPS_MAX):
        ended = not killed(state, "hold", str(folder), step)
        recover(state)
        settled(state)
        held = listed(state)
        ends.add("held" if held else "back")
        assert bool(held) != folder.exists()
        if held:
            restore(state, held[0].ident)
        assert photograph(folder) == before
        assert os.listdir(folder.parent) == ["evil"]
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")
    assert ends == {"held", "back"}
    assert step >= 9


def test_a_file_set_killed_at_any_step_is_whole(places: tuple[State, Path], every: int) -> None:
    state, root = places
    site, files = environment(root)
    before = photograph(root / "venv")
    for step in range(0, STEPS_MAX, every):
        ended = not killed(state, "hold-files", str(root / "venv"), step, *files)
        recover(state)
        settled(state)
        there = [os.path.exists(path) for path in files]
        assert len(set(there)) == 1
        assert bool(listed(state)) != there[0]
        assert (site / "other" / "__init__.py").read_text() == "other/__init__.py"
        if listed(state):
            assert not (site / "evil").exists()
            restore(state, listed(state)[0].ident)
        now = photograph(root / "venv")
        assert set(now) == set(before)
        assert {k: v for k, v in now.items() if b"evil" in k} == {k: v for k, v in before.items() if b"evil" in k}
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")
    assert step >= 14


def test_a_restore_killed_at_any_step_ends_in_one_place(places: tuple[State, Path]) -> None:
    state, root = places
    folder = package(root / "project")
    before = photograph(folder)
    for step in range(STEPS_MAX):
        ident = hold(state, Hold("dir", "npm", "evil", "1.0.0", path=str(folder))).ident
        ended = not killed(state, "restore", ident, step)
        recover(state)
        settled(state)
        if one(state, ident).state == "held":
            assert not folder.exists()
            restore(state, ident)
        assert photograph(folder) == before
        assert os.listdir(folder.parent) == ["evil"]
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")
    assert step >= 6


def test_a_purge_killed_at_any_step_is_done_again_by_a_person_or_not_at_all(tmp_path: Path) -> None:
    from bk.quarantine.purge import purge

    state = state_in(tmp_path / "home")
    for step in range(STEPS_MAX):
        folder = package(tmp_path / "home" / f"project{step}")
        ident = hold(state, Hold("dir", "npm", "evil", "1.0.0", path=str(folder))).ident
        ended = not killed(state, "purge", ident, step)
        recover(state)
        state_now = one(state, ident).state
        assert not folder.exists()
        if state_now == "held":
            assert verified(state, one(state, ident)) == ""
        if state_now != "purged":
            purge(state, ident)
        assert one(state, ident).state == "purged"
        assert listed(state) == []
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")


SETTINGS = """{
  // what I use
  "mcpServers": {
    "good": { "command": "npx", "args": ["good@1"] },
    "evil": { "command": "npx", "args": ["evil"], "env": { "KEY": "s3cret" } }, // why not
    "last": { "url": "https://x.example" }
  }
}
"""


def test_an_entry_killed_at_any_step_is_in_the_file_or_held(tmp_path: Path) -> None:
    state = state_in(tmp_path / "home")
    path = tmp_path / "home" / "mcp.json"
    for step in range(STEPS_MAX):
        path.write_text(SETTINGS)
        path.chmod(0o640)
        ended = not killed(state, "hold-entry", str(path), step)
        recover(state)
        settled(state)
        assert bool(listed(state)) != ("evil" in path.read_text())
        if listed(state):
            assert path.read_text() == SETTINGS.replace(SETTINGS.splitlines(keepends=True)[4], "")
            restore(state, listed(state)[0].ident)
        assert path.read_text() == SETTINGS
        assert path.stat().st_mode & 0o777 == 0o640
        assert [name for name in os.listdir(path.parent) if name.startswith(".bk-")] == []
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")


def test_an_extension_and_its_row_killed_at_any_step_are_both_there_or_both_held(
    places: tuple[State, Path], every: int
) -> None:
    state, root = places
    folder = extension(root)
    before = photograph(folder.parent)
    ends = set()
    for step in range(0, STEPS_MAX, every):
        ended = not killed(state, "hold-extension", str(folder), step)
        recover(state)
        settled(state)
        held = listed(state)
        ends.add("held" if held else "back")
        row = '"1.0.0"' in (folder.parent / "extensions.json").read_text()
        assert (folder.exists(), row) == (not held, not held)
        if held:
            restore(state, held[0].ident)
        assert without_time(photograph(folder.parent)) == without_time(before)
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")
    assert ends == {"held", "back"}
    assert step >= 12


@pytest.mark.parametrize("edited", [False, True])
def test_giving_back_an_extension_and_its_row_killed_at_any_step_ends_in_one_place(
    places: tuple[State, Path], every: int, edited: bool
) -> None:
    state, root = places
    folder = extension(root)
    registry = folder.parent / "extensions.json"
    before = photograph(folder)
    for step in range(0, STEPS_MAX, every):
        registry.write_text(REGISTRY)
        ident = hold(state, extension_wish(folder)).ident
        if edited:
            registry.write_text(registry.read_text().replace("2.0.0", "2.0.1"))
        ended = not killed(state, "restore", ident, step)
        recover(state)
        settled(state)
        row = registry.read_text().count('"uuid"')
        assert (folder.exists(), row) == ((False, 0) if one(state, ident).state == "held" else (True, 1))
        if one(state, ident).state == "held":
            restore(state, ident)
        assert photograph(folder) == before
        assert (registry.read_text() == REGISTRY) != edited
        assert sorted(os.listdir(folder.parent)) == ["acme.evil-1.0.0", "extensions.json", "good.ext-2.0.0"]
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")
    assert step >= 8


@pytest.mark.parametrize("verb", ["hold", "restore"])
def test_a_read_only_module_killed_at_any_step_has_the_mode_that_it_had(
    places: tuple[State, Path], every: int, verb: str
) -> None:
    state, root = places
    folder = module(root)
    before = photograph(folder)
    try:
        for step in range(0, STEPS_MAX, every):
            wanted = Hold("dir", "go", "evil", "v1.0.0", path=str(folder))
            target = str(folder) if verb == "hold" else hold(state, wanted).ident
            ended = not killed(state, "hold-module" if verb == "hold" else verb, target, step, ordinary=True)
            recover(state)
            settled(state)
            if verb == "hold" and not listed(state):
                assert photograph(folder) == before
            for held in listed(state):
                restore(state, held.ident)
            assert photograph(folder) == before
            if ended:
                break
        else:
            raise AssertionError("it never came to its end")
    finally:
        for path in (folder, folder / "sub"):
            path.chmod(0o755)
    assert step >= 6


def test_what_is_write_protected_is_lifted_for_the_rename_alone(tmp_path: Path) -> None:
    """The matrix above goes through the window in which the mode is another one: here it is named."""
    state = state_in(tmp_path / "home")
    folder = module(tmp_path / "home")
    argv = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    argv += [sys.executable, "-m", "tests.unit.quarantine.crash", state.home, "hold-module", str(folder), "999"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    steps = done.stdout.split("\n")
    assert steps[steps.index("before 0") :][:4] == ["before 0", "lifted", "landed", "renamed 0"], done.stderr
    (held,) = listed(state)
    assert verified(state, held) == ""
    restore(state, held.ident)
    (folder / "sub").chmod(0o755)


def module(root: Path) -> Path:
    """A Go module as go unpacks it: nothing of it may be written."""
    folder = root / "go" / "pkg" / "mod" / "example.org" / "evil@v1.0.0"
    (folder / "sub").mkdir(parents=True)
    for name in ("go.mod", "sub/evil.go"):
        (folder / name).write_text(name)
        (folder / name).chmod(0o444)
    for path in (folder / "sub", folder):
        path.chmod(0o555)
    return folder


def without_time(seen: dict[bytes, tuple[object, ...]]) -> dict[bytes, tuple[object, ...]]:
    """Killed between a change and putting back the time of its folder, nobody can know whose change came last."""
    return {path: (*what[:3], 0, *what[4:]) if path == b"" else what for path, what in seen.items()}
