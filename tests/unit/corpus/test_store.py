"""The store: what is written stays, what is broken is said, and a list stays quick."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.corpus.rows import position
from bk.engine.corpus.shapes import BENIGN, MALICIOUS, UNRESOLVED, Event, Label
from bk.engine.corpus.store import Corpus
from bk.engine.errors import BkError
from bk.engine.state import State


def event(number: int, **over: object) -> Event:
    level = str(over.get("level", "block"))
    purls = over.get("purls", ("pkg:npm/evil@1.0.0",))
    return Event(
        f"e{number:06}",
        1_000 + number // 3,  # several in one millisecond
        str(over.get("surface", "hook")),
        {"tool": "Bash", "session": "s"},
        {"level": level, "packages": []},
        {"seq": number},
        purls,  # type: ignore[arg-type]
        str(over.get("cluster", "")),
    )


def label(event: str, true_label: str = MALICIOUS, source: str = "forensic_review", at_ms: int = 5) -> Label:
    return Label("", event, "", true_label, source, at_ms=at_ms, actor="person:1")


@pytest.fixture
def kept(state: State) -> State:
    with Corpus(state, write=True) as corpus:
        assert corpus.record(event(at) for at in range(10)) == 10
    return state


def test_it_is_the_owners_alone_and_unresolved_from_the_first_write(kept: State) -> None:
    path = f"{kept.root}/corpus.db"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert not [name for name in os.listdir(kept.root) if name.endswith(".new")]
    with Corpus(kept) as corpus:
        assert {each.outcome["true_label"] for each in corpus.page()} == {UNRESOLVED}


def test_the_same_event_twice_is_one(kept: State) -> None:
    with Corpus(kept, write=True) as corpus:
        assert corpus.record([event(3), event(10), event(10)]) == 1
        assert corpus.stats()["events"] == 11
        assert corpus.cluster("e000003").n == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("table", ["event", "label"])
@pytest.mark.parametrize("change", ["UPDATE {} SET cluster = 'x'", "DELETE FROM {}", "REPLACE"])
def test_what_is_kept_is_neither_changed_nor_deleted_by_anybody(kept: State, table: str, change: str) -> None:
    with Corpus(kept, write=True) as corpus:
        corpus.label(label("e000001"))
    con = sqlite3.connect(f"{kept.root}/corpus.db")
    before = con.execute(f"SELECT * FROM {table}").fetchall()
    try:
        if change.startswith("REPLACE"):
            names = [row[1] for row in con.execute(f"PRAGMA table_info({table})")]
            changed = ", ".join("'x' AS cluster" if name == "cluster" else name for name in names)
            con.execute(f"REPLACE INTO {table} SELECT {changed} FROM {table}")
        else:
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                con.execute(change.format(table))
        assert con.execute(f"SELECT * FROM {table}").fetchall() == before
    finally:
        con.close()


def test_a_label_is_undone_by_another_and_both_stay(kept: State) -> None:
    with Corpus(kept, write=True) as corpus:
        given = corpus.label(label("e000001"))
        assert corpus.current("e000001").id == given  # type: ignore[union-attr]
        assert corpus.event("e000001").outcome["was_correct"] is True
        assert [cluster.id for cluster, _ in corpus.confirmed()] == ["e000001"]
        corpus.undo(given[:12], "person:1", 9)
        assert corpus.current("e000001") is None
        assert corpus.event("e000001").outcome == {"true_label": UNRESOLVED}
        assert [each.source for each in corpus.labels("e000001")] == ["forensic_review", "undo"]
        assert list(corpus.confirmed()) == []


@pytest.mark.parametrize(
    "bad",
    [
        Label("", "e000001", "", MALICIOUS, "catalog_confirmation", at_ms=1, actor="person:1", human=True),
        Label("", "e000001", "", MALICIOUS, "forensic_review", at_ms=1, actor="corpus", human=False),
        Label("", "e000001", "", MALICIOUS, "user_override", at_ms=1, actor="person:1", confidence="high"),
        Label("", "e000001", "", "terrible", "forensic_review", at_ms=1, actor="person:1"),
        Label("", "e000001", "", UNRESOLVED, "forensic_review", at_ms=1, actor="person:1"),
        Label("", "e000001", "", MALICIOUS, "forensic_review", at_ms=1, actor=""),
        Label("", "nowhere", "", MALICIOUS, "forensic_review", at_ms=1, actor="person:1"),
        Label("", "", "nowhere", MALICIOUS, "forensic_review", at_ms=1, actor="person:1"),
    ],
    ids=["forged human", "forged machine", "inflated", "no word", "unresolved", "nobody", "no event", "no cluster"],
)
def test_a_label_that_must_not_be_is_refused_whole(kept: State, bad: Label) -> None:
    with Corpus(kept, write=True) as corpus:
        with pytest.raises(BkError):
            corpus.label(bad)
        assert corpus.stats()["labels"] == {}


def test_a_label_cannot_take_back_what_was_said_of_something_else(kept: State) -> None:
    with Corpus(kept, write=True) as corpus:
        given = corpus.label(label("e000001"))
        other = Label("", "e000002", "", UNRESOLVED, "undo", at_ms=1, actor="person:1", supersedes=given)
        with pytest.raises(BkError):
            corpus.label(other)
        assert corpus.current("e000001") is not None


def test_pages_join_without_a_gap_or_an_overlap_also_while_something_is_added(kept: State) -> None:
    with Corpus(kept, write=True) as corpus:
        seen: list[str] = []
        after = None
        while page := corpus.page(after, 3):
            seen += [each.id for each in page]
            after = position(page[-1])
            corpus.record([event(100 + len(seen))])
        assert seen == [f"e{at:06}" for at in reversed(range(10))]


def test_filters(kept: State) -> None:
    with Corpus(kept, write=True) as corpus:
        corpus.record([event(50, surface="scan", level="warn", purls=("pkg:npm/evil-twin@1.0.0",))])
        corpus.label(label("e000001"))
        corpus.label(label("e000002", BENIGN, "user_override"))

        def found(**filters: object) -> list[str]:
            return [each.id for each in corpus.page(None, 100, filters)]

        assert found(label=MALICIOUS) == ["e000001"]
        assert found(label=BENIGN) == ["e000002"]
        assert len(found(label=UNRESOLVED)) == 9
        assert found(surface="scan") == found(level="warn") == ["e000050"]
        assert found(package="pkg:npm/evil-twin") == found(package="pkg:npm/evil-twin@1.0.0") == ["e000050"]
        assert len(found(package="pkg:npm/evil")) == 10
        assert found(since_ms=1_004) == ["e000050"]
        for wrong in ({"colour": "red"}, {"label": "bad"}, {"surface": "moon"}):
            with pytest.raises(BkError):
                corpus.page(None, 1, wrong)
        with pytest.raises(BkError):
            corpus.page("nonsense")


def test_an_id_may_be_shortened_while_it_is_clear(kept: State) -> None:
    with Corpus(kept) as corpus:
        assert corpus.event("e000009").id == "e000009"
        with pytest.raises(BkError, match="several"):
            corpus.event("e00000")
        with pytest.raises(BkError, match="no such"):
            corpus.event("x")


def test_a_reader_makes_nothing(state: State) -> None:
    with Corpus(state) as corpus:
        assert corpus.page() == []
    assert not os.path.exists(f"{state.root}/corpus.db")


def used(state: State, write: bool) -> None:
    with Corpus(state, write=write) as corpus:
        corpus.page()
        corpus.stats()


@pytest.mark.parametrize("damage", ["junk", "empty", "cut", "layout", "table"])
@pytest.mark.parametrize("write", [True, False], ids=["writing", "reading"])
def test_a_damaged_file_is_said_and_never_made_anew(kept: State, damage: str, write: bool) -> None:
    path = Path(f"{kept.root}/corpus.db")
    with Corpus(kept, write=True):
        pass
    if damage in ("layout", "table"):
        con = sqlite3.connect(path)
        con.execute("PRAGMA user_version = 99" if damage == "layout" else "DROP TABLE label")
        con.commit()
        con.close()
    else:
        whole = path.read_bytes()
        path.write_bytes({"junk": b"not a database" * 400, "empty": b"", "cut": whole[: len(whole) // 2]}[damage])
    before = path.read_bytes()
    with pytest.raises(BkError) as told:
        used(kept, write)
    assert told.value.next_step
    assert path.read_bytes() == before


def test_what_fails_halfway_leaves_nothing(kept: State) -> None:
    def broken() -> Iterator[Event]:
        yield event(20)
        raise RuntimeError("the source of events broke")

    with Corpus(kept, write=True) as corpus:
        with pytest.raises(RuntimeError):
            corpus.record(broken())
        with pytest.raises(BkError, match="too large"):
            corpus.record([event(21), Event("big", 1, "hook", {"command": "x" * 100_000}, {}, {})])
        assert corpus.stats()["events"] == 10
        assert corpus.record([event(22)]) == 1


@pytest.fixture
def small_disk(short_dir: Path) -> Iterator[State]:
    """An installation on a disk of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    place = short_dir / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place)], check=True)
    try:
        made = State(f"{place}/.bk", str(place), os.geteuid())
        made.ensure()
        yield made
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_and_nothing_is_half_written(small_disk: State) -> None:
    with Corpus(small_disk, write=True) as corpus:
        corpus.record(event(at) for at in range(10))
        with pytest.raises(BkError, match="full") as told:
            corpus.record(Event(f"x{n}", n, "hook", {"command": "x" * 2000}, {}, {}) for n in range(2000))
        assert "free space" in told.value.next_step
        assert corpus.stats()["events"] == 10
    with Corpus(small_disk) as corpus:
        assert (corpus.stats()["events"], corpus.stats()["clusters"]) == (10, 10)


def test_a_disk_without_any_room_begins_no_corpus(small_disk: State) -> None:
    filler = Path(small_disk.root, "filler")
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65536)
    with pytest.raises(BkError), Corpus(small_disk, write=True):
        pass
    assert [name for name in os.listdir(small_disk.root) if name.startswith("corpus")] == []
    filler.unlink()
    with Corpus(small_disk, write=True) as corpus:
        assert corpus.record([event(1)]) == 1
