"""An engine that starts brings to its end what a crash cut off, and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bk.quarantine.listing import one
from bk.quarantine.store import Books
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import package, photograph, wish
from tests.unit.responder.test_decisions import Machine


def test_a_move_that_was_cut_off_goes_back_when_the_engine_starts(short_dir: Path) -> None:
    machine = Machine(short_dir)
    folder = package(machine.project)
    before = photograph(folder)
    held = hold(machine.state, wish(folder))
    with Books(machine.state) as books:
        books.move_to(held, "moving")
    engine = subprocess.Popen(
        [sys.executable, "-m", "bk.serve"], env={**machine.env, "PATH": os.environ["PATH"]}, start_new_session=True
    )
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until and one(machine.state, held.ident).state == "moving":
            time.sleep(0.05)
        time.sleep(0.3)
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(20)
    assert photograph(folder) == before
    assert [(each["was"], each["state"]) for each in machine.told() if each["event"] == "quarantine_recover"] == [
        ("moving", "failed")
    ]
