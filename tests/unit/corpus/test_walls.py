"""What the corpus must not reach, and that no call ever touches it: by import and by what is really opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bk.engine.corpus.shapes import MALICIOUS
from tests.unit.corpus.house import House

ROOT = Path(__file__).parents[3]

# Every name that is opened, and every module that is there afterwards.
TRACED = """
import json, sys
opened = []
def hook(event, args):
    if event in ("open", "os.open", "sqlite3.connect"):
        opened.append(str(args[0]))
sys.addaudithook(hook)
from bk.engine.model import ToolCall
from bk.engine.world import World
from bk.engine.decide import decide
from bk.engine.ledger.store import Ledger
from bk.engine.record import entry_of
from bk.engine.state import State
root, home, command = sys.argv[1:]
world = World.open(State(root, home, __import__("os").geteuid()))
call = ToolCall("Bash", "shell", {"command": command}, harness="claude-code", cwd="/srv/shop", home=home)
judgement = decide(call, world)
ledger = Ledger.open(world.state, redact=world.redact)
ledger.append([entry_of(call, judgement, world, 1)], sync=True)
ledger.close()
print(json.dumps([judgement.verdict.level.word, opened, sorted(name for name in sys.modules if "corpus" in name)]))
"""
PLAIN = """
import sys
import bk.engine.corpus.now
bad = {"socket", "ssl", "requests", "urllib3", "http.client", "bk.quarantine.purge", "bk.engine.catalogs"}
print(sorted(bad & set(sys.modules)))
"""


def test_a_call_never_opens_the_corpus_and_knows_nothing_of_it(house: House) -> None:
    house.does("npm install evil@1.0.0")
    house.run()
    house.label(house.only(), MALICIOUS, "forensic_review")
    house.run()
    assert os.path.exists(f"{house.state.root}/corpus.db")
    for command in ("npm install evil@1.0.0", "ls", "cat ~/.ssh/id_rsa"):
        words = [sys.executable, "-c", TRACED, house.state.root, house.state.home, command]
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True)
        level, opened, modules = json.loads(done.stdout)
        assert any("audit.db" in name for name in opened)  # the trace sees what it should
        assert [name for name in opened if "corpus" in name] == []
        assert modules == []
        if command.startswith("npm"):
            assert level == "block"  # and what was confirmed reached the call all the same


def test_a_pass_loads_neither_a_network_nor_the_one_thing_that_deletes() -> None:
    done = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, cwd=ROOT, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_nothing_but_the_store_writes_to_its_tables() -> None:
    wrote = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "bk").rglob("*.py")
        for word in ("INTO event", "INTO label", "UPDATE cluster", "INTO cluster")
        if word in path.read_text()
    ]
    assert set(wrote) <= {"bk/engine/corpus/store.py", "bk/engine/corpus/rows.py"}
