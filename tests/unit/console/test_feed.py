"""Reading the ledger while others write it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from bk.engine.console.feed import PAGE, Feed, following, parsed
from bk.engine.errors import BkError
from bk.engine.ledger.segment import rotate
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State


def entry(number: int, level: str = "allow") -> Entry:
    data = {
        "harness": "claude-code",
        "tool": "Bash",
        "input": {"command": f"echo {number}"},
        "actions": [],
        "findings": [],
    }
    return Entry("decision", "hook:claude-code", data, level=level)


def write(state: State, *entries: Entry) -> None:
    ledger = Ledger.open(state)
    ledger.append(entries)
    ledger.close()


def test_there_may_be_no_ledger_yet(state: State) -> None:
    feed = Feed(state)
    assert not feed.poll()
    assert (feed.first, feed.last) == (0, 0)
    write(state, entry(1))
    assert feed.poll()
    assert (feed.first, feed.last) == (1, 1)
    assert not feed.poll()


def test_every_entry_can_be_read_across_pages_and_the_tail_is_never_stale(state: State) -> None:
    write(state, *(entry(number) for number in range(1, PAGE * 2)))
    feed = Feed(state)
    feed.poll()
    for seq in (1, PAGE - 1, PAGE, PAGE * 2 - 1):
        found = feed.entry(seq)
        assert found is not None
        assert found.data["input"]["command"] == f"echo {seq}"
    assert feed.entry(PAGE * 2) is None
    write(state, entry(PAGE * 2), entry(PAGE * 2 + 1))
    assert feed.poll()
    assert feed.entry(PAGE * 2) is not None
    assert [found.seq for found in following(feed, PAGE * 2 - 1)] == [PAGE * 2, PAGE * 2 + 1]


def test_it_never_makes_a_writer_wait(state: State) -> None:
    write(state, entry(0))
    feed = Feed(state)
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            feed.poll()
            feed.entry(feed.last)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        ledger = Ledger.open(state)
        worst = 0.0
        for number in range(300):
            started = time.perf_counter()
            ledger.append([entry(number)])
            worst = max(worst, time.perf_counter() - started)
        ledger.close()
    finally:
        stop.set()
        reader.join()
    assert worst < 1.0
    feed.poll()
    assert feed.last == 301


def test_a_search_finds_all_and_can_be_called_off(state: State) -> None:
    write(state, *(entry(number, "block" if number % 7 == 0 else "allow") for number in range(1, 2000)))
    feed = Feed(state)
    feed.poll()
    found = feed.search(parsed("level:block"), 0)
    assert list(found) == list(range(7, 2000, 7))
    assert list(feed.search(parsed("level:block"), 0, after=1990)) == [1995]
    with pytest.raises(BkError, match="the search stopped"):
        feed.search(parsed("level:block text"), 0, wanted=lambda: False)
    with pytest.raises(BkError, match="filter"):
        parsed("lvel:block")


def test_what_makes_incidents_is_found(state: State) -> None:
    write(state, entry(1), entry(2, "block"), Entry("incident", "engine", {"title": "t"}), entry(4, "ask"))
    feed = Feed(state)
    feed.poll()
    assert [found.seq for found in feed.notable()] == [2, 3]
    assert [found.seq for found in feed.notable(2)] == [3]


def test_damage_is_named_and_recovery_noticed(state: State) -> None:
    write(state, entry(1))
    whole = Path(state.audit).read_bytes()
    feed = Feed(state)
    with open(state.audit, "wb") as file:
        file.write(b"not a database, not at all" * 100)
    assert feed.poll()
    assert feed.problem is not None
    assert "audit.db" in feed.problem.detail
    assert not feed.poll(), "the same news is told once"
    os.unlink(state.audit)
    with open(state.audit, "wb") as file:
        file.write(whole)
    assert feed.poll()
    assert feed.problem is None
    assert feed.entry(1) is not None


def test_an_altered_body_is_shown_as_one(state: State) -> None:
    write(state, entry(1))
    attacker = sqlite3.connect(state.audit)
    attacker.execute("UPDATE entry SET body = '{\"kind\": 3}'")
    attacker.commit()
    attacker.close()
    feed = Feed(state)
    feed.poll()
    found = feed.entry(1)
    assert found is not None
    assert "altered" in found.data["title"]


def test_closed_segments_stay_within_reach(state: State) -> None:
    ledger = Ledger.open(state)
    ledger.append([entry(number, "block" if number == 3 else "allow") for number in range(1, 301)])
    feed = Feed(state)
    feed.poll()
    for begin in (301, 400, 500):  # the live file lets go of a segment one rotation after it was closed
        rotate(ledger)
        ledger.append([entry(number) for number in range(begin, begin + 20)])
        last = ledger.head()[0]
        assert feed.poll()
        assert (feed.first, feed.last) == (1, last)
        for seq in (1, 3, 299, 301, last):
            assert feed.entry(seq) is not None
        assert list(feed.search(parsed("level:block"), 0)) == [3]
        assert [found.seq for found in feed.notable() if found.kind == "decision"] == [3]
        assert list(feed.search(parsed(""), 0)) == list(range(1, last + 1))
    ledger.close()
