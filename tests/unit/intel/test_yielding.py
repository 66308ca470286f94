from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.intel import yielding

AUTOGROUP = Path("/proc/self/autogroup")  # not every kernel has it, and where nobody opened a session it is empty
TELL = """
import os
from bk.engine.intel.yielding import yielding
yielding()
yielding()
group = open("/proc/self/autogroup").read().split()[-1:] if os.path.exists("/proc/self/autogroup") else []
print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), *group)
"""


def told(*, leads: bool) -> list[str]:
    done = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, start_new_session=leads)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_worker_is_nice_and_so_is_its_session() -> None:
    assert told(leads=True) == [str(yielding.NICE), str(os.SCHED_BATCH), *(["10"] if AUTOGROUP.exists() else [])]


def test_a_session_that_others_are_in_is_left_alone() -> None:
    before = AUTOGROUP.read_text().split()[-1:] if AUTOGROUP.exists() else []
    assert told(leads=False) == [str(yielding.NICE), str(os.SCHED_BATCH), *before]


def test_what_the_system_refuses_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise PermissionError

    for name in ("_process", "_slice", "_session", "_disk"):
        monkeypatch.setattr(yielding, name, refuse)
    yielding.yielding()
    assert len(asked) == 4
