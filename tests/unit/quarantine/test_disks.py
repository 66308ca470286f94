"""Full disks, read-only folders, two processes at once: a code that says so, and the artifact untouched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.quarantine.back import restore
from bk.quarantine.listing import listed, one
from bk.quarantine.recovery import recover
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import REGISTRY, extension, extension_wish, package, photograph, state_in, wish

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@needs_root
def test_no_room_for_the_copy(tmp_path: Path, small: Path) -> None:
    state = state_in(small / "home")
    folder = package(tmp_path / "project")
    (folder / "big").write_bytes(os.urandom(4 << 20))
    before = photograph(folder)
    with pytest.raises(HoldRefusedError) as caught:
        hold(state, wish(folder))
    assert caught.value.refusal == "no_space"
    assert photograph(folder) == before
    assert os.listdir(folder.parent) == ["evil"]
    assert listed(state) == []
    assert os.listdir(f"{state.root}/quarantine/items") == []
    (folder / "big").unlink()
    held = hold(state, wish(folder))  # and when there is room, it works
    assert one(state, held.ident).state == "held"


@needs_root
def test_no_room_to_put_it_back(tmp_path: Path, small: Path) -> None:
    state = state_in(tmp_path / "home")
    folder = package(small / "project")
    (folder / "big").write_bytes(os.urandom(1 << 20))
    before = photograph(folder)
    held = hold(state, wish(folder))
    (small / "filler").write_bytes(bytes(1536 << 10))
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == "no_space"
    assert not folder.exists()
    assert one(state, held.ident).state == "held"
    (small / "filler").unlink()
    recover(state)
    assert os.listdir(folder.parent) == []
    restore(state, held.ident)
    assert photograph(folder) == before


@needs_root
def test_a_parent_that_cannot_be_written(tmp_path: Path) -> None:
    state = state_in(tmp_path / "home")
    folder = package(tmp_path / "home" / "project")
    before = photograph(folder)
    subprocess.run(["mount", "--bind", str(folder.parent), str(folder.parent)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder.parent)], check=True)
    try:
        with pytest.raises(HoldRefusedError) as caught:
            hold(state, wish(folder))
        assert caught.value.refusal == "read_only"
        assert photograph(folder) == before
        assert listed(state) == []
    finally:
        subprocess.run(["umount", str(folder.parent)], check=True)
    assert photograph(folder) == before


HOLD = """
import sys
from bk.engine.state import State
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import wish
from pathlib import Path
try:
    hold(State(sys.argv[1] + "/.bk", sys.argv[1], int(sys.argv[3])), wish(Path(sys.argv[2])))
    print("held")
except HoldRefusedError as error:
    print(error.refusal)
"""


@pytest.mark.parametrize("place", ["home", "shm"])
def test_a_folder_whose_mode_forbids_it(tmp_path: Path, place: str) -> None:
    state = state_in(tmp_path / "home")
    root = Path(f"/dev/shm/bk-mode-{os.getpid()}") if place == "shm" else tmp_path / "home"
    folder = package(root / "project")
    folder.parent.chmod(0o555)
    before = photograph(root / "project")
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    argv = [*drop, sys.executable, "-c", HOLD, state.home, str(folder), str(os.geteuid())]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout.strip() == "read_only"
        assert photograph(root / "project") == before
        assert listed(state) == []
    finally:
        folder.parent.chmod(0o755)
        shutil.rmtree(root)


@needs_root
@pytest.mark.parametrize("full", ["projects", "vault"])
def test_no_room_for_a_registry_without_its_row_puts_the_folder_back(tmp_path: Path, small: Path, full: str) -> None:
    state = state_in((small if full == "vault" else tmp_path) / "home")
    folder = extension((small if full == "projects" else tmp_path) / "user")
    registry = folder.parent / "extensions.json"
    registry.write_text(REGISTRY.replace("[\n", f"[ /* {'x' * 900_000} */\n", 1))
    if full == "projects":
        (small / "filler").write_bytes(bytes(900 << 10))
    before = photograph(folder.parent)

    def told(step: str) -> None:
        if full == "vault" and step == "removed 0":
            (small / "filler").write_bytes(bytes(1200 << 10))

    with pytest.raises(HoldRefusedError) as caught:
        hold(state, extension_wish(folder), told=told)
    assert caught.value.refusal == "no_space"
    assert photograph(folder.parent) == before
    assert listed(state) == []


RESTORE = """
import sys
from bk.engine.state import State
from bk.quarantine.back import restore
from bk.quarantine.refused import HoldRefusedError
try:
    restore(State(sys.argv[1] + "/.bk", sys.argv[1], int(sys.argv[3])), sys.argv[2])
    print("restored")
except HoldRefusedError as error:
    print(error.refusal)
"""


def test_two_processes_restore_one_item_once(tmp_path: Path) -> None:
    state = state_in(tmp_path / "home")
    folder = package(tmp_path / "home" / "project")
    before = photograph(folder)
    for _ in range(5):
        held = hold(state, wish(folder))
        argv = [sys.executable, "-c", RESTORE, state.home, held.ident, str(os.geteuid())]
        both = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        told = sorted(process.communicate(timeout=30)[0].strip() for process in both)
        assert told == ["not_held", "restored"]
        assert photograph(folder) == before


def test_damaged_books_move_nothing(tmp_path: Path) -> None:
    state = state_in(tmp_path / "home")
    folder = package(tmp_path / "home" / "project")
    held = hold(state, wish(folder))
    for name in os.listdir(state.root):
        if name.startswith("quarantine.db"):
            Path(state.root, name).write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    other = package(tmp_path / "home" / "other")
    for act in (lambda: hold(state, wish(other)), lambda: restore(state, held.ident), lambda: listed(state)):
        with pytest.raises(BkError) as caught:
            act()
        assert "books" in caught.value.title
    assert other.is_dir()
    assert not folder.exists()
    assert Path(state.root, "quarantine", "items", held.ident, "payload", "0", "package.json").is_file()


def test_lost_keys_are_told_and_never_made_anew_under_held_items(tmp_path: Path) -> None:
    state = state_in(tmp_path / "home")
    folder = package(tmp_path / "home" / "project")
    held = hold(state, wish(folder))
    Path(state.keys, "quarantine").unlink()
    with pytest.raises(BkError):
        restore(state, held.ident)
    with pytest.raises(BkError):
        hold(state, wish(package(tmp_path / "home" / "other")))
    assert not Path(state.keys, "quarantine").exists()
