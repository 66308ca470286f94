"""Pages, counts, jumps and sorts, held against the ledger read from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.activity import fill
from bk.engine.console import audit, pages
from bk.engine.console.feed import Feed, parsed
from bk.engine.errors import BkError
from bk.engine.ledger.search import BLOCK
from bk.engine.ledger.segment import rotate
from bk.engine.ledger.store import Ledger
from bk.engine.model import WORDS, Entry
from bk.engine.state import State
from tests.unit.ledger_query.record import NOW, begin

COUNT = 1_602


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    """Two segments, the first of them closed, and an index that does not know the last entries."""
    made = begin(tmp_path_factory.mktemp("pages"))
    fill(made, 700, now_ms=NOW - 900 * 1_500)
    ledger = Ledger.open(made)
    rotate(ledger)
    ledger.close()
    fill(made, 500, now_ms=NOW - 400 * 1_500, seed=2)
    pages.keep_index(made)
    fill(made, 400, now_ms=NOW, seed=3)
    return made


def every(state: State, text: str = "") -> list[int]:
    return [entry.seq for entry in audit.entries(state, text, now_ms=NOW)]


@pytest.mark.parametrize("text", ["", "level:block", "refund", "-agent:claude", "npm:no-such"])
def test_pages_lead_through_everything_and_back(state: State, text: str) -> None:
    wanted = every(state, text)
    down: list[int] = []
    anchor, more = 0, True
    while more:
        page = pages.page(state, text, anchor=anchor, limit=37, now_ms=NOW)
        down += [entry.seq for entry in page.entries]
        anchor, more = down[-1] if down else 0, page.more
    assert down == wanted[::-1]
    up: list[int] = []
    anchor, more = 0, True
    while more:
        page = pages.page(state, text, anchor=anchor, direction="newer", limit=37, now_ms=NOW)
        up = [entry.seq for entry in page.entries] + up
        anchor, more = up[0] if up else 0, page.more
    assert up == wanted[::-1]


def test_a_direction_is_one_of_two(state: State) -> None:
    with pytest.raises(BkError, match="direction"):
        pages.page(state, "", direction="sideways")


def test_a_count_is_exact_when_there_is_time_and_says_so_when_there_is_not(state: State) -> None:
    assert pages.count(state) == (COUNT, COUNT, True)
    held = len(every(state, "level:block"))
    assert pages.count(state, "level:block", within_s=30, now_ms=NOW) == (held, held, True)
    rough = pages.count(state, "agent:claude", within_s=0, now_ms=NOW)
    assert not rough.exact or rough.found == len(every(state, "agent:claude"))
    assert rough.about >= rough.found > 0


def test_a_jump_lands_on_the_first_entry_of_a_time(state: State) -> None:
    found = {entry.seq: entry.at for entry in audit.entries(state)}
    assert pages.jump(state, 0) == 1
    assert pages.jump(state, NOW * 2) == COUNT
    for at in (NOW - 300 * 1_500, NOW - 1_200 * 1_500 + 7):
        seq = pages.jump(state, at)
        assert found[seq] >= at
        assert found[seq - 1] < at


@pytest.mark.parametrize("column", ["level", "tool", "agent", "kind"])
@pytest.mark.parametrize("descending", [True, False])
def test_a_sort_holds_every_entry_once_in_its_order(state: State, column: str, descending: bool) -> None:
    of = {entry.seq: entry for entry in audit.entries(state)}
    known = (COUNT - 400) // BLOCK * BLOCK  # what the index knows
    order = [seq for part in pages.ordered(state, column, descending=descending) for seq in part]
    assert sorted(order) == sorted(of)
    fresh, rest = order[: COUNT - known], order[COUNT - known :]
    assert fresh == list(range(COUNT, known, -1)), "what is new comes first"
    said = [value(of[seq], column) for seq in rest]
    named = [word for word in said if word is not None]
    assert said[: len(named)] == named, "those without one come last"
    runs = list(dict.fromkeys(named))
    rank = {word: at for at, word in enumerate(["", *WORDS])} if column == "level" else {word: word for word in runs}
    assert runs == sorted(runs, key=lambda word: rank[word], reverse=descending)
    for word in runs:
        seqs = [seq for seq in rest if value(of[seq], column) == word]
        assert seqs == sorted(seqs, reverse=True), "the newest first among equals"


def value(entry: Entry, column: str) -> str | None:
    if column in ("level", "kind"):
        return str(getattr(entry, column))
    return entry.data.get({"agent": "harness"}.get(column, column))


def test_a_sort_can_be_of_some_and_only_by_what_is_indexed(state: State) -> None:
    some = list(range(10, 900, 7))
    within = [seq for part in pages.ordered(state, "tool", within=some) for seq in part]
    assert sorted(within) == some
    with pytest.raises(BkError, match="sorted by"):
        list(pages.ordered(state, "colour"))


def test_entries_come_in_the_order_they_are_asked_for(state: State) -> None:
    assert [entry.seq for entry in pages.entries(state, [900, 3, 10**9, COUNT])] == [900, 3, COUNT]


def test_a_feed_tells_of_matches_while_it_goes_on_looking(state: State) -> None:
    feed = Feed(state)
    feed.poll()
    told: list[tuple[int, int]] = []
    found = feed.search(parsed("refund"), NOW, tell=lambda part, down_to: told.append((len(part), down_to)))
    assert list(found) == every(state, "refund")
    assert told[-1] == (len(found), 1)
    assert [entry.seq for entry in feed.entries([5, 700, 10**9])] == [5, 700]
    feed.close()


def test_evidence_is_an_entry_and_its_proof(tmp_path: Path) -> None:
    state = begin(tmp_path)
    fill(state, 20, now_ms=NOW)
    ledger = Ledger.open(state)
    ledger.checkpoint()
    ledger.close()
    told = audit.evidence(state, 7)
    assert told["entry"]["seq"] == 7
    assert told["intact"] is True
    assert told["proof"]["holds"] is True
    assert told["proof"]["public_key"]
    assert f'"call":"{told["entry"]["call"]}"' in told["body"]
    with pytest.raises(BkError, match="no entry"):
        audit.evidence(state, 99)
