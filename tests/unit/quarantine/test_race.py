"""Somebody swaps the artifact while it is moved: nothing but the artifact ever moves or is written to."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from bk.quarantine.back import restore
from bk.quarantine.listing import listed
from bk.quarantine.recovery import recover
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import package, photograph, state_in, wish

SHORT, LONG = 50, 1000
EXPECTED = {
    "gone", "identity_mismatch", "symlink_component", "not_directory", "conflict", "nested_in_live_item",
}  # fmt: skip


@pytest.mark.parametrize("rounds", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("swap", ["link", "folder"])
def test_a_swapped_source_is_refused_or_the_artifact_is_held(tmp_path: Path, swap: str, rounds: int) -> None:
    state = state_in(tmp_path / "home")
    folder = package(tmp_path / "home" / "project")
    precious = tmp_path / "home" / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    away, decoy = folder.parent / "away", folder.parent / "decoy"
    if swap == "link":
        decoy.symlink_to(precious)
    else:
        decoy.mkdir()
        (decoy / "file").write_text("mine")
    before, kept = photograph(folder), photograph(precious)
    stop = threading.Event()

    def swapping() -> None:
        while not stop.is_set():
            try:
                os.rename(folder, away)
                os.rename(decoy, folder)
                os.rename(folder, decoy)
                os.rename(away, folder)
            except OSError:
                with suppress(OSError):
                    if away.exists() and not os.path.lexists(folder):
                        os.rename(away, folder)

    thread = threading.Thread(target=swapping)
    thread.start()
    held_times = refused_times = 0
    try:
        for _ in range(rounds):
            try:
                held = hold(state, wish(folder))
            except HoldRefusedError as error:
                assert error.refusal in EXPECTED, error  # noqa: PT017 - every other outcome of the race is fine too
                refused_times += 1
                recover(state)
                continue
            held_times += 1
            payload = Path(state.root, "quarantine", "items", held.ident, "payload", "0")
            content = {path: seen[4] for path, seen in photograph(payload).items()}
            mine = {path: seen[4] for path, seen in before.items()}
            assert content in (mine, {b"": None, b"/file": (b"mine", b"/file")})
            while True:
                try:
                    restore(state, held.ident)
                    break
                except HoldRefusedError as error:
                    assert error.refusal in {"conflict", "symlink_component"}, error  # noqa: PT017
    finally:
        stop.set()
        thread.join()
    recover(state)
    assert listed(state) == []
    assert photograph(precious) == kept
    found = [
        path for path in (folder, away, decoy) if path.is_dir() and not path.is_symlink() and (path / "lib").is_dir()
    ]
    assert len(found) == 1
    assert photograph(found[0]) == before
    assert held_times + refused_times == rounds
    assert refused_times > 0 or rounds == SHORT
    shutil.rmtree(tmp_path / "home")
