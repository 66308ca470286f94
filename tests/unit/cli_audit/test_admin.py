"""The verbs that only a person may use, used by one: a process at its own terminal, with no agent above it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from bk.engine.console import audit
from bk.engine.console.gate import MARKERS, ancestors
from bk.engine.errors import OK, TAMPERED
from bk.engine.ledger.note import opened
from bk.engine.ledger.seal import SealKey
from bk.engine.notes import PublicKey
from bk.engine.state import State
from tests.unit.ledger_query.record import filled, tampered

pytestmark = pytest.mark.skipif(
    any(ancestor.agent for ancestor in ancestors(os.getpid())), reason="an agent is running the tests"
)
Person = Callable[..., tuple[int, str]]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return filled(tmp_path)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """`bk audit …` on a terminal of its own; returns the exit code and everything that was shown."""
    env = {name: value for name, value in os.environ.items() if name not in MARKERS}
    env |= {"BK_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}

    def run(*words: str, typed: str = "") -> tuple[int, str]:
        script = "import sys; from bk.cli import main; sys.exit(main())"
        child = pexpect.spawn(
            sys.executable, ["-c", script, "audit", *words], env=env, encoding="utf-8", dimensions=(40, 200), timeout=30
        )
        if typed:
            child.expect("seal key: ")
            child.sendline(typed)
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus or 0, child.before.replace("\r\n", "\n")

    return run


def newest(state: State) -> list[tuple[str, str, str]]:
    entries = audit.query(state, "kind:admin").entries
    return [(entry.actor, str(entry.data.get("verb")), entry.kind) for entry in entries]


def test_a_checkpoint_is_signed_and_the_word_recorded(state: State, person: Person) -> None:
    code, shown = person("checkpoint", "--admin")
    assert code == OK
    note = shown.lstrip("\n")
    public = PublicKey.parse(Path(f"{state.keys}/ledger.pub").read_text())
    held = opened(note, public)
    assert held.seq >= 11
    assert (f"person:{os.getuid()}", "checkpoint", "admin") in newest(state)
    code, shown = person("checkpoint", "--admin", "--json")
    assert json.loads(shown)["note"] != note
    assert audit.verify(state).ok


def test_a_seal_prints_a_key_that_verifies_and_is_kept_nowhere(state: State, person: Person) -> None:
    code, shown = person("seal", "--admin")
    assert code == OK
    found = re.search(r"^bkseal1:\S+$", shown, re.MULTILINE)
    assert found
    key = SealKey.parse(found.group())
    for path in Path(state.root).rglob("*"):
        if path.is_file():
            assert key.key.hex().encode() not in path.read_bytes()
    assert (f"person:{os.getuid()}", "seal", "admin") in newest(state)
    assert person("checkpoint", "--admin")[0] == OK  # the epoch that the seal began with is over, its key erased
    assert audit.verify(state, seal_key=str(key)).ok
    code, shown = person("verify", "--seal-key", "-", typed=str(key))
    assert code == OK
    assert key.key.hex() not in shown
    other = SealKey(key.ledger, key.epoch, key.seq, bytes(32))
    code, shown = person("verify", "--seal-key", "-", typed=str(other))
    assert code == TAMPERED
    assert "BROKEN" in shown


def test_recovery_from_an_altered_entry_gives_a_ledger_that_verifies(state: State, person: Person) -> None:
    assert person("checkpoint", "--admin")[0] == OK
    tampered(state, 3, "{}")
    assert person("verify")[0] == TAMPERED
    code, shown = person("recover", "--admin", "--json")
    assert code == OK, shown
    assert json.loads(shown)["recovered"] is True
    code, shown = person("verify")
    assert code == OK, shown
    assert "note:" in shown


def test_recovery_sets_a_damaged_ledger_aside_and_says_so(state: State, person: Person) -> None:
    assert person("checkpoint", "--admin")[0] == OK
    code, shown = person("recover", "--admin")
    assert (code, shown.splitlines()[-1][:18]) == (OK, "nothing to recover")
    file = Path(state.audit)
    file.write_bytes(b"damaged " * 64 + file.read_bytes()[512:])
    for name in ("-wal", "-shm"):
        Path(state.audit + name).unlink(missing_ok=True)
    assert person("verify")[0] == TAMPERED
    code, shown = person("recover", "--admin")
    assert code == OK, shown
    assert "goes on at #" in shown
    assert "kept aside" in shown
    (entry,) = audit.query(state, "kind:segment").entries
    assert (entry.actor, entry.data["verb"]) == (f"person:{os.getuid()}", "recovered")
    kept = [path for path in Path(state.root).rglob("*.bad-*") if b"id_ed25519" in path.read_bytes()]
    assert kept, "the damaged file is evidence"
    code, shown = person("checkpoint", "--admin")
    assert code == OK, shown
