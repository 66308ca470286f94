"""How long a person waits for the first page of a large corpus: the whole command, but for what starting `bk` costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bk.engine.corpus.shapes import Event
from bk.engine.corpus.store import Corpus
from tests.unit.corpus.house import DAY_MS, House

ROUNDS = 9


def least(house: House, *words: str) -> tuple[float, str]:
    """The least time of several runs, and what the last one said."""
    env = {**os.environ, "HOME": house.state.home, "BK_HOME": house.state.root, "NO_COLOR": "1"}
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "bk", *words], env=env, capture_output=True, text=True, timeout=60)
        took.append(time.perf_counter() - began)
        assert done.returncode == 0, done.stderr
    return min(took), done.stdout


@pytest.mark.long
def test_the_first_page_of_a_hundred_thousand_events_is_there_at_once(house: House) -> None:
    house.does("npm install left-pad@1.0.0")
    with Corpus(house.state, write=True) as corpus:
        for start in range(0, 100_000, 2_000):
            corpus.record(
                Event(f"{at:024x}", house.now - DAY_MS + at, "hook",
                      {"tool": "Bash", "session": f"s{at % 97}", "command": f"npm install p{at % 500}@1.0.0"},
                      {"level": "warn" if at % 3 else "allow"}, {"seq": at}, [f"pkg:npm/p{at % 500}@1.0.0"])
                for at in range(start, start + 2_000)
            )  # fmt: skip
    bare, _ = least(house, "version")
    whole, shown = least(house, "corpus", "list")
    assert len(shown.splitlines()) == 51
    assert whole - bare <= 0.1, f"{whole:.3f} s, of which {bare:.3f} s is the start"


LOADED = """
import sys
from bk.engine.console.corpus import page
page()
heavy = ("bk.engine.lower", "bk.engine.inventory", "bk.engine.corpus.batch", "bk.engine.corpus.intake", "bk.quarantine")
print([name for name in sys.modules if name.startswith(heavy)])
"""


def test_a_list_loads_nothing_that_judges_or_acts(house: House) -> None:
    house.does("npm install left-pad@1.0.0")
    house.run()
    env = {**os.environ, "HOME": house.state.home, "BK_HOME": house.state.root}
    done = subprocess.run([sys.executable, "-c", LOADED], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
