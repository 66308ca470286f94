"""Catalogs without news, or with a source that is not heard, are in sight of `bk diag` and the dashboard."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bk.engine.catalogs.store import Held, Row, Store
from bk.engine.console.diag import words
from bk.engine.console.probes import Part, catalogs, probe
from bk.engine.intel import bundle
from bk.engine.state import State

NOW = time.time_ns() // 1_000_000
DAY_MS = 86_400_000


def told(state: State) -> Part:
    return probe("catalogs", catalogs, state)


def kept(state: State, row: Row, held: Held | None = None) -> None:
    store = Store.open(state)
    with store:
        store.put(row)
        if held is not None:
            store.hold(held)
    store.close()


def test_a_fresh_installation_is_well(state: State) -> None:
    assert "catalogs" not in words(state)
    bundle.ensure(state)
    assert told(state).state == "ok"
    assert "catalogs" not in words(state)


def test_stale_catalogs_are_in_sight(state: State) -> None:
    path = bundle.ensure(state)
    os.utime(path, (NOW / 1000 - 30 * 86400,) * 2)
    part = told(state)
    assert part.state == "warn"
    assert part.reason.startswith("STALE")
    assert part.next_step == "bk catalogs status"
    assert words(state)["catalogs"] == ("STALE", "")
    kept(state, Row("osv", last_success_ms=NOW - DAY_MS))
    assert told(state).state == "ok"
    assert "catalogs" not in words(state)


@pytest.mark.parametrize(
    ("row", "held", "said"),
    [
        (
            Row("osv", last_success_ms=NOW, problem="cannot be looked up", kind="offline"),
            None,
            "osv: cannot be looked up",
        ),
        (Row("osv", last_success_ms=NOW), Held("osv", "9000 new entries", 9000, 0), "held back: 9000 new entries"),
    ],
)
def test_a_source_that_is_not_heard_is_named(state: State, row: Row, held: Held | None, said: str) -> None:
    bundle.ensure(state)
    kept(state, row, held)
    part = told(state)
    assert part.state == "warn"
    assert said in part.reason
    assert part.next_step == "bk catalogs status"


def test_a_source_that_is_switched_off_may_fail(state: State) -> None:
    bundle.ensure(state)
    kept(state, Row("aikido", problem="x", kind="offline"))
    assert told(state).state == "ok"


def test_a_database_that_cannot_be_read_is_said(state: State) -> None:
    bundle.ensure(state)
    Path(state.intel, "catalogs.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    part = told(state)
    assert part.state == "bad"
    assert "catalogs" in part.reason
