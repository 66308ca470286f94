"""When the catalogs are stale, and what an install hears of it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from bk.engine.catalogs.store import Row, Store
from bk.engine.config.layers import Layer, merge, parse
from bk.engine.decide import decide
from bk.engine.intel import bundle, freshness, generations
from bk.engine.intel.index import Index
from bk.engine.intel.record import Record
from bk.engine.model import Level, ToolCall, Verdict
from bk.engine.provenance import PinnedOrigin
from bk.engine.state import State
from bk.engine.world import World

DAY_MS = 86_400_000
NOW = time.time_ns() // 1_000_000
POLICY = {"catalog_sync.stale_days": 7}


def answered(state: State, **days_ago: float) -> None:
    store = Store.open(state)
    with store:
        for name, days in days_ago.items():
            store.put(Row(name.replace("_", "-"), last_success_ms=int(NOW - days * DAY_MS), provenance="pinned_origin"))
    store.close()


def built(state: State, days_ago: float) -> Index:
    path = bundle.ensure(state)
    when = (NOW - days_ago * DAY_MS) / 1000
    os.utime(path, (when, when))
    return Index.open(path)


def verdict(state: State, command: str, settings: str = "") -> Verdict:
    world = World.open(state)
    world.policy = merge(Layer(), parse(settings, "user"))
    call = ToolCall("Bash", "shell", {"command": command}, cwd=state.home, home=state.home)
    return decide(call, world).verdict


@pytest.mark.parametrize(("days", "stale"), [(0, None), (6.9, None), (7.1, 7), (400, 400)])
def test_before_any_sync_the_release_s_own_facts_count_from_when_they_were_put_in_force(
    state: State, days: float, stale: int | None
) -> None:
    index = built(state, days)
    assert freshness.told(state, index, POLICY, NOW)["stale_days"] == stale
    index.close()


@pytest.mark.parametrize(("days", "stale"), [(0, None), (6.9, None), (7.1, 7)])
def test_afterwards_the_newest_answer_counts(state: State, days: float, stale: int | None) -> None:
    index = built(state, 0)
    answered(state, osv=days, datadog=90)
    assert freshness.told(state, index, POLICY, NOW)["stale_days"] == stale
    assert freshness.told(state, index, {"catalog_sync.stale_days": 100}, NOW)["stale_days"] is None
    index.close()


def test_a_source_that_is_switched_off_gives_no_news_and_an_import_does(state: State) -> None:
    index = built(state, 90)
    answered(state, osv=1)
    off = {**POLICY, "catalogs.osv.enabled": False}
    assert freshness.told(state, index, off, NOW)["stale_days"] == 90
    answered(state, import_partner=2)
    assert freshness.told(state, index, off, NOW)["stale_days"] is None
    index.close()


def test_a_store_that_cannot_be_read_is_no_news(state: State) -> None:
    index = built(state, 90)
    answered(state, osv=1)
    Path(f"{state.intel}/{freshness.STORE}").write_bytes(b"no database at all, but long enough to be looked at" * 99)
    assert freshness.told(state, index, POLICY, NOW)["stale_days"] == 90
    index.close()


def test_without_an_index_nothing_is_fresh(state: State) -> None:
    assert freshness.told(state, None, POLICY, NOW)["stale_days"] == freshness.NEVER


@pytest.mark.parametrize("action", ["warn", "ask", "block"])
def test_installs_hear_of_it_and_nothing_else_does(state: State, action: str) -> None:
    built(state, 30).close()
    settings = f'catalog_sync.stale_action = "{action}"\n'
    found = {one.rule: one.level.word for one in verdict(state, "npm install left-pad", settings).findings if one.level}
    assert found["package/stale-catalog"] == action
    assert verdict(state, "git status && ls", settings).level is Level.ALLOW
    assert verdict(state, "npm install left-pad", 'catalog_sync.stale_action = "off"\n').level is Level.ALLOW
    built(state, 1).close()
    assert verdict(state, "npm install left-pad", settings).level is Level.ALLOW


def test_who_knows_an_ecosystem_comes_from_the_generation(state: State) -> None:
    record = Record("npm", "evil", "exact", ("1.0.0",), "high", ("a",), PinnedOrigin(), sources=("one",))
    sources = {
        "one": {"group": "a", "date": "2026-01-02", "ecosystems": ["npm"]},
        "two": {"group": "b", "date": "2026-03-04", "ecosystems": ["npm", "pypi"]},
        "three": {"group": "c", "date": "2026-02-02", "ecosystems": ["cargo"]},
        "socket": {"group": "socket", "date": "2026-01-01", "ecosystems": ["npm"]},
    }
    generations.activate(state, [record], {"sources": sources}, "test")
    reason = verdict(state, "npm i evil@1.0.0").findings[0].reason
    assert "listed as malicious by a;" in reason
    assert "; not listed by b;" in reason
    assert reason.endswith("catalogs of 2026-03-04")
    json.dumps(verdict(state, "npm i evil@1.0.0").findings[0].evidence)
