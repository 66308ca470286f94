"""The demo: everything in it is real, nothing of it outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.console import audit, cases, corpus, quarantine
from bk.engine.console.sample import Sample, open_sample
from bk.tui.screens.quarantine_words import who_says

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(scope="module")
def sample() -> Iterator[Sample]:
    made = open_sample(admin=False)
    yield made
    made.close()


def test_it_holds_something_of_everything(sample: Sample) -> None:
    assert sample.sample
    assert sample.shown_root == "sample state"
    levels = {entry.level for entry in audit.entries(sample.state)}
    assert {"allow", "warn", "ask", "block", "quarantine"} <= levels
    held = {each.name: each for each in quarantine.rows(env=sample.env)}
    assert set(held) == {"debug", "axios", "@ctrl/tinycolor"}
    assert {each.state for each in held.values()} == {"held"}
    assert "local" in {group for each in held["debug"].evidence for group in each["groups"]}
    assert "local" not in who_says(held["debug"]), "what bk concluded from others adds no voice to theirs"
    assert not os.path.exists(f"{sample.state.home}/src/shop/node_modules/debug"), "it was really moved"
    assert {one.name: one.state for one in cases.rows(every=True, env=sample.env)} == {
        **dict.fromkeys(held, "quarantined"),
        "chalk": "dry_run_reported",
    }
    assert set(sample.health()) == {"chain"}, "neither hook nor engine belongs to it"
    assert corpus.page(env=sample.env).events
    assert audit.verify(sample.state).ok


def test_it_touches_nothing_but_its_own_place(sample: Sample) -> None:
    assert sample.state.root.startswith("/tmp/bk-sample-")
    assert os.stat(os.path.dirname(sample.state.home)).st_mode & 0o077 == 0


def test_closing_removes_it() -> None:
    made = open_sample(admin=False)
    top = os.path.dirname(made.state.home)
    assert os.path.isdir(top)
    made.close()
    assert not os.path.exists(top)
    made.close()


def test_being_killed_removes_it() -> None:
    code = (
        "from bk.engine.console.shelter import Shelter; import time; print(Shelter().top, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        top = process.stdout.readline().strip()
        assert os.path.isdir(top)
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 20
    while os.path.exists(top) and time.monotonic() < until:
        time.sleep(0.05)
    assert not os.path.exists(top)
