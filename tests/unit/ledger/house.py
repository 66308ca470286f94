"""A small ledger to attack, and the tools an attacker has."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.model import Entry
from bk.engine.state import State


def entry(number: int, call: str = "") -> Entry:
    data = {"tool": "Bash", "harness": "test", "session": "s", "number": number, "input": {"command": f"echo {number}"}}
    return Entry("decision", "hook:test", data, level="allow", call=call or os.urandom(16).hex())


def fill(ledger: Ledger, count: int) -> None:
    start = ledger.head()[0]
    ledger.append([entry(start + i) for i in range(1, count + 1)])


@contextmanager
def opened(state: State) -> Iterator[Ledger]:
    ledger = Ledger.open(state)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def attacker(path: str) -> Iterator[sqlite3.Connection]:
    """Somebody with write access to the file and no key."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        yield con


def body_at(con: sqlite3.Connection, seq: int) -> str:
    return str(con.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()[0])


def forged(con: sqlite3.Connection, at: int, /, **changes: object) -> str:
    """The canonical body of an entry with something changed."""
    held = json.loads(body_at(con, at))
    held["data"]["input"] = {"command": "echo innocent"}
    held.update(changes)
    return json.dumps(held, sort_keys=True, separators=(",", ":"))


def leaf(body: str) -> bytes:
    return sha256(b"\0" + body.encode()).digest()


def found(state: State, **keys: str) -> tuple[int, str]:
    """The first bad sequence number, and the kind."""
    report = verify(state, **keys)
    assert not report.ok
    first = report.problems[0]
    return first.seq, first.kind


def copy_of(state: State) -> Path:
    """The whole installation, as a backup would have it."""
    kept = Path(state.root).with_name("kept")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(state.root, kept)
    return kept


def put_back(kept: Path, state: State, *names: str) -> None:
    """Some files of the backup, in place of the present ones."""
    for name in names:
        for end in ("", "-wal", "-shm"):
            path = Path(state.root, name + end)
            path.unlink(missing_ok=True)
            if (kept / (name + end)).exists():
                shutil.copy2(kept / (name + end), path)


def good(state: State, **keys: str) -> int:
    report = verify(state, **keys)
    return report.last_good_checkpoint.seq if report.last_good_checkpoint else 0


def refuses(state: State) -> str:
    with pytest.raises(LedgerError) as raised:
        Ledger.open(state)
    return raised.value.cause
