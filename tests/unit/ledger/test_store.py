"""What append promises: chained, once per call, committed before it returns, and readable by the owner alone."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from blake3 import blake3

from bk.engine.canonical import canonical
from bk.engine.ledger.chain import ORIGIN
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.mark import SLOTS, Mark
from bk.engine.ledger.seal import KeyFile
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.model import Entry
from bk.engine.state import State

from .house import attacker, entry, fill, leaf, opened


def test_an_entry_comes_back_numbered_and_dated(state: State) -> None:
    with opened(state) as ledger:
        before = time.time_ns() // 1_000_000
        (stored,) = ledger.append([entry(1, call="c1")])
        assert (stored.seq, stored.call, stored.kind, stored.level) == (1, "c1", "decision", "allow")
        assert before <= stored.at <= time.time_ns() // 1_000_000
        assert ledger.find_call("c1") == stored
        assert ledger.entries() == [stored]
        assert ledger.find_call("") is None
        assert ledger.find_call("c2") is None


def test_bodies_are_canonical_and_chained_under_the_epoch_key(state: State) -> None:
    with opened(state) as ledger:
        ledger.append([entry(1), Entry("config", "person:é", {"b": [1, 1.5, None], "ä": "\u20ac"})])
        fill(ledger, 3)
        head = ledger.head()
    key = KeyFile(f"{state.keys}/seal").key(0, lambda _: False)
    mac = ORIGIN
    with attacker(state.audit) as con:
        rows = con.execute("SELECT seq, body, leaf, mac, at, kind, call FROM entry ORDER BY seq").fetchall()
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    for seq, body, hashed, linked, at, kind, call in rows:
        held = json.loads(body)
        assert canonical(held).decode() == body
        assert set(held) == {"seq", "at", "kind", "actor", "level", "call", "data"}
        assert (held["seq"], held["at"], held["kind"], held["call"]) == (seq, at, kind, call)
        assert hashed == leaf(body)
        mac = blake3(mac + hashed, key=key).digest()
        assert mac == linked
    assert head == (5, mac)


def test_a_call_is_recorded_once(state: State) -> None:
    with opened(state) as ledger, opened(state) as other:
        first = ledger.append([entry(1, call="same")])[0]
        again, fresh = other.append([entry(99, call="same"), entry(2, call="new")])
        assert again == first
        assert fresh.seq == 2
        twice = ledger.append([entry(3, call="pair"), entry(4, call="pair")])
        assert twice[0] == twice[1]
        assert [ledger.append([entry(5, call="")])[0].seq for _ in range(1)] == [4]
        assert ledger.head()[0] == 4
    assert verify(state).ok


def test_entries_without_a_call_are_never_taken_for_each_other(state: State) -> None:
    with opened(state) as ledger:
        said = [ledger.append([Entry("engine", "engine", {"verb": "start"})])[0].seq for _ in range(3)]
        assert said == [1, 2, 3]


def test_redaction_happens_before_anything_is_stored(state: State) -> None:
    ledger = Ledger.open(state, redact=lambda value: {"was": sorted(value)})
    try:
        (stored,) = ledger.append([Entry("admin", "me", {"token": "hunter2"})])
    finally:
        ledger.close()
    assert stored.data == {"was": ["token"]}
    for path in Path(state.root).rglob("*"):
        if path.is_file():
            assert b"hunter2" not in path.read_bytes()


def test_what_json_cannot_carry_is_refused_and_changes_nothing(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 1)
        for bad in (float("nan"), "\ud800", {1: 2}):
            with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
                ledger.append([entry(2), Entry("engine", "x", {"bad": bad})])
        assert ledger.head()[0] == 1
        fill(ledger, 1)
    assert verify(state).ok


def test_only_the_owner_can_read_any_of_it(state: State) -> None:
    before = os.umask(0)
    try:
        with opened(state) as ledger:
            fill(ledger, 3)
            ledger.checkpoint()
            ledger.sync()
            paths = [path for path in Path(state.root).rglob("*") if path.is_file()]
            names = {path.name for path in paths}
            assert {"audit.db", "audit.db-wal", "audit.mark", "checkpoints", "seal", "ledger"} <= names
            loose = {p.name: oct(p.stat().st_mode) for p in paths if stat.S_IMODE(p.stat().st_mode) & 0o077}
    finally:
        os.umask(before)
    assert set(loose) <= {"ledger.pub"}


def test_commit_does_not_sync_and_sync_does(state: State) -> None:
    trace = "\n".join(
        [
            "import sys",
            "from bk.engine.state import State",
            "from bk.engine.ledger.store import Ledger",
            "from bk.engine.model import Entry",
            "ledger = Ledger.open(State(sys.argv[1], '/', int(sys.argv[2])))",
            "add = lambda **how: ledger.append([Entry('engine', 'x', {})], **how)",
            "import os",
            "real, told = os.fdatasync, []",
            "def counted(fd):",
            "    told.append(os.readlink(f'/proc/self/fd/{fd}'))",
            "    real(fd)",
            "os.fdatasync = counted",
            "add(); add(); plain = len(told)",
            "add(sync=True); synced = told[plain:]",
            "add(); ledger.sync(); later = told[plain + len(synced):]; ledger.sync()",
            "print(plain, [os.path.basename(p) for p in synced], [os.path.basename(p) for p in later], len(told))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", trace, state.root, str(state.owner)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0 ['audit.db-wal'] ['audit.db-wal', 'audit.mark'] 3"
    mark = Mark(state.mark)
    assert mark.synced()[1] == 4
    mark.close()


def test_threads_share_one_ledger(state: State) -> None:
    with opened(state) as ledger:

        def work() -> None:
            for number in range(60):
                ledger.append([entry(number)], sync=number % 20 == 0)
                ledger.sync()

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            ledger.checkpoint()
        for thread in threads:
            thread.join()
        numbers = [each.seq for each in ledger.entries(limit=1000)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 360
    assert verify(state).ok


def test_a_closed_ledger_says_so(state: State) -> None:
    ledger = Ledger.open(state)
    ledger.close()
    ledger.close()
    for use in (lambda: ledger.append([entry(1)]), ledger.head, lambda: ledger.find_call("x")):
        with pytest.raises(LedgerError, match="closed"):
            use()


def test_a_ledger_is_not_begun_by_looking(state: State) -> None:
    with pytest.raises(LedgerError) as raised:
        Ledger.open(state, create=False)
    assert raised.value.cause == "missing"
    assert not os.path.exists(state.audit)
    assert not os.path.exists(state.mark)


@pytest.mark.parametrize("stop", ["mark", "key"])
def test_an_interrupted_beginning_is_finished(state: State, stop: str) -> None:
    Ledger.open(state).close()
    os.unlink(state.audit)
    if stop == "mark":
        os.unlink(f"{state.keys}/seal")
    with opened(state) as ledger:
        fill(ledger, 2)
    assert verify(state).ok


def test_a_newer_format_is_left_alone(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 1)
    with attacker(state.audit) as con:
        con.execute("PRAGMA user_version = 99")
    for use in (lambda: Ledger.open(state), lambda: verify(state)):
        with pytest.raises(LedgerError) as raised:
            use()
        assert raised.value.cause == "newer"


def test_a_clock_set_back_is_recorded_truthfully(state: State) -> None:
    with opened(state) as ledger:
        late, early = 1_700_000_000_000, 1_600_000_000_000
        ledger.append([Entry("engine", "x", {}, at=late)])
        ledger.append([Entry("engine", "x", {}, at=early)])
        ledger.append([Entry("engine", "x", {}, at=late)])
        assert [(each.seq, each.at) for each in ledger.entries()] == [(1, late), (2, early), (3, late)]
    report = verify(state)
    assert report.ok
    assert report.notes[-1:] == [f"the clock went back by {late - early} ms before entry 2"]


def test_a_held_lock_is_waited_for_and_then_named(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bk.engine.ledger.mark._PATIENCE", 0.2)
    monkeypatch.setattr(Mark.lock, "__defaults__", (0.2,))
    with opened(state) as ledger:
        fill(ledger, 1)
        other = Mark(state.mark)
        other.lock()
        with pytest.raises(LedgerError) as raised:
            fill(ledger, 1)
        assert raised.value.cause == "busy"
        threading.Timer(0.05, other.unlock).start()
        fill(ledger, 1)
        assert ledger.head()[0] == 2
        other.close()


@pytest.mark.parametrize("name", ["audit.db", "mark/audit.mark"])
def test_a_file_removed_under_a_running_writer_stops_it(state: State, name: str) -> None:
    with opened(state) as ledger:
        fill(ledger, 2)
        os.rename(f"{state.root}/{name}", f"{state.root}/gone")
        if name.startswith("mark"):
            os.unlink(f"{state.root}/gone")
        with pytest.raises(LedgerError) as raised:
            fill(ledger, 1)
        assert raised.value.cause == "missing"


def test_the_mark_follows_every_append_and_remembers_the_last(state: State) -> None:
    with opened(state) as ledger:
        for _ in range(3):
            ledger.append([entry(i) for i in range(1700)])
            seq, mac = ledger.head()
            mark = Mark(state.mark)
            record = mark.read()
            assert (record.seq, record.mac, record.epoch, record.segment) == (seq, mac, 0, 1)
            tags = mark.tags()
            mark.close()
    assert len(tags) == SLOTS
    assert (min(tags), max(tags)) == (5100 - SLOTS + 1, 5100)
    with attacker(state.audit) as con:
        for seq, mac in con.execute("SELECT seq, mac FROM entry WHERE seq >= ?", (min(tags),)):
            assert tags[seq] == mac[:8]


def test_an_entry_that_the_head_does_not_know_stops_the_writer(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 3)
        with attacker(state.audit) as con:
            con.execute("INSERT INTO entry(seq, body, leaf, mac) SELECT 4, body || ' ', leaf, mac FROM entry WHERE 0")
            con.execute(
                "INSERT INTO entry(seq, body, leaf, mac) SELECT 4, replace(body, call, 'x'), leaf, mac FROM entry "
                "WHERE seq = 3"
            )
        with pytest.raises(LedgerError) as raised:
            fill(ledger, 1)
        assert raised.value.cause == "corrupt"


def test_indexed_columns_cannot_be_written(state: State) -> None:
    with opened(state) as ledger:
        fill(ledger, 1)
    with attacker(state.audit) as con, pytest.raises(sqlite3.OperationalError, match="generated column"):
        con.execute("UPDATE entry SET level = 'block'")
