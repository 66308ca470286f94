from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from bk.engine.catalogs.store import KEEP_MS, Held, Row, Store, path_of
from bk.engine.errors import BkError
from bk.engine.state import State

NOW = 1_800_000_000_000


@pytest.fixture
def store(state: State) -> Store:
    return Store.open(state)


def test_it_is_the_owners_alone_strict_and_survives(state: State, store: Store) -> None:
    with store:
        store.put(Row("osv", grp="ossf", entries=7, packages={"npm": 5}, serial=3, last_success_ms=NOW))
    store.close()
    assert os.stat(path_of(state)).st_mode & 0o777 == 0o600
    again = Store.open(state)
    row = again.sources()["osv"]
    assert (row.grp, row.entries, row.packages, row.serial, row.last_success_ms) == ("ossf", 7, {"npm": 5}, 3, NOW)
    again.close()
    con = sqlite3.connect(path_of(state))
    try:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = con.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
        assert {name: strict for name, strict in tables if not name.startswith("sqlite_")} == dict.fromkeys(
            ("source", "hold", "run", "beat", "generation"), 1
        )
    finally:
        con.close()


def test_what_breaks_halfway_is_undone(store: Store) -> None:
    def break_halfway() -> None:
        with store:
            store.put(Row("osv"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_halfway()
    assert store.sources() == {}


def test_holds_come_and_go(store: Store) -> None:
    with store:
        store.hold(Held("osv", "too much", 5, 6, at_ms=NOW, digest="d"))
        store.hold(Held("osv", "even more", 7, 8, at_ms=NOW, digest="e"))
    held = store.holds()["osv"]
    assert (held.reason, held.added, held.removed, held.at_ms, held.digest) == ("even more", 7, 8, NOW, "e")
    with store:
        store.release("osv")
    assert store.holds() == {}


def test_forgetting_a_source_forgets_its_hold(store: Store) -> None:
    with store:
        store.put(Row("import-x"))
        store.hold(Held("import-x", "r", 1, 2))
        store.forget("import-x")
    assert (store.sources(), store.holds()) == ({}, {})


def test_runs_and_heartbeats_are_kept_for_ninety_days(store: Store) -> None:
    with store:
        old = store.began("sync", "engine", NOW - KEEP_MS - 1)
        new = store.began("sync", "person:5", NOW - KEEP_MS)
        store.ended(new, NOW, {"x": 1}, ok=True, generation=4)
        store.beat("osv", "skipped", "it is due in 5 s", NOW - KEEP_MS - 1)
        store.beat("osv", "failed", "y" * 5000, NOW)
        store.prune(NOW)
    assert old != new
    [run] = store.runs()
    assert (run.verb, run.by, run.ok, run.generation, run.said) == ("sync", "person:5", True, 4, {"x": 1})
    [beat] = store.beats("osv")
    assert beat[:3] == (NOW, "osv", "failed")
    assert len(beat[3]) == 600
    assert store.beats("other") == []


def test_a_run_that_was_killed_has_no_end(store: Store) -> None:
    with store:
        store.began("sync", "engine", NOW)
    assert store.runs()[0].ended_ms == 0


def test_one_that_can_never_be_read_is_set_aside(state: State, store: Store) -> None:
    store.close()
    Path(path_of(state)).write_bytes(b"not a database at all, " * 500)
    again = Store.open(state)
    assert again.sources() == {}
    again.close()
    assert Path(f"{path_of(state)}.damaged").exists()


def test_one_of_another_release_is_left_alone(state: State, store: Store) -> None:
    store.close()
    con = sqlite3.connect(path_of(state))
    con.execute("PRAGMA user_version = 99")
    con.close()
    with pytest.raises(BkError, match="cannot be used"):
        Store.open(state)
    with pytest.raises(BkError, match="cannot be used"):
        Store.read(state)


def test_there_is_nothing_to_read_before_the_first_run(state: State) -> None:
    assert Store.read(state) is None
    Path(path_of(state)).touch()
    assert Store.read(state) is None
