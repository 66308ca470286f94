"""A filter through the side index finds what a filter over the ledger itself finds, whatever state the index is in."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from bench.activity import RARE, entries, fill
from bk.engine.ledger import search
from bk.engine.ledger.grams import bitmap, may_hold, places
from bk.engine.ledger.query import parse, run
from bk.engine.ledger.schema import reader
from bk.engine.ledger.search import BLOCK, Index, catch_up, path_of
from bk.engine.ledger.seek import seek
from bk.engine.ledger.segment import rotate
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.state import State
from tests.unit.ledger_query.record import DAY, NOW, begin, tampered
from tests.unit.ledger_query.test_query import FINDS

COUNT = 2_600
FILTERS = [
    "", "level:block", "-level:allow", "level>=warn agent:codex", "agent:gem tool:Read", "-agent:claude -tool:Bash",
    "rule:secrets", "rule:secrets -agent:claude", "npm:cart-*", "npm:no-such", "path:*.ts level:block",
    "path:~/src/shop-3",
    "host:cart.example", "host:*.example since:30m", "target:refund", "refund", "REFUND level:warn", "zq", "so", RARE,
    "-refund level:quarantine", "seq:1000..1100 tool:Bash", "since:1h until:30m", "kind:config", '"cart" -"cart"',
    "session:0", "call:a", "level<allow", "tool:*ash",
]  # fmt: skip


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    made = begin(tmp_path_factory.mktemp("big"))
    fill(made, COUNT - 300, now_ms=NOW)
    ledger = Ledger.open(made)
    ledger.append(DAY)
    ledger.close()
    fill(made, 290, now_ms=NOW, seed=8)
    return made


@pytest.fixture(scope="module", autouse=True)
def _copied(bare: State) -> None:
    """The copy is made before anything else happens to the original."""


def truth(state: State, text: str) -> list[int]:
    con = reader(state.audit)
    try:
        return [entry.seq for entry in run(con, parse(text), NOW, limit=COUNT * 2)]
    finally:
        con.close()


def found(state: State, text: str, **bounds: int) -> list[int]:
    return [seq for step in seek(state, parse(text), NOW, **bounds) for seq in step.seqs]


ALL = [*FILTERS, *(text for text, _ in FINDS)]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, state: State) -> State:
    """The same ledger, of which no index is made."""
    root = tmp_path_factory.mktemp("bare") / "state"
    shutil.copytree(state.root, root)
    return State(str(root), str(root.parent), os.geteuid())


@pytest.mark.parametrize("text", ALL)
def test_without_an_index_and_with_one_the_answer_is_the_ledgers(state: State, bare: State, text: str) -> None:
    wanted = truth(bare, text)
    assert not os.path.exists(path_of(bare))
    assert found(bare, text) == wanted
    assert catch_up(state) == COUNT // BLOCK * BLOCK
    assert found(state, text) == wanted
    assert found(state, text, after=500, before=2_500) == [seq for seq in wanted if 500 < seq < 2_500]


def test_the_index_is_its_owners_alone_and_catches_up_from_where_it_was(state: State) -> None:
    catch_up(state)
    assert stat.S_IMODE(os.stat(path_of(state)).st_mode) == 0o600
    told: list[tuple[int, int]] = []
    assert catch_up(state, tell=lambda done, goal: told.append((done, goal))) == COUNT // BLOCK * BLOCK
    assert not told, "there was nothing to do"


def test_building_can_be_called_off_and_gone_on_with(tmp_path: Path) -> None:
    state = begin(tmp_path)
    fill(state, 5_000, now_ms=NOW)
    looks = iter([True, True])
    half = catch_up(state, wanted=lambda: next(looks, False))
    assert half == 4_096
    assert found(state, "level:block refund") == truth(state, "level:block refund")
    assert catch_up(state) == 5_000 // BLOCK * BLOCK


@pytest.mark.parametrize("damage", ["nothing of a database", "zeroes", "older", "another ledger", "went back"])
def test_an_index_that_cannot_be_used_is_made_anew_and_never_an_error(tmp_path: Path, damage: str) -> None:
    state = begin(tmp_path)
    fill(state, 1_000, now_ms=NOW)
    catch_up(state)
    path = Path(path_of(state))
    wanted = truth(state, "level:block refund")
    if damage == "nothing of a database":
        path.write_bytes(b"hello" * 5_000)
    elif damage == "zeroes":
        held = path.read_bytes()
        path.write_bytes(held[:8_192] + bytes(len(held) - 8_192))
    else:
        con = sqlite3.connect(path)
        if damage == "older":
            con.execute("PRAGMA user_version = 99")
        elif damage == "another ledger":
            con.execute("UPDATE meta SET value = 'ffff' WHERE key = 'ledger'")
        else:
            con.execute("UPDATE block SET mac = x'00' WHERE number = (SELECT max(number) FROM block)")
        con.commit()
        con.close()
    assert found(state, "level:block refund") == wanted
    catch_up(state)
    assert catch_up(state) == 1_000 // BLOCK * BLOCK
    index = Index.open(state)
    assert index is not None
    index.close()
    assert found(state, "level:block refund") == wanted


def test_a_lying_index_cannot_hide_from_verification_nor_show_what_is_not_there(tmp_path: Path) -> None:
    state = begin(tmp_path)
    fill(state, 1_000, now_ms=NOW)
    catch_up(state)
    con = sqlite3.connect(path_of(state))
    con.execute("UPDATE block SET bits = zeroblob(8192)")
    con.execute("UPDATE block SET bits = CAST(randomblob(8192) AS BLOB) WHERE number % 2")
    con.commit()
    con.close()
    assert set(found(state, "refund")) <= set(truth(state, "refund")), "what is shown was looked for in the entry"
    report = verify(state)
    assert report.ok
    assert report.entries >= 1_000


def test_closed_segments_are_searched_and_what_retention_dropped_is_forgotten(tmp_path: Path) -> None:
    state = begin(tmp_path)
    fill(state, 700, now_ms=NOW)
    ledger = Ledger.open(state)
    rotate(ledger)
    ledger.close()
    fill(state, 700, now_ms=NOW, seed=9)
    wanted = [seq for step in seek(state, parse("refund"), NOW) for seq in step.seqs]
    assert wanted == sorted(wanted, reverse=True)
    assert min(wanted) < 700 < max(wanted)
    catch_up(state)
    assert found(state, "refund") == wanted
    first = next(Path(state.root).glob("audit-1-*.db"))
    ledger = Ledger.open(state)
    rotate(ledger)  # the second rotation takes the first segment's entries out of the live file
    ledger.close()
    first.unlink()
    fill(state, 300, now_ms=NOW, seed=10)
    catch_up(state)
    con = sqlite3.connect(path_of(state))
    assert con.execute("SELECT min(seq) FROM facet").fetchone()[0] > 700
    con.close()
    assert found(state, "refund level:allow")[-1] > 700


def test_an_append_neither_makes_nor_waits_for_the_index(tmp_path: Path) -> None:
    state = begin(tmp_path)
    fill(state, 300, now_ms=NOW)
    assert not os.path.exists(path_of(state))
    catch_up(state)
    held = sqlite3.connect(path_of(state), isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    fill(state, 300, now_ms=NOW, seed=2)
    assert catch_up(state) == 300 // BLOCK * BLOCK, "another writer is at it: nothing is done, nothing is wrong"
    held.execute("ROLLBACK")
    held.close()
    assert catch_up(state) == 602 // BLOCK * BLOCK


def test_a_search_that_is_called_off_ends(state: State) -> None:
    catch_up(state)
    steps: list[int] = []
    steps.extend(step.down_to for step in seek(state, parse("refund"), NOW, wanted=lambda: len(steps) < 1))
    assert steps == [COUNT // BLOCK * BLOCK + 1], "one step, and no more"


def test_a_body_that_was_altered_is_found_by_its_text_alone(tmp_path: Path) -> None:
    state = begin(tmp_path)
    fill(state, 300, now_ms=NOW)
    tampered(state, 7, "no json, but xyzzy")
    for _ in range(2):
        assert found(state, "xyzzy") == [7]
        assert found(state, "-agent:claude seq:7") == []
        assert catch_up(state) == 256


def test_a_bitmap_never_denies_what_is_there() -> None:
    texts = [entry.data["input"] for entry in entries(50, now_ms=NOW)]
    bodies = [repr(text).encode() for text in texts]
    bits = bitmap(bodies)
    for body in bodies:
        for at in range(0, len(body) - 9, 5):
            assert may_hold(bits, places(body[at : at + 9].decode().upper()))
    assert not may_hold(bits, places("qwxzjvk-0000"))
    assert places("abc") == []
    assert bitmap([]) == bytes(len(bits))


def test_an_empty_place_has_nothing_to_find(tmp_path: Path) -> None:
    state = begin(tmp_path)
    assert found(state, "x") == []
    assert catch_up(state) == 0
    assert search.spans(state) == []
