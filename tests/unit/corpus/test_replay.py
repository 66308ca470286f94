"""A nonce is spent once: by several at once, across a kill, with a full cache, and with a clock that is put back."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.corpus.replay import KEYS_MAX, Replay, opened
from bk.engine.state import State

NOW = 1_780_000_000_000
DAY = 86_400_000
K = "k" * 32
SPENDER = """
import os, sys
from bk.engine.corpus.replay import Replay
path, count = sys.argv[1], int(sys.argv[2])
print(flush=True)
sys.stdin.readline()
for number in range(count):
    with Replay(path, os.geteuid()) as cache:
        why = cache.spend("k", f"n{number}", 9_000_000_000_000, 1_780_000_000_000)
    print(number, why or "new", flush=True)
"""


def cache(tmp_path: Path, key_max: int = 100) -> Replay:
    return Replay(str(tmp_path / "replay.db"), os.geteuid(), key_max=key_max)


def spender(path: str, count: int) -> subprocess.Popen[str]:
    made = subprocess.Popen(
        [sys.executable, "-c", SPENDER, path, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert made.stdout is not None
    made.stdout.readline()
    return made


def started(*racers: subprocess.Popen[str]) -> None:
    for each in racers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()


def test_once_and_never_again(state: State) -> None:
    with opened(state) as made:
        assert made.spend(K, "a", NOW + DAY, NOW) == ""
        assert made.spend(K, "a", NOW + DAY, NOW) == "replayed"
        assert made.spend("other", "a", NOW + DAY, NOW) == ""
    with opened(state) as made:
        assert made.spend(K, "a", NOW + DAY, NOW) == "replayed"
    assert stat.S_IMODE(os.stat(f"{state.root}/replay.db").st_mode) == 0o600


def test_verifiers_that_run_at_once_accept_a_nonce_once(tmp_path: Path) -> None:
    racers = [spender(str(tmp_path / "replay.db"), 40) for _ in range(3)]
    started(*racers)
    said = [each.communicate(timeout=60)[0].split("\n") for each in racers]
    lines = [line for each in said for line in each if line]
    assert all(each.returncode == 0 for each in racers)
    assert sorted(line for line in lines if line.endswith("new")) == sorted(f"{number} new" for number in range(40))
    assert sum(line.endswith("replayed") for line in lines) == 80


def test_what_was_accepted_before_a_kill_stays_spent(tmp_path: Path) -> None:
    path = str(tmp_path / "replay.db")
    killed = spender(path, 1_000_000)
    started(killed)
    assert killed.stdout is not None
    accepted = [killed.stdout.readline().split()[0] for _ in range(25)]
    killed.send_signal(signal.SIGKILL)
    rest = killed.communicate(timeout=30)[0].split("\n")[:-1]
    accepted += [line.split()[0] for line in rest if line.endswith("new")]
    with Replay(path, os.geteuid()) as made:
        assert {made.spend("k", f"n{number}", NOW + DAY, NOW) for number in accepted} == {"replayed"}
        assert made.spend("k", "n-fresh", NOW + DAY, NOW) == ""


def test_what_has_expired_is_forgotten_and_refused_even_when_the_clock_is_put_back(tmp_path: Path) -> None:
    with cache(tmp_path) as made:
        for number in range(20):
            assert made.spend(K, f"old{number}", NOW + 1000 + number, NOW) == ""
        assert made.spend(K, "new", NOW + 9 * DAY, NOW + 8 * DAY) == ""
        assert made.count() == 1
        assert made.spend(K, "old3", NOW + 1003, NOW) == "expired"
        assert made.spend(K, "young", NOW + 5 * DAY, NOW) == ""


def test_a_key_that_floods_harms_only_itself(tmp_path: Path) -> None:
    with cache(tmp_path, key_max=10) as made:
        assert made.spend("quiet", "q", NOW + 1, NOW) == ""
        for number in range(50):
            assert made.spend("loud", f"n{number}", NOW + DAY + number, NOW) == ""
        assert made.count() == 11
        for number in range(50):
            assert made.spend("loud", f"n{number}", NOW + DAY + number, NOW) in ("expired", "replayed")
        assert made.spend("quiet", "q", NOW + 1, NOW) == "replayed"
        assert made.spend("quiet", "r", NOW + 1, NOW) == ""


def test_there_is_an_end_to_keys(tmp_path: Path) -> None:
    with cache(tmp_path) as made:
        for number in range(KEYS_MAX):
            assert made.spend(f"k{number}", "n", NOW + DAY, NOW) == ""
        assert made.spend("one-more", "n", NOW + DAY, NOW) == "replay-cache"
        assert made.spend("k0", "m", NOW + DAY, NOW) == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(-5, 40)), min_size=1, max_size=60))
def test_no_nonce_is_ever_new_twice(steps: list[tuple[int, int, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Replay(f"{folder}/r", os.geteuid(), key_max=4) as made:
        spent: set[tuple[int, int]] = set()
        for key, nonce, now in steps:
            until = 10 + 2 * nonce  # an envelope's end is signed with its nonce
            if until <= now:
                continue  # the verifier has refused it already
            why = made.spend(str(key), str(nonce), until, now)
            assert why or (key, nonce) not in spent
            spent.add((key, nonce))
            assert made.count() <= 8


@pytest.mark.parametrize("spoil", ["link", "mode", "folder"])
def test_a_file_that_is_not_ours_alone_is_not_used(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "replay.db"
    if spoil == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif spoil == "mode":
        path.touch(0o644)
        path.chmod(0o644)
    else:
        path.mkdir()
    with pytest.raises((OSError, sqlite3.Error)):
        cache(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
