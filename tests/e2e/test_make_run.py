"""What `make run` does without a terminal: an engine, one frame, and how to go on."""

from __future__ import annotations

import os
import subprocess
import sys

from bk.engine.service import lifecycle
from bk.engine.service.status import EngineStatus
from bk.engine.state import State


def test_one_frame_and_an_engine(state: State) -> None:
    env = {"HOME": state.home, "PATH": os.environ["PATH"]}
    words = [sys.executable, "-m", "bk.demo_run"]
    try:
        done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert EngineStatus(state).running
        assert "Nothing has been decided yet" in done.stdout
        assert "dashboard --admin" in done.stdout
        frame = done.stdout.split("\nThe engine")[0].splitlines()
        assert len(frame) <= 31
        assert max(map(len, frame)) <= 100
        assert "\x1b" not in done.stdout
    finally:
        lifecycle.stop(state)
    assert not EngineStatus(state).running


def test_a_refused_state_is_explained_and_fails(state: State) -> None:
    os.chmod(state.root, 0o755)
    env = {"HOME": state.home, "PATH": os.environ["PATH"]}
    words = [sys.executable, "-m", "bk.demo_run"]
    done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "open to others" in done.stderr
    assert "Traceback" not in done.stderr
